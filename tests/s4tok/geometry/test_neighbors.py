import numpy as np
import pytest

from s4tok.geometry import nearest, neighbor_graph
from s4tok.shapes import Array


def cloud_of(n: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(n, 3))


@pytest.mark.parametrize("k", [1, 7, 40])
def test_the_tree_finds_what_measuring_every_distance_finds(k: int) -> None:
    points, queries = cloud_of(300), cloud_of(50, seed=1)
    every = np.linalg.norm(queries[:, None] - points[None], axis=2)
    found = nearest(points, queries, k)
    np.testing.assert_array_equal(found.indices, np.argsort(every, axis=1)[:, :k])
    np.testing.assert_allclose(found.distances, np.sort(every, axis=1)[:, :k], rtol=1e-12)


def test_threads_and_chunks_do_not_change_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloud_of(500)
    whole = nearest(points, points, 9)
    monkeypatch.setattr("s4tok.geometry.neighbors.CHUNK", 7)
    parts = nearest(points, points, 9, threads=2)
    np.testing.assert_array_equal(whole.indices, parts.indices)
    np.testing.assert_array_equal(whole.distances, parts.distances)


def test_where_there_are_fewer_points_than_neighbours_all_of_them_come() -> None:
    assert nearest(cloud_of(3), cloud_of(2, seed=1), 30).indices.shape == (2, 3)


def test_the_graph_of_four_points_on_a_line_by_hand() -> None:
    line = np.array([[0.0, 0, 0], [1, 0, 0], [3, 0, 0], [3.5, 0, 0]])
    graph = neighbor_graph(line, 1)  # 0-1, 1-0, 2-3, 3-2
    assert list(zip(graph.low, graph.high, strict=True)) == [(0, 1), (2, 3)]
    np.testing.assert_allclose(graph.weight, [1 / (1 + 1 / 0.75), 1 / (1 + 0.5 / 0.75)])


def test_each_edge_is_there_once_and_a_point_reaches_all_its_neighbours() -> None:
    points = cloud_of(400)
    graph = neighbor_graph(points, 5)
    edges = list(zip(graph.low.tolist(), graph.high.tolist(), strict=True))
    assert len(edges) == len(set(edges))
    assert (graph.low < graph.high).all()
    wanted = {(min(i, j), max(i, j)) for i, row in enumerate(nearest(points, points, 6).indices) for j in row[1:]}
    assert set(edges) == wanted


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_graph_knows_no_unit(unit: float) -> None:
    points = cloud_of(200)
    one, other = neighbor_graph(points, 6), neighbor_graph(points * unit, 6)
    np.testing.assert_array_equal(one.high, other.high)
    np.testing.assert_allclose(one.weight, other.weight, rtol=1e-9)
