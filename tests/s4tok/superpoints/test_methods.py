from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.errors import InputError, UsageError
from s4tok.geometry import neighbor_graph
from s4tok.shapes import Array
from s4tok.superpoints import METHODS, partition, purity, summary
from s4tok.superpoints.labels import connected
from s4tok.superpoints.representatives import represent

CUTS = [name for name, method in METHODS.items() if method]


SCANNET20 = [*range(1, 13), 14, 16, 24, 28, 33, 34, 36, 39]  # the benchmark's classes, as NYU's 40 number them


def pairs_agree(one: Array, other: Array) -> float:
    """Give the share of point pairs that both labellings put together, or both keep apart (Rand index)."""
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)
    together = (table**2).sum()
    n_pairs = len(one) ** 2
    return float((n_pairs + 2 * together - (table.sum(axis=1) ** 2).sum() - (table.sum(axis=0) ** 2).sum()) / n_pairs)


def rotation(seed: int) -> Array:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return np.asarray(q * np.sign(np.diag(r)))


def assert_sound(labels: Array, n: int) -> None:
    assert labels.dtype == np.int32
    assert labels.shape == (n,)
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))


@pytest.mark.parametrize("method", CUTS)
@pytest.mark.parametrize("name", ["mug", "table", "room"])
def test_labels_have_no_gaps_and_each_superpoint_holds_together(
    shape: Callable[..., Any], name: str, method: str
) -> None:
    points = shape(name, 3000).points
    config = SuperpointConfig(method)
    labels = partition(PointCloud.of(points), config)
    assert_sound(labels, len(points))
    graph = neighbor_graph(PointCloud.of(points).xyz, config.adjacency)
    np.testing.assert_array_equal(connected(labels, graph), labels)


def test_no_superpoint_is_smaller_than_asked_for(shape: Callable[..., Any]) -> None:
    labels = partition(PointCloud.of(shape("mug", 4000).points), SuperpointConfig(smallest=25))
    assert np.bincount(labels).min() >= 25


@pytest.mark.parametrize(("method", "least"), [("greedy", 0.95), ("cut-pursuit", 0.99)])  # greedy's order is of space
@pytest.mark.parametrize("name", ["mug", "table", "room"])
@pytest.mark.parametrize(
    "move",
    [
        lambda p: p + np.array([431_250.5, 4_581_900.25, 120.0]),
        lambda p: 1e-6 * p,
        lambda p: 1e6 * p,
        lambda p: p @ rotation(0).T,
        lambda p: 3.7 * p @ rotation(1).T + 20.0,
    ],
    ids=["utm", "microns", "megametres", "turned", "all"],
)
def test_a_cloud_is_cut_alike_wherever_it_lies_however_turned_and_in_any_unit(
    shape: Callable[..., Any], name: str, move: Callable[[Array], Array], method: str, least: float
) -> None:
    points = shape(name, 3000).points
    config = SuperpointConfig(method, anchors=1000)
    one, other = partition(PointCloud.of(points), config), partition(PointCloud.of(move(points)), config)
    assert pairs_agree(one, other) >= least


def test_the_same_cloud_gives_the_same_labels_with_any_number_of_threads(shape: Callable[..., Any]) -> None:
    cloud = PointCloud.of(shape("room", 4000).points)
    np.testing.assert_array_equal(partition(cloud), partition(cloud, threads=3))


@pytest.mark.parametrize("name", ["mug", "table", "room"])
def test_cut_pursuit_is_purer_than_a_grid_of_as_many_cells(shape: Callable[..., Any], name: str) -> None:
    made = shape(name, 8000, seed=1)
    cloud = PointCloud.of(made.points)
    usual = SuperpointConfig.of("room" if name == "room" else "object")
    assert purity(partition(cloud, usual), made.parts) >= 0.96
    finely = SuperpointConfig(regularization=0.05, smoothness=0.4, smallest=10, smallest_share=0.0)
    ours = partition(cloud, finely)
    assert purity(ours, made.parts) >= 0.96
    grid = partition(cloud, SuperpointConfig("grid", grid_cells=int(ours.max()) + 1))
    assert 1 - purity(ours, made.parts) < 0.5 * (1 - purity(grid, made.parts))


def test_a_room_cut_on_voxels_labels_every_original_point(shape: Callable[..., Any]) -> None:
    room = shape("room", 60_000)
    labels = partition(PointCloud.of(room.points), SuperpointConfig(voxel=0.06, smallest=20))
    assert_sound(labels, len(room.points))
    assert purity(labels, room.parts) > 0.93
    xyz = PointCloud.of(room.points).xyz.astype(np.float64)
    cells, cell = np.unique(np.floor((xyz - xyz.min(axis=0)) / 0.06), axis=0, return_inverse=True)
    assert len(cells) < len(xyz) / 2
    assert len(np.unique(np.stack([cell.reshape(-1), labels]), axis=1).T) == len(cells)


