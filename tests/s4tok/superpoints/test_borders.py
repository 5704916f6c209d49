from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.geometry import Graph
from s4tok.shapes import Array
from s4tok.superpoints import greedy
from s4tok.superpoints.borders import edges_of, parts, straighten
from s4tok.superpoints.labels import connected, dense


def energy(labels: Array, features: Array, graph: Graph, price: float) -> float:
    """Add the energy up piece by piece."""
    pieces = (features[labels == each] for each in np.unique(labels))
    squares = sum(float(((piece - piece.mean(axis=0)) ** 2).sum()) for piece in pieces)
    return squares + price * float(graph.weight[labels[graph.low] != labels[graph.high]].sum())


def test_a_ragged_border_is_straightened_and_a_point_among_others_joins_them() -> None:
    columns = np.tile(np.arange(8), (6, 1))
    beside = [(i, i + 1) for i in range(48) if i % 8 < 7] + [(i, i + 8) for i in range(40)]
    low, high = np.array(sorted(beside)).T
    right = (columns >= 4).astype(np.int32)
    pieces = 4 * right
    pieces[2, 4], pieces[0, 7] = 0, 7  # one tooth of the border, one point of its own
    edges = edges_of(48, low, high, np.full(len(low), 0.1))
    features = right.reshape(-1, 1).astype(float)
    straight = straighten(pieces.ravel(), features, edges)
    assert straight.reshape(6, 8)[:, :4].tolist() == [[0] * 4] * 6
    assert set(straight.reshape(6, 8)[2, 4:].tolist()) == {4}
    assert straight[7] == 7  # the last point of a piece stays: merging takes it in


@pytest.mark.parametrize("price", [0.02, 0.2])
def test_no_single_point_would_lower_the_energy_by_another_move(shape: Callable[..., Any], price: float) -> None:
    graph, described = greedy.describe(shape("table", 400).points, SuperpointConfig())
    features, ragged = described.features, np.random.default_rng(0).integers(0, 8, 400).astype(np.int32)
    edges = edges_of(400, graph.low, graph.high, price * graph.weight)
    straight = straighten(ragged, features, edges)
    reached = energy(straight, features, graph, price)
    assert reached < energy(ragged, features, graph, price)
    assert set(straight) == set(ragged)
    for point in range(0, 400, 7):
        others = np.concatenate([graph.high[graph.low == point], graph.low[graph.high == point]])
        for goal in set(straight[others]) - {straight[point]}:
            moved = straight.copy()
            moved[point] = goal
            assert energy(moved, features, graph, price) > reached - 1e-6


def test_parts_are_those_that_hold_together_each_named_by_its_first_point(shape: Callable[..., Any]) -> None:
    graph = greedy.describe(shape("mug", 500).points, SuperpointConfig())[0]
    pieces = np.random.default_rng(1).integers(0, 3, 500).astype(np.int32)
    found = parts(pieces, edges_of(500, graph.low, graph.high, graph.weight))
    np.testing.assert_array_equal(dense(found), connected(pieces, graph))
    first = np.unique(found, return_index=True)
    np.testing.assert_array_equal(first[0], first[1])
