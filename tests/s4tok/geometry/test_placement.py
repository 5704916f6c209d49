from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from s4tok.clouds import Placement, PointCloud
from s4tok.config import Axis, Unit
from s4tok.errors import UsageError
from s4tok.geometry.axes import upright
from s4tok.geometry.placement import AXES, Guess, Said, factor, guessed, placed
from s4tok.geometry.rooms import METRES
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyScans, ToyShapes

UTM = np.array([453_000.25, 5_411_000.5, 220.125])
CHAIR, MUG = (ToyShapes("val").keys[number] for number in (6, 12))


def saved(xyz: Array, axis: Axis, unit: Unit = "m", at: Array | float = 0.0) -> PointCloud:
    """A cloud whose y is up as a file that has another axis up, another unit and another origin."""
    return PointCloud.of(xyz.astype(np.float64) @ upright(axis) / METRES[unit] + at)


def test_a_cloud_in_another_unit_place_and_orientation_is_the_same_cloud_in_the_frame() -> None:
    xyz = ToyShapes("val")[CHAIR].xyz
    wanted = placed(saved(xyz, "y"), Placement("y", None, "object"))
    assert wanted.extent == pytest.approx(1, abs=2.0**-12)
    for axis, unit, at in product(AXES, METRES, (0.0, UTM)):
        found = placed(saved(xyz, axis, unit, at), Placement(axis, None, "object"))
        assert (found.xyz == wanted.xyz).all(axis=1).mean() > 0.9999
        assert np.abs(found.original_xyz() - saved(xyz, axis, unit, at).original_xyz()).max() == 0


def test_a_file_in_single_precision_moves_hardly_a_point_and_that_by_one_step() -> None:
    xyz = ToyShapes("val")[CHAIR].xyz
    wanted = placed(saved(xyz, "y"), Placement("y", None, "object"))
    for axis, unit in product(AXES, METRES):
        rounded = (xyz.astype(np.float64) @ upright(axis) / METRES[unit]).astype(np.float32)
        off = np.abs(placed(PointCloud.of(rounded), Placement(axis, None, "object")).xyz - wanted.xyz)
        assert off.max() <= 2.0**-12
        assert (off == 0).mean() > 0.9995


def test_coordinates_on_a_grid_do_not_lie_where_rounding_falls_to_either_side() -> None:
    for grid in (2.0**-12, 2.0**-13, 2.0**-18, 1e-3, 2.5e-4, 1e-4, 1e-5):
        xyz = np.random.default_rng(0).integers(0, round(0.5 / grid), (5000, 3)) * grid
        xyz[:2] = [[0, 0, 0], [1, 1, 1]]
        wanted = placed(saved(xyz, "y"), Placement("y", None, "object")).xyz
        assert (placed(saved(xyz, "y", "inch", UTM), Placement("y", None, "object")).xyz == wanted).mean() > 0.9999


def test_a_room_comes_into_metres_and_normals_turn_with_the_points() -> None:
    across = np.random.default_rng(0).uniform(0, 400, (500, 3))
    normals = np.tile([1.0, 0, 0], (500, 1))
    cloud = PointCloud.of(across, normals=normals)
    room = placed(cloud, Placement("x", "cm", "room"))
    np.testing.assert_allclose(np.ptp(room.xyz, axis=0), np.ptp(across, axis=0)[[2, 0, 1]] / 100, atol=2.0**-10)
    np.testing.assert_allclose(np.asarray(room.normals), np.tile([0.0, 1, 0], (500, 1)), atol=1e-6)
    assert room.take(np.arange(3)).original_xyz() == pytest.approx(across[:3], abs=1e-4)


def test_no_room_is_so_large_that_its_points_move_by_millimetres() -> None:
    hall = np.random.default_rng(0).uniform(0, [60, 3, 40], (4000, 3))
    moved = placed(PointCloud.of(hall), Placement("y", "m", "room")).xyz - (hall - PointCloud.of(hall).offset)
    assert np.abs(moved).max() <= 0.002


