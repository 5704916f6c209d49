from collections.abc import Callable

import pytest
import torch

from s4tok.tokenizers import grouping
from s4tok.tokenizers.grouping import Pick, group_points
from s4tok.tokenizers.order import SortedClouds
from s4tok.tokenizers.sampling import sample_centers

Make = Callable[..., SortedClouds]
RADIUS = torch.tensor([0.25, 0.4])
SEEDS = torch.tensor([8, 9])


def centers_of(clouds: SortedClouds, count: int = 30) -> torch.Tensor:
    return sample_centers(clouds, count, SEEDS, gamma=0.3)[0]


def allowed(clouds: SortedClouds, cloud: int, center: int, pick: Pick, inside: bool) -> dict[int, float]:
    """Squared distance of every point a patch may hold, one point at a time in float64."""
    points, labels = clouds.xyz[cloud].double(), clouds.superpoints[cloud]
    result = {}
    for point in range(len(points)):
        distance = float((points[point] - points[center]).square().sum())
        near = pick != "ball" or distance <= float(RADIUS[cloud]) ** 2 or point == center
        if near and (not inside or labels[point] == labels[center]):
            result[point] = distance
    return result


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("pick", ["nearest", "ball", "any"])
def test_patches_are_their_slow_twin(sorted_clouds: Make, pick: Pick, inside: bool) -> None:
    clouds = sorted_clouds(2)
    centers = centers_of(clouds, 12)
    members, is_member = group_points(clouds, centers, RADIUS, SEEDS, pick=pick, in_superpoint=inside, patch_size=16)
    overfull = 0
    for cloud, token in torch.cartesian_prod(torch.arange(2), torch.arange(12)).tolist():
        center = int(centers[cloud, token])
        pool = allowed(clouds, cloud, center, pick, inside)
        patch = members[cloud, token][is_member[cloud, token]].tolist()
        assert patch[0] == center
        assert len(set(patch)) == len(patch) == min(16, len(pool))
        assert set(patch) <= set(pool)
        assert (members[cloud, token][~is_member[cloud, token]] == center).all()
        overfull += len(pool) > 16
        if pick == "nearest":
            assert set(patch) == set(sorted(pool, key=lambda point: pool[point])[:16])
    assert overfull


def test_overfull_patches_are_drawn_from_the_whole_ball_by_seed(sorted_clouds: Make) -> None:
    clouds = sorted_clouds(3)
    centers, wide = centers_of(clouds), torch.tensor([0.8, 0.8])

    def draw(seeds: torch.Tensor) -> torch.Tensor:
        return group_points(clouds, centers, wide, seeds, pick="ball", in_superpoint=False, patch_size=16)[0]

    once = draw(SEEDS)
    assert (draw(SEEDS) == once).all()
    assert (draw(SEEDS + 1) != once).any(2).all()
    rows = torch.arange(2)[:, None, None]
    distance = (clouds.xyz[rows, once] - clouds.xyz[rows, centers[..., None]]).norm(dim=-1)[..., 1:]
    assert 0.45 < distance.mean() < 0.62  # 2/3 of the radius on a flat sheet, less at its border; nearest would be 0.15


def test_memory_is_bounded_by_parts_that_change_nothing(sorted_clouds: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    clouds = sorted_clouds(5)
    centers = centers_of(clouds)

    def both() -> list[torch.Tensor]:
        return [
            table
            for inside in (False, True)
            for table in group_points(clouds, centers, RADIUS, SEEDS, pick="ball", in_superpoint=inside, patch_size=8)
        ]

    whole = both()
    monkeypatch.setitem(grouping.PAIRS_AT_ONCE, "cpu", 3000)
    for part, all_at_once in zip(both(), whole, strict=True):
        assert (part == all_at_once).all()


def test_the_centre_is_a_member_among_many_points_at_its_place(sorted_clouds: Make) -> None:
    clouds = sorted_clouds(6)
    same = clouds._replace(xyz=torch.zeros_like(clouds.xyz))
    centers = torch.tensor([[599, 300], [450, 2]])
    members, _ = group_points(same, centers, RADIUS, SEEDS, pick="nearest", in_superpoint=False, patch_size=4)
    assert (members[..., 0] == centers).all()
