import numpy as np
import pytest

from s4tok.geometry import neighbor_graph, second_moments
from s4tok.geometry.surroundings import graph_of, moments_of
from s4tok.geometry.tree import Finder


@pytest.mark.parametrize("n", [2, 9, 700])
def test_the_graph_is_that_of_a_search_of_its_own(n: int) -> None:
    points = np.random.default_rng(n).normal(size=(n, 3))
    found, expected = graph_of(points, Finder(points).nearest(points, 31), 6), neighbor_graph(points, 6)
    np.testing.assert_array_equal(found.low, expected.low)
    np.testing.assert_array_equal(found.high, expected.high)
    np.testing.assert_allclose(found.weight, expected.weight, rtol=1e-12)


def test_moments_about_the_query_and_about_the_mean() -> None:
    rng = np.random.default_rng(0)
    points, queries = rng.normal(size=(300, 3)), rng.normal(size=(50, 3))
    about_query, about_mean = moments_of(points, queries, Finder(points).nearest(queries, 20), 12)
    np.testing.assert_allclose(about_query, second_moments(points, queries, 12), rtol=1e-9)
    for query, moments in zip(queries, about_mean, strict=True):
        near = points[np.argsort(((points - query) ** 2).sum(axis=1))[:12]]
        np.testing.assert_allclose(moments, np.cov(near.T, bias=True), atol=1e-12)
