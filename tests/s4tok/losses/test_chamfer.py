import torch

from s4tok.losses.chamfer import chamfer_loss


def test_it_is_the_mean_of_nearest_squared_distances_both_ways_over_patches() -> None:
    draw = torch.Generator().manual_seed(0)
    predicted, points = torch.randn(2, 3, 5, 3, generator=draw), torch.randn(2, 3, 4, 3, generator=draw)
    is_point, is_patch = torch.ones(2, 3, 4, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool)
    is_point[0, 1, 2:], is_patch[1, 2] = False, False
    found = []
    for cloud, patch in is_patch.nonzero().tolist():
        there = points[cloud, patch, is_point[cloud, patch]]
        square = torch.cdist(predicted[cloud, patch], there).square()
        found.append(square.amin(1).mean() + square.amin(0).mean())
    torch.testing.assert_close(chamfer_loss(predicted, points, is_point, is_patch), torch.stack(found).mean())


def test_equal_sets_cost_nothing_and_a_patch_without_points_gives_a_number() -> None:
    points = torch.randn(1, 2, 6, 3)
    known, patches = torch.ones(1, 2, 6, dtype=torch.bool), torch.ones(1, 2, dtype=torch.bool)
    assert float(chamfer_loss(points[:, :, [3, 0, 1, 2, 5, 4]], points, known, patches)) < 1e-10
    known[0, 1] = False
    predicted = points.clone().requires_grad_()
    chamfer_loss(predicted + 1, points, known, patches).backward()  # type: ignore[no-untyped-call]
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()
