from typing import Literal

import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.datasets.object_rooms import (
    GAP,
    HEIGHT,
    NOISE,
    POINTS,
    RADIUS,
    SIDES,
    Footprint,
    ObjectRooms,
    free_place,
    furnished,
)
from s4tok.errors import UsageError
from s4tok.shapes import Array, Float64
from s4tok.synthetic.datasets import ToyScans, ToyShapes


class Pillars(CloudDataset):
    """Twenty-one square pillars, +x up, one wide and three tall, at places of their own."""

    name = "pillars"
    split = "train"
    scene: Scene = "object"
    up: Literal["x", "y", "z"] = "x"
    keys = tuple(f"pillar-{number:02d}" for number in range(21))
    version = ""

    def __getitem__(self, key: str) -> PointCloud:
        return PointCloud.of(pillar() @ np.array([[0, 0, 1], [1, 0, 0], [0, 1.0, 0]]) + 100, name=key)

    def origin(self, key: str) -> Origin:
        return Origin(key, 2_000, identity=key + self.version)


def pillar() -> Float64[Array, "n 3"]:
    """Give points in a pillar with +y up, its eight corners among them."""
    corners = np.array([[x, y, z] for x in (0.0, 1) for y in (0.0, 1) for z in (0.0, 1)])
    inside = np.random.default_rng(0).uniform(size=(2_000, 3))
    tall: Array = np.concatenate([corners, inside]) * [1, 3, 1]
    return tall


def test_a_room_depends_on_its_key_and_its_objects_alone() -> None:
    rooms = ObjectRooms(Pillars())
    assert (rooms.name, rooms.split, rooms.scene, rooms.up) == ("pillars-rooms", "train", "room", "y")
    assert rooms.keys == ("room-000000", "room-000001")
    first, second = (rooms[key].original_xyz() for key in rooms.keys)
    np.testing.assert_array_equal(ObjectRooms(Pillars())["room-000000"].original_xyz(), first)
    assert len(first) != len(second) or (first != second).any()
    other = Pillars()
    other.split = "val"
    assert ObjectRooms(other)["room-000000"].original_xyz().shape != first.shape
    assert 0.8 * POINTS < len(first) <= 1.01 * POINTS


def test_a_room_has_the_size_of_one_in_metres_and_a_floor() -> None:
    xyz = ObjectRooms(Pillars())["room-000001"].original_xyz()
    low, high = xyz.min(axis=0), xyz.max(axis=0)
    assert (np.abs(low) < 8 * NOISE).all()
    assert SIDES[0] - 0.1 < high[0] < SIDES[1] + 0.1
    assert SIDES[0] - 0.1 < high[2] < SIDES[1] + 0.1
    assert high[1] < HEIGHT[1] + 0.1
    floor = xyz[np.abs(xyz[:, 1]) < 5 * NOISE][:, [0, 2]]
    cells = np.unique((floor / 0.5).astype(int), axis=0)
    assert len(cells) >= (high[0] // 0.5) * (high[2] // 0.5)  # no hole of half a metre in it


def test_objects_stand_upright_on_the_floor_between_the_walls_and_none_inside_another() -> None:
    xyz = furnished([pillar(), pillar(), pillar()], POINTS, np.random.default_rng(3))
    size = np.array([xyz[:, 0].max(), xyz[:, 2].max()])
    inner = (xyz[:, [0, 2]] > GAP / 2).all(axis=1) & (xyz[:, [0, 2]] < size - GAP / 2).all(axis=1)
    things = xyz[inner & (xyz[:, 1] > 0.1) & (xyz[:, 1] < 2 * RADIUS[1])]
    cells = {tuple(cell) for cell in (things[:, [0, 2]] / (GAP / 2)).astype(int)}
    groups = list[Float64[Array, "c 2"]]()
    while cells:
        edge = [cells.pop()]
        group = list(edge)
        while edge:
            x, z = edge.pop()
            near = {(x + i, z + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & cells
            cells -= near
            edge += near
            group += near
        groups.append(np.array(group) * GAP / 2)
    assert len(groups) == 3
    for corners in groups:
        belongs = (np.abs(things[:, None, [0, 2]] - corners).max(axis=2) < GAP).any(axis=1)
        tall = things[belongs, 1].max()
        # a pillar of 1 x 3 x 1 in a sphere of radius r is 6 r / sqrt(11) tall
        assert 6 * RADIUS[0] / np.sqrt(11) - 0.05 < tall < 6 * RADIUS[1] / np.sqrt(11) + 0.05


def test_footprints_are_clear_of_each_other_where_a_gap_lies_between_them_on_either_axis() -> None:
    half = np.array([0.5, 1.0])
    first = Footprint(np.zeros(2), half)
    for away, clear in (([1.0 + 2 * GAP, 0], True), ([1.0, 0], False), ([0, 2.0 + 2 * GAP], True), ([0.9, 1.9], False)):
        assert first.is_clear_of(Footprint(np.array(away), half)) is clear


def test_what_finds_no_place_is_left_out() -> None:
    def far_from(taken: list[Footprint], *size: float) -> Footprint | None:
        return free_place(np.array(size, float), np.array([5.0, 2.5, 4.0]), taken, np.random.default_rng(0))

    assert far_from([], 1, 1, 1) is not None
    assert far_from([], 1, 1, 4) is None  # too deep
    assert far_from([], 1, 3, 1) is None  # too tall
    assert far_from([Footprint(np.array([2.5, 2.0]), np.array([1.8, 1.3]))], 1, 1, 1) is None  # it would stand inside
    assert np.isfinite(furnished([np.zeros((2, 3))], 900, np.random.default_rng(1))).all()


def test_the_objects_of_a_room_are_part_of_where_it_comes_from() -> None:
    changed = Pillars()
    changed.version = ", mended"
    before, after = ObjectRooms(Pillars()), ObjectRooms(changed)
    assert before.origin("room-000000") == ObjectRooms(Pillars()).origin("room-000000")
    assert before.origin("room-000000") != after.origin("room-000000")
    assert before.origin("room-000000").path != before.origin("room-000001").path


def test_rooms_are_put_together_of_objects_alone() -> None:
    assert len(ObjectRooms(ToyShapes(sizes=(41, 0, 0)))) == 3
    with pytest.raises(UsageError, match="toy-scans is of rooms, and --clouds rooms puts objects together"):
        ObjectRooms(ToyScans(sizes=(1, 0, 0)))
