import pytest
import torch

from s4tok.augmentations.turning import turned

SEEDS = torch.tensor([3, 4, 5])


def test_a_room_turns_about_the_vertical_and_stands_on_its_floor() -> None:
    points = torch.randn(3, 50, 3, generator=torch.Generator().manual_seed(0))
    moved = turned(points, SEEDS, 180.0)
    torch.testing.assert_close(moved[..., 1], points[..., 1], rtol=0, atol=0)  # heights are as they were
    torch.testing.assert_close(moved.norm(dim=2), points.norm(dim=2))
    assert (moved - points)[..., [0, 2]].abs().max() > 0.5
    floor = torch.rand(3, 20, 3) * torch.tensor([4.0, 0.0, 4.0])
    assert (turned(floor, SEEDS, 180.0)[..., 1] == 0).all()


@pytest.mark.parametrize("up", [0, 1, 2])
def test_whichever_axis_points_up_is_the_one_that_is_turned_about(up: int) -> None:
    points = torch.randn(3, 20, 3, generator=torch.Generator().manual_seed(1))
    moved = turned(points, SEEDS, 90.0, up)
    torch.testing.assert_close(moved[..., up], points[..., up], rtol=0, atol=0)
    triple = torch.linalg.det(points[:, :3])
    torch.testing.assert_close(torch.linalg.det(moved[:, :3]), triple)  # a turn and no mirror


def test_each_cloud_turns_by_its_own_seed_within_the_limit_whatever_its_batch() -> None:
    east = torch.tensor([1.0, 0.0, 0.0]).expand(200, 1, 3)
    seeds = torch.arange(200)
    moved = turned(east, seeds, 30.0)
    angle = torch.rad2deg(torch.atan2(moved[..., 2], moved[..., 0]))[:, 0]
    assert angle.abs().max() <= 30
    assert angle.std() > 10
    torch.testing.assert_close(turned(east[7:8], seeds[7:8], 30.0), moved[7:8])
    torch.testing.assert_close(turned(east, seeds, 0.0), east)
