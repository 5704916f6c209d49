from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok.dependencies import load
from s4tok.errors import InputError
from s4tok.geometry import Graph, neighbor_graph, outer_products
from s4tok.shapes import Array
from s4tok.superpoints import cut_pursuit, purity
from s4tok.superpoints.labels import connected
from s4tok.superpoints.merging import Adjacency


def slow_energy(features: Array, graph: Graph, labels: Array, values: Array, regularization: float) -> float:
    """Add the energy up term by term, as its formula is printed."""
    energy = sum(float(np.sum((row - values[label]) ** 2)) for row, label in zip(features, labels, strict=True))
    for low, high, weight in zip(graph.low, graph.high, graph.weight, strict=True):
        energy += regularization * weight * (labels[low] != labels[high])
    return energy


def cut_finely(points: Array, regularization: float) -> tuple[cut_pursuit.Solution, Array, Graph]:
    graph = neighbor_graph(points, 10)
    features = cut_pursuit.describe(points, graph, SuperpointConfig()).features
    return cut_pursuit.solve(features, graph, regularization), features, graph


@pytest.mark.parametrize(
    ("name", "regularization"), [("mug", 0.02), ("mug", 0.2), ("table", 0.05), ("room", 0.05), ("room", 0.2)]
)
def test_the_energy_is_that_of_the_partition_added_up_term_by_term(
    shape: Callable[..., Any], name: str, regularization: float
) -> None:
    solution, features, graph = cut_finely(shape(name, 4000).points, regularization)
    slow = slow_energy(features, graph, solution.labels, solution.values, regularization)
    assert solution.energy == pytest.approx(slow, rel=1e-9)
    means = [features[solution.labels == each].mean(axis=0) for each in range(len(solution.values))]
    np.testing.assert_allclose(solution.values, means, atol=1e-9)  # what is best for each piece
    one_piece = slow_energy(features, graph, 0 * solution.labels, features.mean(axis=0, keepdims=True), regularization)
    assert solution.energy < 0.5 * one_piece


@pytest.mark.parametrize(("name", "limit"), [("toy-shapes", 3), ("toy-rooms", 1)])
def test_the_energy_is_that_of_the_partition_in_the_toy_world_too(name: str, limit: int) -> None:
    clouds = open_dataset(name, limit=limit)
    for key in clouds.keys:
        points = clouds[key].xyz[:6000].astype(np.float64)
        solution, features, graph = cut_finely(points, 0.05)
        slow = slow_energy(features, graph, solution.labels, solution.values, 0.05)
        assert solution.energy == pytest.approx(slow, rel=1e-9)


