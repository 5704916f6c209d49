"""The picture of named clouds: truth, or their own colours, on the left, names on the right, and a legend."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from s4tok.clouds import PointCloud
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.rendering.palette import colors_of_names
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyRooms, ToyShapes
from s4tok.zero_shot.labelled import Labelled
from s4tok_pipelines.outputs import segment_sheets
from s4tok_pipelines.outputs.segment_sheets import SIDE, Sheet, _legend

NAMES = ("leg", "top", "drawer")


def named(truth: int | None, answer: int) -> Labelled:
    points = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    every = np.zeros(500, np.int64)
    return Labelled(
        PointCloud.of(points), every, NAMES, np.zeros((500, 3), np.float32), every + answer,
        None if truth is None else every + truth,
    )  # fmt: skip


def has(picture: Array, name: str) -> bool:
    """Tell whether a colour is there; drawing darkens colours and keeps their proportions."""
    color = colors_of_names(NAMES)[NAMES.index(name)].astype(float)
    lit = picture.reshape(-1, 3).astype(float)
    cosine = lit @ color / np.linalg.norm(color) / np.linalg.norm(lit, axis=1).clip(1)
    return bool(((cosine > 0.9995) & (lit.min(1) < 200)).sum() > 500)


def opened(sheet: Sheet) -> Array:
    return np.array(Image.open(BytesIO(sheet.png())))


def test_truth_is_drawn_beside_what_points_were_called() -> None:
    sheet = Sheet(ToyShapes("test"))
    sheet.add(named(truth=0, answer=1))
    picture, side = opened(sheet), SIDE["object"]
    left, right = picture[: side + 19, :side], picture[: side + 19, side : 2 * side]
    assert (has(left, "leg"), has(left, "top")) == (True, False)
    assert (has(right, "leg"), has(right, "top")) == (False, True)
    assert not has(picture, "drawer")


def test_without_truth_the_names_stand_alone_and_points_without_one_are_grey() -> None:
    sheet = Sheet(ToyShapes("test"))
    sheet.add(named(truth=None, answer=-1))
    picture = opened(sheet)
    assert picture.shape[1] < 2 * SIDE["object"]
    assert (picture.max(2) - picture.min(2)).max() == 0


def test_a_coloured_cloud_without_truth_stands_beside_its_names() -> None:
    done, sheet = named(truth=None, answer=1), Sheet(ToyShapes("test"))
    red = np.tile(np.array([1.0, 0.0, 0.0], np.float32), (500, 1))
    sheet.add(done._replace(cloud=PointCloud.of(done.cloud.xyz, color=red)))
    picture, side = opened(sheet), SIDE["object"]
    left, right = picture[: side + 19, :side].astype(int), picture[: side + 19, side : 2 * side]
    assert ((left[..., 0] > 100) & (left[..., 1:].max(2) == 0)).sum() > 500
    assert (has(left, "top"), has(right, "top")) == (False, True)


def test_there_are_so_many_clouds_and_no_more_and_rooms_are_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_sheets, "CLOUDS", 2)
    objects, rooms = Sheet(ToyShapes("test")), Sheet(ToyRooms("test"))
    for _ in range(3):
        objects.add(named(0, 1))
    rooms.add(named(0, 1))
    assert len(objects.cells) == 2
    assert opened(rooms).shape[1] > 2 * opened(objects).shape[1] / 2


def test_a_long_legend_is_broken_into_lines_that_fit() -> None:
    class Font:
        def getlength(self, text: str) -> float:
            return 7.0 * len(text)

    names = [(f"name {number}", (0, 0, 0)) for number in range(20)]
    lines = _legend(names, 300, Font())
    assert [entry[1] for line in lines for entry in line] == [name for name, _ in names]
    assert len(lines) > 1
    for line in lines:
        assert all(left + 25 + 7 * len(name) <= 300 for left, name, _ in line)


def test_boxes_are_drawn_around_what_was_found_and_true_ones_around_the_truth() -> None:
    rooms = ToyRooms("test")
    chair, table = (list(rooms.classes).index(name) for name in ("chair", "table"))
    points = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    true = OrientedBoxes.of([list(rooms.box_classes).index("chair")], [[0, 0, 0]], [[2, 2, 2]])
    every = np.zeros(500, np.int64)
    done = Labelled(
        PointCloud.of(points, boxes=true), every, rooms.classes, np.zeros((500, 13), np.float32), every + table,
        every + chair,
    )  # fmt: skip
    plain, drawn = Sheet(rooms), Sheet(rooms)
    plain.add(done)
    drawn.add(done._replace(boxes=OrientedBoxes.of([table], [[0, 0, 0]], [[2, 2, 2]], scores=[1.0])))
    side, before, after = SIDE["room"], opened(plain), opened(drawn)
    for half in (slice(0, side), slice(side, 2 * side)):
        assert (before[:, half] != after[:, half]).any(axis=2).sum() > 1000
