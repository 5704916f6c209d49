import math

import pytest
import torch
from torch import Tensor

from s4tok.augmentations.points import Cloud, discolored, jittered, stretched, turned
from s4tok.tokenizers import PointFeatures

READ = PointFeatures(("rgb", "normals"))
SEEDS = torch.arange(40)


def cloud() -> Cloud:
    draw = torch.Generator().manual_seed(0)
    points = torch.randn(40, 25, 3, generator=draw)
    features = torch.rand(40, 25, 8, generator=draw)
    features[..., 4:7] = torch.nn.functional.normalize(points, dim=2)  # as on a sphere
    features[..., [3, 7]] = 1
    return Cloud(points, features, READ)


CHANGES = {
    "stretched": lambda each, seeds: stretched(each, seeds, (0.5, 2.0), 0.3),
    "turned": lambda each, seeds: turned(each, seeds, 180.0, 0.5),
    "jittered": lambda each, seeds: jittered(each, seeds, torch.ones(len(seeds), 25, dtype=torch.bool), 0.01),
    "discolored": lambda each, seeds: discolored(each, seeds, 0.5),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_depends_on_a_clouds_own_seed_alone(name: str) -> None:
    whole, given = CHANGES[name](cloud(), SEEDS), cloud()
    assert given.features is not None
    assert whole.features is not None
    part = CHANGES[name](Cloud(given.points[7:9], given.features[7:9], READ), SEEDS[7:9])
    assert part.features is not None
    assert torch.equal(part.points, whole.points[7:9])
    assert torch.equal(part.features, whole.features[7:9])
    assert not torch.equal(whole.points, given.points) or not torch.equal(whole.features, given.features)


def test_a_turn_keeps_heights_and_distances_and_takes_the_normals_along() -> None:
    given, found = cloud(), turned(cloud(), SEEDS, 180.0, 0.5)
    torch.testing.assert_close(found.points[..., 1], given.points[..., 1])
    torch.testing.assert_close(
        torch.cdist(found.points, found.points), torch.cdist(given.points, given.points), atol=1e-4, rtol=0
    )
    assert found.features is not None
    torch.testing.assert_close(found.features[..., 4:7], torch.nn.functional.normalize(found.points, dim=2))
    assert 0 < int((torch.linalg.det(found.points[:, :3]) * torch.linalg.det(given.points[:, :3]) < 0).sum()) < 40


def test_a_turn_is_no_larger_than_asked_for() -> None:
    given, found = cloud(), turned(cloud(), SEEDS, 10.0, 0.0)
    cosine = torch.nn.functional.cosine_similarity(found.points[..., ::2], given.points[..., ::2], dim=-1)
    assert float(cosine.min()) >= math.cos(math.radians(10.01))
    assert float(cosine.min()) < math.cos(math.radians(8))


def test_jitter_has_its_deviation_in_units_of_the_cloud_and_leaves_padding() -> None:
    draw = torch.Generator().manual_seed(0)
    points = 30 * torch.randn(2, 4000, 3, generator=draw) + 100
    is_point = torch.ones(2, 4000, dtype=torch.bool)
    is_point[:, 3000:] = False
    moved = jittered(Cloud(points, None, READ), torch.tensor([1, 2]), is_point, 0.01).points - points
    assert not moved[:, 3000:].any()
    spread = 30 * math.sqrt(3)
    assert abs(float(moved[:, :3000].std()) / (0.01 * spread) - 1) < 0.05
    assert abs(float(moved[:, :3000].mean())) < 0.01 * spread / 20


def test_colours_of_some_clouds_become_unknown_and_normals_never() -> None:
    given, found = cloud(), discolored(cloud(), SEEDS, 0.5)
    assert found.features is not None
    assert given.features is not None
    is_gone = ~found.features[..., :4].flatten(1).any(1)
    assert 8 < int(is_gone.sum()) < 32
    assert torch.equal(found.features[..., 4:], given.features[..., 4:])
    assert torch.equal(found.features[~is_gone], given.features[~is_gone])


def test_nothing_asked_for_changes_nothing() -> None:
    given = cloud()
    shown = torch.ones(40, 25, dtype=torch.bool)
    for found in (turned(given, SEEDS, 0.0, 0.0), jittered(given, SEEDS, shown, 0.0), discolored(given, SEEDS, 0.0)):
        assert found is given


def test_clouds_without_features_are_turned_and_stretched_too() -> None:
    bare = Cloud(cloud().points, None, PointFeatures())
    both: Tensor = stretched(turned(bare, SEEDS, 90.0, 0.5), SEEDS, (1.0, 1.0), 0.0).points
    torch.testing.assert_close(both.norm(dim=2), bare.points.norm(dim=2))
