import numpy as np
import pytest

from s4tok.errors import InputError
from s4tok.shapes import Array
from s4tok.superpoints.samples import column, merged_targets, sample, to_y_up


def sheet(n: int = 3000) -> tuple[Array, Array]:
    """A floor in ten by ten plates and a wall in ten by ten, z up."""
    rng = np.random.default_rng(0)
    flat = rng.uniform(size=(n, 2))
    floor = np.stack([flat[:, 0], flat[:, 1], 0 * flat[:, 0]], axis=1)
    wall = np.stack([flat[:, 0], 0 * flat[:, 0], flat[:, 1]], axis=1)
    plate = (flat * 10).astype(int) @ [10, 1]
    return np.concatenate([floor, wall]).astype(np.float32), np.concatenate([plate, 100 + plate])


def test_the_same_seed_gives_the_same_sample_and_another_another() -> None:
    xyz, labels = sheet()
    once, again, other = (sample(xyz, labels, 500, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(vars(once)[name], vars(again)[name]) for name in vars(once))
    assert not np.array_equal(once.index, other.index)
    assert len(np.unique(once.index)) == 500


def test_a_sample_does_not_care_where_the_cloud_lies() -> None:
    xyz, labels = sheet()
    moved = sample(xyz.astype(np.float64) + [500000, 4e6, 100], labels, 500, 3, up="z")
    here = sample(xyz, labels, 500, 3, up="z")
    np.testing.assert_allclose(moved.points, here.points, atol=1e-6)
    assert np.array_equal(moved.superpoints, here.superpoints)


def test_up_becomes_y_and_the_centre_is_that_of_the_whole_cloud() -> None:
    xyz, labels = sheet()
    whole = to_y_up(xyz, "z")
    np.testing.assert_allclose(whole[:, 1], xyz[:, 2] - (xyz[:, 2].max() + xyz[:, 2].min()) / 2, atol=1e-6)
    np.testing.assert_allclose(whole.max(axis=0), -whole.min(axis=0), atol=1e-6)
    taken = sample(xyz, labels, 500, 0, up="z")
    assert np.array_equal(taken.points, whole[taken.index])


def test_remnants_join_the_surface_they_lie_in() -> None:
    xyz, labels = sheet()
    taken = sample(xyz, labels, 400, 0, up="z")  # two points a plate: all are remnants
    assert np.array_equal(taken.original, labels[taken.index])
    sizes = np.bincount(taken.superpoints)
    assert sizes.min() >= 5
    assert len(sizes) > 20
    near_the_edge = (xyz[taken.index][:, 1:] < 0.1).all(axis=1)  # where floor and wall meet, normals are of both
    sides = [
        set((taken.original[(taken.superpoints == one) & ~near_the_edge] >= 100).tolist()) for one in range(len(sizes))
    ]
    assert all(len(side) <= 1 for side in sides)


def test_superpoints_large_enough_stay_as_they_were() -> None:
    xyz, labels = sheet()
    taken = sample(xyz, labels // 100, 400, 0)
    assert np.array_equal(taken.superpoints == taken.superpoints[0], taken.original == taken.original[0])


def test_a_small_cloud_is_taken_whole() -> None:
    xyz, labels = sheet(20)
    taken = sample(xyz, labels * 0 + 7, 500, 0)
    assert np.array_equal(taken.index, np.arange(40))
    assert (taken.superpoints == 0).all()
    assert sample(xyz[:1], labels[:1], 500, 0).points.tolist() == [[0, 0, 0]]


def test_a_column_is_as_wide_as_asked_and_as_high_as_the_room() -> None:
    xyz = np.random.default_rng(0).uniform(size=(4000, 3)).astype(np.float32) * [8, 6, 3]
    inside = column(xyz, 2.0, 5, up="z")
    assert (np.ptp(xyz[inside], axis=0) <= [2, 2, 3]).all()
    assert np.ptp(xyz[inside][:, 2]) > 2.9
    assert np.array_equal(inside, column(xyz, 2.0, 5, up="z"))
    assert not np.array_equal(inside, column(xyz, 2.0, 6, up="z"))
    assert column(xyz, 100.0, 5, up="z").all()


def test_superpoints_of_another_cloud_are_refused() -> None:
    xyz, labels = sheet()
    with pytest.raises(InputError, match="6000 points, and its superpoints are of 5999"):
        sample(xyz, labels[1:], 10, 0)


def test_targets_of_a_merged_superpoint_by_hand() -> None:
    features = np.array([[1.0, 0], [0, 1], [0, 1], [0, 0]])
    pairs = np.array([1.0, 3.0, 0.5, 0.0], np.float32)  # nobody sees the last
    superpoints, original = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 2, 2, 3])
    found = merged_targets(superpoints, original, features, pairs)
    np.testing.assert_allclose(found, np.array([[0.5547, 0.83205], [0, 1], [0, 0]]), atol=1e-5)