DEGENERATE = {
    "two": np.array([[0.0, 0, 0], [1, 2, 3]]),
    "three": np.array([[0.0, 0, 0], [1, 2, 3], [1, 0, 0]]),
    "five": np.random.default_rng(0).normal(size=(5, 3)),
    "all equal": np.full((50, 3), 7.0),
    "collinear": np.linspace(0, 1, 300)[:, None] * [[1.0, 2.0, 3.0]],
    "coplanar": np.random.default_rng(0).uniform(size=(500, 3)) * [1, 1, 0],
    "lattice": np.stack(np.meshgrid(*[np.arange(8.0)] * 3), axis=-1).reshape(-1, 3),
    "half duplicates": np.repeat(np.random.default_rng(0).normal(size=(300, 3)), 2, axis=0),
    "sixty in one place": np.concatenate([np.zeros((60, 3)), np.random.default_rng(0).normal(size=(60, 3))]),
    "far islands": np.concatenate([np.random.default_rng(i).normal(size=(40, 3)) + 1e5 * i for i in range(3)]),
    "smallest extent": 1e-8 * np.random.default_rng(0).normal(size=(200, 3)),
    "largest extent": 1e7 * np.random.default_rng(0).normal(size=(200, 3)),
}


@pytest.mark.parametrize("method", CUTS)
@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("voxel", [0.0, 0.02])
def test_a_degenerate_cloud_has_a_defined_result(name: str, method: str, voxel: float) -> None:
    points = DEGENERATE[name]
    labels = partition(PointCloud.of(points), SuperpointConfig(method, voxel=voxel))
    assert_sound(labels, len(points))


@pytest.mark.parametrize("form", ["outer", "oriented"])
@pytest.mark.parametrize("standardized", [False, True])
@pytest.mark.parametrize("name", ["two", "all equal", "collinear", "coplanar"])
def test_every_switch_bears_degenerate_clouds(name: str, form: Any, standardized: bool) -> None:
    config = SuperpointConfig(normal_form=form, standardized=standardized, sqrt_eigenvalues=True)
    assert_sound(partition(PointCloud.of(DEGENERATE[name]), config), len(DEGENERATE[name]))


def test_points_that_coincide_get_one_label() -> None:
    points = DEGENERATE["half duplicates"]
    labels = partition(PointCloud.of(points))
    np.testing.assert_array_equal(labels[0::2], labels[1::2])
    single = partition(PointCloud.of(points[::2]))
    np.testing.assert_array_equal(labels[::2], single)


def test_voxels_by_hand() -> None:
    points = np.array([[0.9, 0.0, 0.0], [0.0, 0.0, 0.0], [1.1, 0.0, 0.0], [0.3, 0.3, 0.0]])
    stand_ins = represent(points, voxel=1.0)
    assert stand_ins.of.tolist() == [0, 0, 1, 0]  # in the order of their first points
    np.testing.assert_allclose(stand_ins.xyz, [[0.4, 0.1, 0], [1.1, 0, 0]])
    assert represent(points).of.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("method", ["labels", "scannet-segments"])
def test_ready_labels_are_numbered_without_gaps_and_keep_their_borders(method: str) -> None:
    given = np.array([40, 40, -7, 99, 40])
    labels = partition(PointCloud.of(np.eye(5, 3)), SuperpointConfig(method), given=given)
    assert_sound(labels, 5)
    assert labels.tolist() == [0, 0, 1, 2, 0]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (None, "there are no ready superpoints, which --method labels takes"),
        (np.zeros(4, int), r"scan: there must be 5 superpoint ids, one a point, and the array is \(4,\)"),
        (np.zeros((5, 1), int), r"the array is \(5, 1\)"),
        (np.full(5, 0.5), "must be whole numbers, and these are float64"),
        (np.full(5, np.nan), "must be whole numbers"),
        (np.array(["a"] * 5), "must be whole numbers, and these are <U1"),
    ],
)
def test_ready_labels_that_do_not_fit_are_refused_in_one_sentence(given: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        partition(PointCloud.of(np.eye(5, 3), name="scan"), SuperpointConfig("labels"), given=given)


def test_an_unknown_method_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        UsageError, match="no superpoint method is called 'cutpursuit'; there are: greedy, cut-pursuit, grid"
    ):
        partition(PointCloud.of(np.eye(5, 3)), SuperpointConfig("cutpursuit"))


def test_a_summary_by_hand() -> None:
    labels = np.array([0] * 10 + [1] * 6 + [2] * 4)
    assert summary(labels) == {"superpoints": 3, "median_size": 6, "share_under_5": 0.2}


def test_a_real_scan_is_cut_far_better_than_by_a_grid(real_data: Path) -> None:
    folder = real_data / "scannet" / "scans" / "scene0000_00"
    raw = (folder / "scene0000_00_vh_clean_2.labels.ply").read_bytes()
    header = raw.index(b"end_header\n") + len(b"end_header\n")
    fields = [("xyz", "<f4", 3), ("rgba", "u1", 4), ("label", "<u2")]
    vertices = np.frombuffer(raw, np.dtype(fields), 81369, header)
    near = (vertices["xyz"] < np.median(vertices["xyz"], axis=0) + [0, 9, 9]).all(axis=1)  # half, for time's sake
    cloud = PointCloud.of(vertices["xyz"][near], labels=vertices["label"][near].astype(int))
    assert cloud.labels is not None
    truth = np.where(np.isin(cloud.labels, SCANNET20), cloud.labels, -1)
    ours = partition(cloud, SuperpointConfig.of("room"))
    grid = partition(cloud, SuperpointConfig("grid", grid_cells=int(ours.max()) + 1))
    assert purity(ours, truth) >= 0.88
    assert purity(ours, truth) > purity(grid, truth) + 0.05
