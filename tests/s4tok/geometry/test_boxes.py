import math

import numpy as np
import pytest
import torch
from torch import Tensor

from s4tok.geometry.boxes import corners, giou_3d, giou_of_pairs, hulls, iou_3d, points_held, points_inside

shapely = pytest.importorskip("shapely")


def box(*numbers: float) -> Tensor:
    return torch.tensor([numbers], dtype=torch.float64)


def drawn(count: int, seed: int) -> Tensor:
    random = np.random.default_rng(seed)
    return torch.from_numpy(
        np.concatenate(
            [random.uniform(-1, 1, (count, 3)), random.uniform(0.05, 2, (count, 3)), random.uniform(-4, 4, (count, 1))],
            1,
        )
    )


def by_shapely(one: Tensor, other: Tensor) -> float:
    ground = [shapely.Polygon(corners(each).numpy()) for each in (one, other)]
    low = max(float(each[2] - each[5] / 2) for each in (one, other))
    high = min(float(each[2] + each[5] / 2) for each in (one, other))
    shared = ground[0].intersection(ground[1]).area * max(high - low, 0)
    return float(shared / (one[3:6].prod() + other[3:6].prod() - shared))


def test_iou_equals_shapelys_on_random_pairs() -> None:
    one, other = drawn(2000, 0), drawn(2000, 1)
    blocks = range(0, 2000, 100)
    found = torch.cat([iou_3d(one[at : at + 100], other[at : at + 100]).diagonal() for at in blocks])
    wanted = torch.tensor([by_shapely(a, b) for a, b in zip(one, other, strict=True)], dtype=torch.float64)
    assert (found - wanted).abs().max() < 1e-5
    assert (wanted > 0.05).sum() > 200


@pytest.mark.parametrize("turn", [0.0, 0.3, math.pi / 4, math.pi / 2, 3.0])
def test_boxes_that_share_edges_are_counted_once(turn: float) -> None:
    a = box(1, 2, 3, 2, 1, 1, turn)
    assert iou_3d(a, a).item() == pytest.approx(1, abs=1e-7)
    across = torch.tensor([math.cos(turn), math.sin(turn)], dtype=torch.float64)
    beside = a.clone()
    beside[0, :2] += 2 * across
    assert iou_3d(a, beside).item() == pytest.approx(0, abs=1e-7)
    half = a.clone()
    half[0, :2] += across
    assert iou_3d(a, half).item() == pytest.approx(1 / 3, abs=1e-7)
    inner = box(1, 2, 3, 1, 1, 1, turn)  # two of its edges lie on edges of the other
    assert iou_3d(a, inner).item() == pytest.approx(0.5, abs=1e-7)
    quarter = a.clone()
    quarter[0, [3, 4, 6]] = torch.tensor([1.0, 2.0, turn + math.pi / 2], dtype=torch.float64)
    assert iou_3d(a, quarter).item() == pytest.approx(1, abs=1e-7)


def test_a_square_turned_by_an_eighth_shares_an_octagon() -> None:
    shared = 2 * (math.sqrt(2) - 1)
    assert iou_3d(box(0, 0, 0, 1, 1, 1, 0), box(0, 0, 0, 1, 1, 1, math.pi / 4)).item() == pytest.approx(
        shared / (2 - shared), abs=1e-8
    )


def test_boxes_above_each_other_and_boxes_without_volume_share_nothing() -> None:
    assert iou_3d(box(0, 0, 0, 1, 1, 1, 0), box(0, 0, 1.5, 1, 1, 1, 0)).item() == 0
    flat = box(0, 0, 0, 0, 1, 1, 0.2)
    assert torch.isfinite(iou_3d(flat, flat)).all()
    assert iou_3d(flat, box(0, 0, 0, 1, 1, 1, 0)).item() == pytest.approx(0, abs=1e-9)


def test_far_from_the_origin_it_is_the_same() -> None:
    one, other = drawn(40, 2), drawn(40, 3)
    moved = torch.tensor([5e5, 4e6, 100, 0, 0, 0, 0], dtype=torch.float64)
    assert torch.allclose(iou_3d(one, other), iou_3d(one + moved, other + moved), atol=1e-6)


def test_giou_is_iou_within_a_common_hull_and_negative_far_apart() -> None:
    a, b = box(0, 0, 0, 1, 1, 1, 0), box(3, 0, 0, 1, 1, 1, 0)
    assert giou_3d(a, a).item() == pytest.approx(1, abs=1e-7)
    assert giou_3d(a, b).item() == pytest.approx(-0.5)  # a hull of 4, of which 2 are filled
    assert (giou_3d(drawn(20, 4), drawn(20, 5)) <= iou_3d(drawn(20, 4), drawn(20, 5)) + 1e-9).all()


def test_gradients_are_finite_and_draw_boxes_together() -> None:
    one, other = drawn(200, 6).requires_grad_(), drawn(200, 7)
    (gradient,) = torch.autograd.grad(giou_3d(one, other).sum(), one)
    assert torch.isfinite(gradient).all()
    same = drawn(5, 8).requires_grad_()
    assert torch.isfinite(torch.autograd.grad(iou_3d(same, same.detach()).sum(), same)[0]).all()
    a = box(0.4, 0, 0, 1, 1, 1, 0).requires_grad_()
    (pull,) = torch.autograd.grad(iou_3d(a, box(0, 0, 0, 1, 1, 1, 0)).sum(), a)
    assert pull[0, 0] < 0


def test_hulls_hold_every_corner_and_touch_it() -> None:
    boxes = drawn(50, 9)
    around = hulls(boxes)
    away = (corners(boxes) - around[:, None, :2]).abs()
    assert torch.allclose(away.amax(1), around[:, 3:5] / 2)
    assert torch.equal(around[:, 6], torch.zeros(50, dtype=torch.float64))


def test_points_lie_inside_a_turned_box_up_to_its_faces() -> None:
    turned = box(1, 1, 1, 2, 0.5, 1, math.pi / 2)  # its width runs along y
    xyz = torch.tensor([[1, 1.99, 1], [1, 2, 1.5], [1.99, 1, 1], [1, 1, 1.6]])
    assert points_inside(turned, xyz).tolist() == [[True, True, False, False]]
    both = torch.cat([turned, turned + torch.tensor([9.0, 0, 0, 0, 0, 0, 0])])
    assert points_held(both, xyz).tolist() == [2, 0]
    assert points_held(both[:0], xyz).tolist() == []


def test_gious_of_pairs_are_the_diagonal_of_those_of_all() -> None:
    one, other = drawn(40, 2), drawn(40, 3)
    torch.testing.assert_close(giou_of_pairs(one, other), giou_3d(one, other).diagonal())
