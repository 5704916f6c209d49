import numpy as np
import pytest

from s4tok.synthetic.home import plain
from s4tok.synthetic.objects import Object
from s4tok.synthetic.solids import box
from s4tok.synthetic.supports import crossings, levels

WOOD = (0.5, 0.4, 0.3)


def rack(front: bool = False) -> Object:
    """Make two boards, 0.5 and 1 m high, with a door before them or without."""
    boards = [box((1.0, 0.02, 0.4), (0, level - 0.01, 0)) for level in (0.5, 1.0)]
    door = [box((1.0, 1.0, 0.02), (0, 0.5, 0.21))] if front else []
    return plain([*boards, *door], [WOOD] * (2 + len(door)))


def test_boards_are_flat_places_with_the_room_between_them() -> None:
    found = levels(rack(), 0.1, 0.0, 0.1, 0.1)
    assert [each.height for each in found] == pytest.approx([0.5, 1.0])
    assert [each.room for each in found] == pytest.approx([0.48, np.inf])


def test_what_is_behind_a_door_is_no_place() -> None:
    assert [each.height for each in levels(rack(front=True), 0.1, 0.0, 0.1, 0.1)] == pytest.approx([1.0])


def test_a_thing_that_would_stick_out_has_no_place() -> None:
    assert levels(rack(), 0.45, 0.0, 0.1, 0.1) == []
    assert levels(rack(), 3.0, 0.0, 0.1, 0.1) == []


def test_a_slope_is_no_place() -> None:
    board = box((1.0, 0.02, 0.4), (0, 0, 0)).turned("z", 0.3).moved(y=0.7)
    assert levels(plain([board], [WOOD]), 0.0, 0.0, 0.1, 0.1) == []


def test_a_line_crosses_a_box_at_its_bottom_and_its_top() -> None:
    solid = box((1, 2, 1), (0, 1, 0))
    assert np.unique(crossings(solid.vertices[solid.faces], 0.2, 0.1)) == pytest.approx([0, 2])
    assert len(crossings(solid.vertices[solid.faces], 0.7, 0.1)) == 0
