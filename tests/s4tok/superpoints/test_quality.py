import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok.superpoints import partition, purity
from s4tok.synthetic.datasets import ToyShapes


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


def test_objects_are_cut_alike_whether_they_have_8192_points_or_2048() -> None:
    means = []
    for points in (8192, 2048):
        shapes = ToyShapes("val", points=points)
        cuts = [partition(shapes[key]) for key in shapes.keys[:15]]
        sizes = np.concatenate([np.bincount(labels) for labels in cuts])
        assert np.mean(sizes < 0.006 * points) < 0.01  # islands of the graph have no neighbour to join
        means.append(np.mean([labels.max() + 1 for labels in cuts]))
    assert 20 <= min(means) <= max(means) <= 60
    assert max(means) < 1.25 * min(means)


def test_the_printed_form_has_normals_themselves_and_no_merging() -> None:
    objects, rooms = (SuperpointConfig.of(scene, "paper") for scene in ("object", "room"))
    for printed in (objects, rooms):
        assert (printed.normal_form, printed.geometry_weight, printed.standardized) == ("oriented", 1.0, True)
        assert (printed.smoothness, printed.smallest_share, printed.sqrt_eigenvalues) == (0.0, 0.0, False)
    assert (objects.regularization, objects.smallest, objects.voxel) == (0.05, 10, 0.0)
    assert (rooms.regularization, rooms.smallest, rooms.voxel) == (0.1, 30, 0.02)
    assert SuperpointConfig.of("object") == SuperpointConfig()
