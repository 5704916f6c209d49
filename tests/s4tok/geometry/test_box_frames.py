from typing import get_args

import numpy as np
import pytest
import torch

from s4tok.clouds import Placement, PointCloud
from s4tok.config import Axis
from s4tok.geometry.axes import upright
from s4tok.geometry.box_frames import EDGES, as_it_came, box_corners, turned
from s4tok.geometry.boxes import corners, points_inside
from s4tok.geometry.placement import placed
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Bool


def scene() -> tuple[Array, OrientedBoxes]:
    """Give points, z up, and boxes around some of them."""
    draw = np.random.default_rng(0)
    rows = np.array([[1, 0, 1, 2, 1, 1.5, 0.7], [-2, 1, 0.5, 0.6, 3, 0.8, -2.0]])
    return draw.uniform(-4, 4, (4000, 3)), OrientedBoxes.of_rows(rows, [0, 1])


def inside(boxes: OrientedBoxes, points: Array) -> Bool[Array, "o n"]:
    return points_inside(torch.from_numpy(boxes.rows()), torch.from_numpy(points)).numpy()


@pytest.mark.parametrize("up", get_args(Axis))
def test_boxes_turn_as_points_do(up: str) -> None:
    points, boxes = scene()
    turn = upright(up).T @ upright("z")  # of points, from z up
    there = turned(boxes, "z", up)
    back = turned(there, up, "z")
    np.testing.assert_allclose(back.rows(), boxes.rows(), atol=1e-12)
    np.testing.assert_allclose(there.centers, boxes.centers @ turn.T, atol=1e-12)
    assert inside(back, points @ turn.T @ turn).sum() == inside(boxes, points).sum() > 20


def test_where_y_is_up_a_quarter_turn_counterclockwise_from_x_is_minus_z() -> None:
    box = OrientedBoxes.of([0], [[0, 0, 0]], [[4, 1, 1]], [np.pi / 2])
    end = np.array([[0.0, 1.9, 0.0]])  # of its width, z up
    assert inside(box, end).all()
    assert np.allclose(end @ (upright("y").T @ upright("z")).T, [[0, 0, -1.9]])


@pytest.mark.parametrize("up", get_args(Axis))
@pytest.mark.parametrize(("unit", "scene_kind"), [("mm", "room"), (None, "object")])
def test_boxes_found_in_an_own_cloud_come_back_to_its_file(up: Axis, unit: str | None, scene_kind: str) -> None:
    points, boxes = scene()
    turn = upright(up).T @ upright("z")
    scale, far = 1000.0, np.array([5e5, -3e4, 120.0])
    cloud = PointCloud.of(points @ turn.T * scale + far)
    own = placed(cloud, Placement(up, unit, scene_kind))  # type: ignore[arg-type]
    ratio = 1 / scale if scene_kind == "room" else 1 / cloud.extent
    there = turned(boxes.moved((-cloud.offset + far) @ turn / scale), "z", "y")
    small = OrientedBoxes.of(there.labels, there.centers * scale * ratio, there.sizes * scale * ratio, there.yaws)
    found = as_it_came(small, own)
    expected = turned(boxes, "z", up)
    np.testing.assert_allclose(found.centers, expected.centers * scale + far, atol=0.1)
    np.testing.assert_allclose(found.sizes, expected.sizes * scale, rtol=1e-4)
    np.testing.assert_allclose(found.yaws, expected.yaws)


def test_boxes_of_a_cloud_in_its_own_frame_move_by_its_offset() -> None:
    points, boxes = scene()
    cloud = PointCloud.of(points, boxes=boxes)
    assert cloud.boxes is not None
    np.testing.assert_allclose(as_it_came(cloud.boxes, cloud).centers, boxes.centers, atol=1e-12)


@pytest.mark.parametrize("up", get_args(Axis))
def test_corners_are_those_of_the_box_wherever_up_is(up: str) -> None:
    _, boxes = scene()
    found = box_corners(turned(boxes, "z", up), up)
    np.testing.assert_allclose(found, box_corners(boxes) @ (upright(up).T @ upright("z")).T, atol=1e-12)
    flat = corners(torch.from_numpy(boxes.rows())).numpy()
    for box in range(2):
        mine = box_corners(boxes)[box]
        heights = boxes.centers[box, 2] + boxes.sizes[box, 2] * np.array([-0.5, 0.5])
        expected = [(*place, height) for place in flat[box] for height in heights]
        assert sorted(map(tuple, mine.round(9))) == sorted(map(tuple, np.round(expected, 9)))
        lengths = np.linalg.norm(mine[EDGES[:, 0]] - mine[EDGES[:, 1]], axis=1)
        np.testing.assert_allclose(np.sort(lengths), np.sort(np.repeat(boxes.sizes[box], 4)))
