import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok.superpoints import partition, purity


@pytest.mark.parametrize(
    ("name", "count"),
    [("toy-shapes", 15), ("toy-scans", 1), ("toy-rooms", 1)],
)
def test_superpoints_of_the_toy_world_are_pure_and_not_too_many(name: str, count: int) -> None:
    clouds = open_dataset(name, limit=count)
    config = SuperpointConfig.of(clouds.scene)
    pure, numbers = [], []
    for key in clouds.keys:
        cloud = clouds[key]
        assert cloud.labels is not None
        labels = partition(cloud, config)
        pure.append(purity(labels, cloud.labels))
        numbers.append(int(labels.max()) + 1)
    assert np.mean(pure) >= 0.90
    assert 10 <= np.median(numbers) <= 200
