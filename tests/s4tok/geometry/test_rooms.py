import numpy as np
import pytest

from s4tok.geometry.gravity import measured
from s4tok.geometry.rooms import METRES, Taken, likeness_to_a_room, taken_for
from s4tok.shapes import Array


def hall(length: float, width: float, height: float) -> Array:
    """A floor and two walls, z up."""
    flat = np.random.default_rng(0).random((3000, 3))
    flat[:1500, 2] = flat[1500:2250, 0] = flat[2250:, 1] = 0
    points: Array = flat * [length, width, height]
    return points


def test_a_floor_with_walls_looks_more_like_a_room_than_a_ball_does() -> None:
    ball = np.random.default_rng(1).standard_normal((3000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    assert likeness_to_a_room(measured(hall(5, 4, 2.5)), 2) > 1 > 0 > likeness_to_a_room(measured(ball), 2)


@pytest.mark.parametrize("unit", list(METRES))
def test_a_rooms_height_tells_its_unit(unit: str) -> None:
    length, height = 5.5 / METRES[unit], 2.6 / METRES[unit]  # type: ignore[index]
    assert taken_for(2.0, length, height) == ("room", unit)
    assert taken_for(-5.0, length, height) == ("object", None) or unit == "m"
    assert taken_for(-5.0, length, height, "room") == ("room", unit)
    assert taken_for(2.0, length, height, "object") == ("object", None)


def test_nothing_over_a_hundred_is_a_room_in_metres_unless_that_is_said() -> None:
    assert taken_for(5.0, 474.0, 300.0).unit != "m"
    assert taken_for(5.0, 120.0, 3.0, "room").unit != "m"
    assert taken_for(5.0, 120.0, 3.0, "room", {"m": 0.0}) == Taken("room", "m")


def test_nothing_short_is_a_room() -> None:
    assert taken_for(5.0, 2.4, 1.0) == ("object", None)
    assert taken_for(5.0, 240.0, 200.0, None, {"cm": 0.0}) == ("object", None)
