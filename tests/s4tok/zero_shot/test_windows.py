from typing import NamedTuple

import numpy as np
import pytest

from s4tok.errors import UsageError
from s4tok.shapes import Array
from s4tok.zero_shot.windows import proposals, windows


def cloud(seed: int = 0, n_points: int = 2000, size: tuple[float, float, float] = (9.0, 6.5, 2.5)) -> Array:
    return np.random.default_rng(seed).uniform(0, size, (n_points, 3))


@pytest.mark.parametrize("up", ["x", "y", "z"])
def test_every_point_is_in_a_window_and_windows_cut_nothing_along_the_vertical(up: str) -> None:
    xyz = cloud()
    said = np.zeros(len(xyz))
    for window in windows(xyz, up, 3.0, 0.5):
        said[window.which] += window.weight
        assert (window.weight > 0).all()
        flat = np.delete(xyz[window.which], "xyz".index(up), axis=1)
        assert (np.ptp(flat, axis=0) <= 3.0 + 1e-9).all()
        mask = np.ones(len(xyz), bool)
        others = np.delete(xyz, "xyz".index(up), axis=1)
        for axis in (0, 1):
            mask &= (others[:, axis] > flat[:, axis].min()) & (others[:, axis] < flat[:, axis].max())
        assert np.isin(np.flatnonzero(mask), window.which).all()
    assert (said > 0).all()


def test_moving_a_cloud_moves_its_windows_along() -> None:
    xyz = cloud()
    here, there = (list(windows(xyz + move, "z", 3.0, 1.0)) for move in (0.0, np.array([40.0, -7.0, 3.0])))
    assert len(here) == len(there)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.which, other.which)
        np.testing.assert_allclose(one.weight, other.weight, atol=1e-9)


def test_a_corridor_of_ten_metres_is_looked_at_in_three_pieces_that_fade_into_each_other() -> None:
    xyz = np.stack([np.linspace(0, 10, 101), np.zeros(101), np.zeros(101)], axis=1)
    found = list(windows(xyz, "z", 4.0, 1.0))
    assert [(xyz[each.which[0], 0], xyz[each.which[-1], 0]) for each in found] == [(0, 4), (3, 7), (6, 10)]
    first, second, _ = (np.zeros(101) for _ in found)
    first[found[0].which], second[found[1].which] = found[0].weight, found[1].weight
    np.testing.assert_allclose(first[[0, 29, 30, 35, 38]], [1, 1, 1, 0.5, 0.2])
    np.testing.assert_allclose(second[[32, 35, 40, 50]], [0.2, 0.5, 1, 1])


def test_a_cloud_as_large_as_its_window_and_a_window_of_0_are_taken_whole() -> None:
    xyz = cloud(size=(3.0, 2.0, 30.0))
    for size in (0.0, 3.0, 8.0):
        (window,) = windows(xyz, "z", size, 0.5)
        np.testing.assert_array_equal(window.which, np.arange(len(xyz)))
        assert (window.weight == 1).all()


def test_a_lonely_window_takes_its_neighbours_in_and_does_not_speak_for_them() -> None:
    xyz = np.concatenate([cloud(size=(3.0, 3.0, 1.0), n_points=500), [[20.0, 0.0, 0.0], [20.0, 0.1, 0.0]]])
    *_, last = windows(xyz, "z", 4.0, 1.0, smallest=50)
    assert len(last.which) == 50
    assert last.which[last.weight > 0].tolist() == [500, 501]
    (alone,) = windows(xyz[500:], "z", 4.0, 1.0, smallest=50)
    assert len(alone.which) == 2


def test_a_cloud_in_millimetres_is_noticed_and_so_is_an_overlap_without_end() -> None:
    with pytest.raises(UsageError, match="windows of 4") as caught:
        next(windows(1000 * cloud(), "z", 4.0, 1.0))
    assert "--scale 0.001" in caught.value.hint
    with pytest.raises(UsageError, match="cannot overlap"):
        next(windows(cloud(), "z", 1.0, 1.0))


class Room(NamedTuple):
    """A room of boxes by hand: points, a superpoint each, and the names of superpoints."""

    xyz: Array
    superpoints: Array
    names: list[str]

    def of(self, *names: str) -> list[int]:
        found: list[int] = np.flatnonzero(
            np.isin(self.superpoints, [self.names.index(name) for name in names])
        ).tolist()
        return found


def furnished() -> Room:
    """A floor and a wall; a table whose top is 0.96 square metres; two boxes 5 cm apart, and one a metre away."""
    boxes = {
        "floor": ((0, 0, 0), (4, 3, 0)), "wall": ((0, 0, 0.04), (0, 3, 2.5)),
        "top": ((1, 1, 0.7), (2.2, 1.8, 0.7)), "leg": ((1.02, 1.02, 0.04), (1.06, 1.06, 0.68)),
        "left": ((3, 0.5, 0.04), (3.4, 0.9, 0.5)), "right": ((3.45, 0.5, 0.04), (3.85, 0.9, 0.5)),
        "far": ((3, 2.2, 0.04), (3.4, 2.6, 0.5)),
    }  # fmt: skip
    parts = [np.random.default_rng(n).uniform(low, high, (6000, 3)) for n, (low, high) in enumerate(boxes.values())]
    parts[3] = parts[3][:40]
    return Room(np.concatenate(parts), np.repeat(np.arange(7), [len(part) for part in parts]), list(boxes))