@pytest.mark.parametrize(
    ("unit", "axis"),
    [
        pytest.param(unit, axis, marks=() if axis == AXES[row % len(AXES)] else pytest.mark.slow)
        for row, unit in enumerate(METRES)
        for axis in AXES
    ],
)
def test_a_chair_and_a_room_are_known_for_what_they_are_in_any_unit_and_orientation(axis: Axis, unit: Unit) -> None:
    shapes = ToyShapes("val")
    chair = guessed(saved(shapes[CHAIR].xyz, axis, unit, UTM)).placement
    assert chair == Placement(axis, None, "object")
    room = guessed(saved(_room(), axis, unit, UTM)).placement
    assert room == Placement(axis, unit, "room")


def test_what_is_said_is_not_guessed() -> None:
    mug = saved(ToyShapes("val")[MUG].xyz, "z")
    assert guessed(mug, Said(up="x", scene="object")).placement == Placement("x", None, "object")
    assert guessed(mug, Said(up="x", unit="inch", scene="room")).placement == Placement("x", "inch", "room")
    assert guessed(mug, Said(up="y")).doubtful() == ["y"]
    long = PointCloud.of(_room() * 1000)
    assert guessed(long, Said(scale=0.001)).placement.unit == "m"  # as numbers are once they are scaled
    assert guessed(long, Said(scale=0.001)).placement.scene == "room"


def test_numbers_times_a_scale_are_of_the_unit_and_objects_have_one_size_in_any() -> None:
    feet, said = PointCloud.of(_room() / 0.3048 + UTM), Said(scale=0.3048, scene="room")
    where = guessed(feet, said).placement
    in_metres = placed(PointCloud.of(_room() + UTM), replace(where, scale=1.0))
    np.testing.assert_array_equal(placed(feet, where).xyz, in_metres.xyz)
    assert (where.unit, str(where)) == ("m", f"a room in m times 0.3048, {where.up} up")
    twice = guessed(PointCloud.of(_room() * 50), Said(unit="cm", scale=2.0, scene="room")).placement
    assert factor(feet, twice) == pytest.approx(0.02)
    chair = ToyShapes("val")[CHAIR]
    assert guessed(chair, Said(up="y", scale=0.3048)).placement == guessed(chair, Said(up="y")).placement
    for scale, shown in ((0.0, "0"), (float("nan"), "nan"), (float("inf"), "inf")):
        with pytest.raises(UsageError, match=f"--scale must be positive and finite, and is {shown}"):
            Said(scale=scale)


def test_words_are_checked_and_auto_says_nothing() -> None:
    assert Said.of("auto", None, None) == Said.of(None, "auto", None) == Said()
    assert Said.of("x", "mm", "room") == Said("x", "mm", "room")
    with pytest.raises(UsageError, match="no unit is called 'mile'; there are: m, cm, mm, inch"):
        Said.of(None, "mile", None)


def test_a_chair_on_its_head_is_told_and_not_turned() -> None:
    xyz = ToyShapes("val")[CHAIR].xyz
    for axis in AXES:
        assert guessed(saved(xyz, axis)).downward is None
        assert guessed(saved(xyz * [1, -1, -1], axis)).downward == axis
    assert guessed(saved(xyz * [1, -1, -1], "y"), Said(up="y")).downward == "y"


def test_an_axis_is_in_doubt_where_another_is_likely_too() -> None:
    odds: dict[Axis, float] = {"x": -9.0, "y": 0.0, "z": 0.5}
    assert Guess(Placement("z", None, "object"), odds).doubtful() == ["z", "y"]
    assert Guess(Placement("z", None, "object"), {**odds, "z": 6.0}).doubtful() == ["z"]


def _room() -> Array:
    scans = ToyScans("val")
    xyz: Array = scans[scans.keys[0]].xyz @ upright("z").T
    return xyz