def test_the_solver_logs_this_energy_or_now_and_then_a_lower_one(
    shape: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs: list[Array] = []
    solver = load("pycut_pursuit.cp_d0_dist").cp_d0_dist

    def logging(*arguments: object, **options: object) -> object:
        labels, values, log = solver(*arguments, **options, compute_Obj=True)
        logs.append(log)
        return labels, values

    monkeypatch.setattr(cut_pursuit, "load", lambda name: SimpleNamespace(cp_d0_dist=logging))
    too_low = []
    for name, seed in product(["mug", "table", "room"], range(5)):
        solution, features, _ = cut_finely(shape(name, 1500, seed).points, 0.05)
        assert logs[-1][0] == pytest.approx(np.square(features - features.mean(axis=0)).sum())  # of one piece
        too_low.append(1 - logs[-1][-1] / solution.energy)
    assert min(too_low) > -1e-9
    assert np.median(too_low) < 1e-9
    assert max(too_low) < 0.05


def test_two_planes_at_a_right_angle_are_two_pieces_and_noise_on_one_plane_is_none() -> None:
    rng = np.random.default_rng(0)
    floor, wall = rng.uniform(0, 1, (2, 3000, 3)) * np.array([[[1, 1, 0]], [[1, 0, 1]]])
    both = np.concatenate([floor, wall])
    labels = cut_pursuit.cut(both, SuperpointConfig())
    assert purity(labels, np.repeat([0, 1], 3000)) > 0.97
    assert (np.bincount(labels) > 2000).sum() == 2
    noisy = floor + rng.normal(0, 0.002, floor.shape)
    assert (np.bincount(cut_pursuit.cut(noisy, SuperpointConfig())) > 0.95 * len(noisy)).any()


def test_a_sign_free_normal_keeps_a_wall_whole_where_raw_normals_split_it() -> None:
    wall = np.random.default_rng(0).uniform(0, 1, (2000, 3)) * [1, 1, 0]
    graph = neighbor_graph(wall, 10)
    normals = np.where(wall[:, :1] < 0.5, 1.0, -1.0) * [0, 0, 1]
    assert cut_pursuit.solve(normals, graph, 0.05).labels.max() > 0
    assert cut_pursuit.solve(outer_products(normals), graph, 0.05).labels.max() == 0


def test_the_printed_normals_once_oriented_cut_a_table_as_well(shape: Callable[..., Any]) -> None:
    table = shape("table", 4000)
    printed = SuperpointConfig(normal_form="oriented", smoothness=0.0)
    assert purity(cut_pursuit.cut(table.points, printed), table.parts) > 0.9


def test_a_round_wall_stays_in_few_pieces_where_plain_cut_pursuit_shatters_it(shape: Callable[..., Any]) -> None:
    mug = shape("mug", 8000)
    plain = cut_pursuit.cut(mug.points, SuperpointConfig(smoothness=0.0))
    smooth = cut_pursuit.cut(mug.points, SuperpointConfig(smoothness=0.4))
    wall = mug.parts == 0
    assert len(np.unique(smooth[wall])) < 0.4 * len(np.unique(plain[wall]))
    assert purity(smooth, mug.parts) > 0.98


@pytest.mark.parametrize("n", [1000, 4000])
def test_the_smallest_piece_is_a_share_of_the_cloud_but_never_under_the_count(
    shape: Callable[..., Any], n: int
) -> None:
    points = shape("mug", n).points
    finely = SuperpointConfig(regularization=0.01, smallest=30, smallest_share=0.02)
    sizes = np.bincount(cut_pursuit.cut(points, finely))
    assert max(30, n // 50) <= sizes.min() < 2 * max(30, n // 50)
    assert [finely.smallest_of(points) for points in (1, 1500, 1501, 8192)] == [30, 30, 31, 164]


def test_small_pieces_go_where_the_energy_rises_least() -> None:
    line = np.arange(8.0)[:, None] * [[1.0, 0, 0]]
    graph = neighbor_graph(line, 1)
    graph = Graph(np.arange(7), np.arange(1, 8), np.ones(7), 8)
    features = np.array([[0.0]] * 3 + [[0.4]] + [[1.0]] * 4)
    labels = np.array([0, 0, 0, 1, 2, 2, 2, 2])
    regions = Adjacency(labels, graph, features, np.tile([0.0, 0, 1], (8, 1)), regularization=0.0)
    regions.merge_small(2)  # 3/4 * 0.4^2 on the left, 4/5 * 0.6^2 on the right
    assert regions.merged_labels().tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_border_that_bends_no_more_than_the_surface_around_is_no_border() -> None:
    turn = np.radians([0, 5, 10, 15, 20, 25, 80, 85, 90])  # a crease of 55 degrees behind the sixth
    normals = np.stack([np.cos(turn), np.sin(turn), np.zeros(9)], axis=1)
    graph = Graph(np.arange(8), np.arange(1, 9), np.ones(8), 9)
    labels = np.repeat([0, 1, 2], 3)
    regions = Adjacency(labels, graph, normals, normals, regularization=0.0)
    regions.merge_smooth(0.4)
    assert regions.merged_labels().tolist() == [0] * 6 + [1] * 3


def test_bookkeeping_of_merges_equals_counting_anew(shape: Callable[..., Any]) -> None:
    points = shape("mug", 2000).points
    graph = neighbor_graph(points, 10)
    described = cut_pursuit.describe(points, graph, SuperpointConfig())
    start = connected(cut_pursuit.solve(described.features, graph, 0.02).labels, graph)
    regions = Adjacency(start, graph, described.features, described.normals, 0.02)
    regions.merge_small(10)
    regions.merge_smooth(0.4)
    anew = Adjacency(regions.merged_labels(), graph, described.features, described.normals, 0.02)
    alive = [each for each in range(len(regions.size)) if regions.parent[each] == each]
    name = {each: int(regions.merged_labels()[start == each][0]) for each in alive}
    assert sorted(name.values()) == list(range(len(anew.size)))
    for each in alive:
        twin = name[each]
        assert regions.size[each] == anew.size[twin]
        np.testing.assert_allclose(regions.total[each], anew.total[twin], atol=1e-9)
        assert regions.steepness[each] == pytest.approx(anew.steepness[twin])
        assert {name[other] for other in regions.border[each]} == set(anew.border[twin])
        for other, edges in regions.border[each].items():
            assert edges.count == anew.border[twin][name[other]].count
            assert edges.price == pytest.approx(anew.border[twin][name[other]].price)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f, g: (np.where(f > f.max() - 1e-9, np.nan, f), g), "must be finite"),
        (lambda f, g: (f, g._replace(high=g.high + 5)), "from a lower to a higher point"),
        (lambda f, g: (f, g._replace(low=g.high, high=g.low)), "from a lower to a higher point"),
        (lambda f, g: (f[:1], g), "are no graph to cut"),
        (lambda f, g: (f, Graph(g.low[:0], g.high[:0], g.weight[:0], g.n_points)), "are no graph to cut"),
    ],
)
def test_what_would_crash_the_native_solver_does_not_reach_it(spoil: Callable[..., Any], sentence: str) -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    features, graph = spoil(points.copy(), neighbor_graph(points, 5))
    with pytest.raises(ValueError, match=sentence):
        cut_pursuit.solve(features, graph, 0.1)


def test_more_than_65535_pieces_are_told_apart() -> None:
    features = np.random.default_rng(0).normal(size=(70_000, 1))
    graph = Graph(np.arange(69_999), np.arange(1, 70_000), np.ones(69_999), 70_000)
    solved = cut_pursuit.solve(features, graph, 1e-9)
    assert len(solved.values) > 65_535
    assert solved.labels.max() + 1 == len(solved.values)


def test_a_solver_that_numbers_in_16_bit_is_refused_rather_than_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrapping(*_: object, **__: object) -> tuple[Array, Array]:
        return np.zeros(50, np.uint16), np.zeros((3, 70_000))

    monkeypatch.setattr(cut_pursuit, "load", lambda name: SimpleNamespace(cp_d0_dist=wrapping))
    points = np.random.default_rng(0).normal(size=(50, 3))
    with pytest.raises(InputError, match="falls into 70000 pieces"):
        cut_pursuit.solve(points, neighbor_graph(points, 5), 0.1)