def test_large_flat_superpoints_are_windows_of_their_own_and_the_rest_is_parted_by_gaps() -> None:
    room = furnished()
    found = [each.which.tolist() for each in proposals(room.xyz, room.superpoints, 0.12, 0.5, 100)]
    assert found == [room.of(*names) for names in (["floor"], ["wall"], ["top", "leg"], ["left", "right"], ["far"])]
    closer = [each.which.tolist() for each in proposals(room.xyz, room.superpoints, 0.045, 0.5, 100)]
    assert closer[-3:] == [room.of("left"), room.of("right"), room.of("far")]
    smaller = [each.which.tolist() for each in proposals(room.xyz, room.superpoints, 0.12, 1.0, 20)]
    assert smaller[2] == room.of("top", "leg")  # no longer a large one, and its leg is within the gap
    lone_leg = [each.which.tolist() for each in proposals(room.xyz, room.superpoints, 0.12, 0.92, 20)]
    assert [room.of("top"), room.of("leg")] == lone_leg[2:4]


@pytest.mark.parametrize("seed", range(4))
def test_every_point_is_in_exactly_one_proposal_wherever_the_cloud_lies(seed: int) -> None:
    draw = np.random.default_rng(seed)
    xyz = draw.uniform(0, (6, 5, 2), (3000, 3))
    xyz[:1000, 2] = 0
    superpoints = draw.integers(0, 40, 3000)
    superpoints[:1000] = 77
    found = list(proposals(xyz, superpoints, 0.2, 2.0, 30))
    np.testing.assert_array_equal(np.sort(np.concatenate([each.which for each in found])), np.arange(3000))
    assert all((each.weight == 1).all() and len(each.which) >= 30 for each in found)
    assert all((np.diff(each.which) > 0).all() for each in found)
    assert [each.which[0] for each in found] == sorted(each.which[0] for each in found)
    again = list(proposals(xyz, superpoints + 5, 0.2, 2.0, 30))
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one.which, other.which)


def test_points_nearer_than_the_gap_are_never_parted_and_farther_ones_never_joined() -> None:
    """On a line, where cells of a quarter of the gap hold little more than a point each."""
    places = np.array([0, 1, 2, 3.5, 4.5, 9, 10, 11])
    xyz = np.stack([places, np.zeros(8), np.zeros(8)], axis=1)
    for gap, sizes in ((1.1, [3, 2, 3]), (1.6, [5, 3]), (5.6, [8])):
        found = list(proposals(xyz, np.zeros(8, np.int64), gap, 1.0, 1))
        assert [len(each.which) for each in found] == sizes


def test_what_is_too_small_joins_the_nearest_and_a_cloud_of_scraps_stays_whole() -> None:
    room = furnished()
    lonely = np.array([[3.6, 2.4, 0.4], [3.61, 2.4, 0.4]])
    xyz, superpoints = np.concatenate([room.xyz, lonely]), np.append(room.superpoints, [9, 9])
    *_, last = proposals(xyz, superpoints, 0.12, 0.5, 50)
    assert last.which.tolist() == [*room.of("far"), len(xyz) - 2, len(xyz) - 1]
    [whole] = proposals(room.xyz, room.superpoints, 0.12, 0.5, 10**6)
    assert len(whole.which) == len(room.xyz)
    [one] = proposals(np.zeros((1, 3)), np.zeros(1, np.int64), 0.12, 0.5)
    assert one.which.tolist() == [0]


def test_a_floor_alone_is_one_window_and_a_bent_sheet_is_not_flat() -> None:
    room = furnished()
    floor = room.of("floor")
    [window] = proposals(room.xyz[floor], room.superpoints[floor], 0.12, 0.5, 10)
    assert len(window.which) == 6000
    corner = room.of("floor", "wall")  # floor and wall in one superpoint join what is near them
    xyz = np.concatenate([room.xyz[corner], room.xyz[room.of("far")]])
    found = list(proposals(xyz, np.repeat([0, 1], [12000, 6000]), 0.12, 0.5, 10))
    assert len(found) == 1


def test_a_gap_below_the_distance_of_points_is_noticed() -> None:
    room = furnished()
    with pytest.raises(UsageError, match=r"points lie .* from each other, .* within 0.12") as caught:
        next(proposals(1000 * room.xyz, room.superpoints, 0.12, 0.5))
    assert "--scale 0.001" in caught.value.hint
