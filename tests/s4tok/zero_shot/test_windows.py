import numpy as np
import pytest

from s4tok.errors import UsageError
from s4tok.shapes import Array
from s4tok.zero_shot.windows import windows


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
