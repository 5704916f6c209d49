import numpy as np
import pytest

from s4tok.geometry import nearest
from s4tok.geometry.tree import Finder
from s4tok.shapes import Array


def twin(points: Array, queries: Array, k: int) -> Array:
    """Compare every query with every point; of equally near ones the lower index comes first."""
    x, y, z = (queries[:, None] - points).transpose(2, 0, 1)
    ranks: Array = np.argsort(x * x + y * y + z * z, axis=1, kind="stable")
    return ranks[:, :k]


@pytest.mark.parametrize("n", [1, 2, 12, 13, 400])
@pytest.mark.parametrize("k", [1, 7, 31])
def test_the_nearest_are_those_that_comparing_all_pairs_gives(n: int, k: int) -> None:
    rng = np.random.default_rng(n)
    points, queries = rng.normal(size=(n, 3)), 2 * rng.normal(size=(60, 3))
    np.testing.assert_array_equal(Finder(points).nearest(points, k), twin(points, points, k))
    np.testing.assert_array_equal(Finder(points).nearest(queries, k), twin(points, queries, k))


def test_a_large_cloud_has_the_neighbours_that_scipy_finds() -> None:
    rng = np.random.default_rng(0)
    wall = rng.uniform(size=(20_000, 3)) * [3, 2, 0.001]
    np.testing.assert_array_equal(Finder(wall).nearest(wall, 20), nearest(wall, wall, 20).indices)


def test_equally_near_points_come_in_order_of_index_and_coinciding_ones_too() -> None:
    lattice = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), axis=-1).reshape(-1, 3)
    np.testing.assert_array_equal(Finder(lattice).nearest(lattice, 7), twin(lattice, lattice, 7))
    same = np.zeros((40, 3))
    np.testing.assert_array_equal(Finder(same).nearest(same, 5), np.tile(np.arange(5), (40, 1)))
