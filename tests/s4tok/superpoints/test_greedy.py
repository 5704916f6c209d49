import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.errors import MissingError
from s4tok.geometry import Graph
from s4tok.geometry.tree import in_space
from s4tok.shapes import Array
from s4tok.superpoints import cut_pursuit, greedy, partition, purity
from s4tok.superpoints.labels import connected, dense
from tests.running import Run

HIDDEN = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {names!r} else find_spec(name, *rest)
"""
CUT = """
import numpy as np
from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.superpoints import partition
points = np.random.default_rng(0).normal(size=(400, 3)) * [1, 1, 0.1]
config = SuperpointConfig("greedy", anchors=200, neighbors=12, regularization=0.01, smallest=4)
print(partition(PointCloud.of(points), config).tolist())
"""


def slow_energy(features: Array, graph: Graph, labels: Array, price: float) -> float:
    """Add the energy up piece by piece and edge by edge."""
    pieces = (features[labels == each] for each in np.unique(labels))
    energy = sum(float(((piece - piece.mean(axis=0)) ** 2).sum()) for piece in pieces)
    for low, high, weight in zip(graph.low, graph.high, graph.weight, strict=True):
        energy += price * weight * float(labels[low] != labels[high])
    return energy


@pytest.mark.parametrize("name", ["mug", "table", "room"])
@pytest.mark.parametrize("price", [0.05, 0.2])
def test_the_energy_is_that_of_its_pieces_and_not_above_cut_pursuits(
    shape: Callable[..., Any], name: str, price: float
) -> None:
    graph, described = greedy.describe(shape(name, 3000).points, SuperpointConfig())
    ours = greedy.solve(described.features, graph, price)
    assert ours.energy == pytest.approx(slow_energy(described.features, graph, ours.labels, price))
    assert ours.energy < 1.01 * cut_pursuit.solve(described.features, graph, price).energy
    np.testing.assert_array_equal(connected(ours.labels, graph), ours.labels)


def test_in_the_end_no_merge_of_two_neighbours_lowers_the_energy(shape: Callable[..., Any]) -> None:
    graph, described = greedy.describe(shape("mug", 500).points, SuperpointConfig())
    labels = greedy.solve(described.features, graph, 0.1).labels
    energy = slow_energy(described.features, graph, labels, 0.1)
    ends = {(labels[low], labels[high]) for low, high in zip(graph.low, graph.high, strict=True)}
    pairs = [(one, other) for one, other in ends if one < other]
    assert len(pairs) > 5
    for one, other in pairs:
        merged = np.where(labels == other, one, labels)
        assert slow_energy(described.features, graph, merged, 0.1) > energy - 1e-9


def test_two_planes_are_two_pieces_and_a_curved_wall_is_cut_as_by_cut_pursuit(shape: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    floor, wall = rng.uniform(0, 1, (2, 3000, 3)) * np.array([[[1, 1, 0]], [[1, 0, 1]]])
    labels = greedy.cut(np.concatenate([floor, wall]), SuperpointConfig("greedy"))
    assert purity(labels, np.repeat([0, 1], 3000)) > 0.97
    assert (np.bincount(labels) > 2000).sum() == 2
    mug = shape("mug", 4000)
    ours, theirs = (partition(PointCloud.of(mug.points), SuperpointConfig(each)) for each in ("greedy", "cut-pursuit"))
    assert purity(ours, mug.parts) > purity(theirs, mug.parts) - 0.01
    assert 0.7 < ours.max() / theirs.max() < 1.4


def test_small_pieces_go_where_the_energy_rises_least_the_smallest_first() -> None:
    features = np.array([[0.0]] * 3 + [[0.4]] + [[1.0]] * 4)
    graph = Graph(np.arange(7), np.arange(1, 8), np.ones(7), 8)
    price = 0.1  # 3/4 * 0.4^2 on the left and 4/5 * 0.6^2 on the right are more than it saves
    assert dense(greedy.merged(features, graph, price)).tolist() == [0, 0, 0, 1, 2, 2, 2, 2]
    assert dense(greedy.merged(features, graph, price, smallest=2)).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert dense(greedy.merged(features, graph, price, smallest=5)).tolist() == [0] * 8


def test_the_order_in_which_points_came_changes_nothing(shape: Callable[..., Any]) -> None:
    points = shape("room", 3000).points
    shuffle = np.random.default_rng(0).permutation(len(points))
    config = replace(SuperpointConfig.of("room"), method="greedy", anchors=1000)
    labels, shuffled = greedy.cut(points, config), greedy.cut(points[shuffle], config)
    assert labels.max() > 5
    np.testing.assert_array_equal(dense(labels[shuffle]), shuffled)


def test_a_cloud_is_described_block_by_block_as_it_is_in_one(
    shape: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    points, config = shape("table", 900).points, replace(SuperpointConfig(), anchors=300, neighbors=20)
    graph, described = greedy.describe(points, config)
    monkeypatch.setattr(greedy, "CHUNK", 250)
    same_graph, same = greedy.describe(points, config)
    np.testing.assert_array_equal(described.features, same.features)
    np.testing.assert_array_equal(graph.weight, same_graph.weight)


def test_tiles_take_the_edges_among_their_points() -> None:
    edges = greedy.Priced(np.array([0, 0, 1, 2, 2]), np.array([1, 3, 2, 3, 4]), np.arange(5.0))
    low, high, price = edges.within(1, 4)
    assert (low.tolist(), high.tolist(), price.tolist()) == ([0, 1], [1, 2], [2.0, 3.0])


def test_a_cloud_that_is_merged_tile_by_tile_is_cut_nearly_alike_and_no_border_of_tiles_stays(
    shape: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = shape("room", 6000).points
    points = points[in_space(points)] / float(np.ptp(points, axis=0).max())
    graph, described = greedy.describe(points, SuperpointConfig.of("room"))
    at_once = greedy.solve(described.features, graph, 0.05)
    monkeypatch.setattr(greedy, "TILE", 1000)
    tiled = greedy.solve(described.features, graph, 0.05)
    assert tiled.energy < 1.01 * at_once.energy
    np.testing.assert_array_equal(connected(tiled.labels, graph), tiled.labels)
    across = graph.low // 1000 != graph.high // 1000
    is_cut, was_cut = (each.labels[graph.low] != each.labels[graph.high] for each in (tiled, at_once))
    assert abs(is_cut[across].mean() - was_cut[across].mean()) < 0.03
    assert (is_cut == was_cut).mean() > 0.97


@pytest.mark.parametrize("smallest", [10, 40])
def test_no_piece_is_smaller_than_asked_for(shape: Callable[..., Any], smallest: int) -> None:
    points = shape("room", 4000).points
    config = SuperpointConfig("greedy", regularization=0.02, smallest=smallest, smallest_share=0.0)
    sizes = np.bincount(greedy.cut(points, config))
    assert smallest <= sizes.min() < 4 * smallest


def test_it_needs_neither_pycut_pursuit_nor_open3d_and_without_numba_gives_the_same_labels(python: Run) -> None:
    def labels(*hidden: str) -> str:
        ran = python("-c", HIDDEN.format(names=hidden) + CUT)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    plain = labels("pycut_pursuit", "open3d")
    assert len(set(plain.split())) > 5
    assert labels("pycut_pursuit", "open3d", "numba") == plain


def test_where_pycut_pursuit_is_missing_the_way_out_names_this_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycut_pursuit.cp_d0_dist", None)
    cloud = PointCloud.of(np.random.default_rng(0).normal(size=(50, 3)))
    with pytest.raises(MissingError) as caught:
        partition(cloud, SuperpointConfig("cut-pursuit"))
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(", or pass --method greedy")
