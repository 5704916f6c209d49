import math

import numpy as np
import pytest
import torch

from s4tok.augmentations.scenes import BoxedScene, along_axes, crop, scaled, turned
from s4tok.geometry.boxes import iou_3d, points_inside


def scene(seed: int = 0) -> BoxedScene:
    """Give points in two boxes and around them."""
    draw = np.random.default_rng(seed)
    boxes = np.array([[1.0, 0.5, 0.4, 0.8, 0.4, 0.6, 0.3], [-1.0, 1.5, 0.5, 0.5, 0.9, 1.0, -2.0]])
    points = draw.uniform([-3, -3, 0], [3, 3, 2], (4000, 3)).astype(np.float32)
    return BoxedScene(points, boxes, np.array([0, 1]))


def inside(given: BoxedScene) -> torch.Tensor:
    return points_inside(torch.from_numpy(given.boxes), torch.from_numpy(given.points).double())


@pytest.mark.parametrize("flip", [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)])
def test_boxes_hold_the_same_points_however_a_scene_is_turned_mirrored_and_scaled(flip: tuple[float, float]) -> None:
    given, draw = scene(), np.random.default_rng(1)
    moved = scaled(turned(given, 180.0, flip, draw), (0.85, 1.15), 0.3, draw)
    assert not np.allclose(moved.points, given.points)
    differ = inside(moved) != inside(given)
    assert inside(given).sum() > 20
    assert differ.sum() <= 1  # a point on a face may round to the other side


def test_a_crop_keeps_boxes_whose_center_it_holds_and_at_least_one() -> None:
    given = scene()
    for seed in range(20):
        kept, boxes = crop(given, (0.5, 0.9), 0.75, 200, np.random.default_rng(seed))
        assert 200 <= kept.sum() < len(given.points)
        assert boxes.any()
        low, high = given.points[kept].min(axis=0), given.points[kept].max(axis=0)
        centers = given.boxes[:, :3]
        assert boxes.tolist() == ((centers >= low) & (centers <= high)).all(axis=1).tolist()


def test_a_scene_that_cannot_be_cropped_stays_whole() -> None:
    given = scene()
    kept, boxes = crop(given, (0.5, 0.9), 0.75, len(given.points), np.random.default_rng(0))
    assert kept.all()
    assert boxes.all()
    empty = given._replace(boxes=given.boxes[:0], labels=given.labels[:0])
    assert crop(empty, (0.5, 0.9), 0.75, 10, np.random.default_rng(0))[0].all()


def test_the_box_along_the_axes_is_the_smallest_around_a_turned_one() -> None:
    turn = math.radians(30)
    around = along_axes(np.array([[1.0, 2.0, 3.0, 2.0, 1.0, 0.5, turn]]))[0]
    wide = 2 * math.cos(turn) + math.sin(turn)
    deep = 2 * math.sin(turn) + math.cos(turn)
    np.testing.assert_allclose(around, [1, 2, 3, wide, deep, 0.5, 0])
    same = torch.from_numpy(along_axes(around[None]))
    assert float(iou_3d(same, torch.from_numpy(around[None]))) == pytest.approx(1)
