"""Superpoints by l0 cut pursuit (Landrieu and Obozinski, 2017; Raguet and Landrieu, 2018), as the paper has them."""

from typing import NamedTuple

import numpy as np

from s4tok.config import SuperpointConfig
from s4tok.dependencies import load
from s4tok.errors import InputError, MissingError
from s4tok.geometry import (
    Graph,
    eigenvalues,
    estimate_normals,
    farthest_points,
    neighbor_graph,
    orient,
    outer_products,
    second_moments,
    shape_features,
)
from s4tok.shapes import Array, Float64, Int, Int32
from s4tok.superpoints.labels import connected
from s4tok.superpoints.merging import Adjacency

ITERATIONS = 50  # it converges in 9 to 20; its default of 10 would cut that short and saves next to nothing
SOLVER = "pycut_pursuit.cp_d0_dist"


def is_there() -> bool:
    """Say whether pycut-pursuit can be imported."""
    try:
        load(SOLVER)
    except MissingError:
        return False
    return True


class Solution(NamedTuple):
    """A piecewise constant approximation of features on a graph."""

    labels: Int[Array, " n"]
    values: Float64[Array, "s d"]  # what each piece's features are approximated by
    energy: float  # of both, by the formula and not by the solver's log, which can be too low


class Described(NamedTuple):
    """What cut pursuit reads."""

    normals: Float64[Array, "n 3"]
    features: Float64[Array, "n d"]


def cut(xyz: Float64[Array, "n 3"], config: SuperpointConfig, threads: int = 1) -> Int32[Array, " n"]:
    """Cut points, no two of them the same, into superpoints that hold together in their neighbourhood graph."""
    if len(xyz) == 1:
        return np.zeros(1, np.int32)
    xyz = xyz / (float(np.ptp(xyz, axis=0).max()) or 1.0)  # nothing below depends on the unit but for rounding
    graph = neighbor_graph(xyz, config.adjacency, threads)
    described = describe(xyz, graph, config, threads)
    solved = solve(described.features, graph, config.regularization)
    return merge(connected(solved.labels, graph), described, graph, config)


def merge(pieces: Int[Array, " n"], described: Described, graph: Graph, config: SuperpointConfig) -> Int32[Array, " n"]:
    """Merge the solver's pieces: first those that are too small, then those whose border is smooth."""
    regions = Adjacency(pieces, graph, described.features, described.normals, config.regularization)
    regions.merge_small(config.smallest_of(len(pieces)))
    if config.smoothness:
        regions.merge_smooth(config.smoothness)
    return regions.merged_labels()


def describe(xyz: Float64[Array, "n 3"], graph: Graph, config: SuperpointConfig, threads: int = 1) -> Described:
    """Give each point its normal and the shape of its surroundings, App. A.1.

    The printed feature is the normal itself. Its sign is arbitrary and would split one wall in two, so the default
    writes it as n n^T. Per-cloud standardisation (`standardized`) is not done by default: on a cloud that is one
    plane it would blow noise up to the size of an edge.
    """
    start = int(np.random.default_rng(config.seed).integers(len(xyz)))
    anchors = xyz if len(xyz) <= config.anchors else xyz[farthest_points(xyz, config.anchors, start)]
    moments = second_moments(anchors, xyz, config.neighbors, threads)
    shape = np.stack(shape_features(eigenvalues(moments), config.sqrt_eigenvalues), axis=1)
    normals = estimate_normals(xyz)
    if config.normal_form == "oriented":
        direction = orient(normals, graph)
    else:
        direction = outer_products(normals)
    features = np.concatenate([direction, config.geometry_weight * shape], axis=1)
    if config.standardized:
        features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)
    return Described(normals, features)


def solve(features: Float64[Array, "n d"], graph: Graph, regularization: float) -> Solution:
    r"""Approximate features by values that are constant on few, simply bordered pieces.

    .. math:: \min_x \sum_i \|f_i - x_i\|^2 + \lambda \sum_{(i, j)} w_{ij} [x_i \neq x_j]

    The solver is native code and trusts its caller: not-a-number gives it one piece without a word, an index out of
    range or too few points end the process, and its answer depends on the number of threads (48 pieces with one, 47
    with two). Hence the checks, and one thread. Its own minimum size is left at none, since that keeps it from ever
    coming to rest; small pieces are merged in `merging`.
    """
    n_points = len(features)
    if n_points < 2 or graph.n_points != n_points or not len(graph.low):
        raise ValueError(f"{n_points} points and {len(graph.low)} edges among {graph.n_points} are no graph to cut.")
    if not np.isfinite(features).all() or not np.isfinite(graph.weight).all():
        raise ValueError("features and weights must be finite.")
    if graph.low.min() < 0 or (graph.low >= graph.high).any() or graph.high.max() >= n_points:
        raise ValueError("an edge runs from a lower to a higher point of the cloud.")
    first_edge = np.concatenate([[0], np.cumsum(np.bincount(graph.low, minlength=n_points))])
    solver = load(SOLVER)
    prices = regularization * graph.weight
    numbers, values = solver.cp_d0_dist(
        features.shape[1],
        np.asfortranarray(features.T),
        first_edge.astype(np.uint32),
        graph.high.astype(np.uint32),
        edge_weights=prices,
        cp_it_max=ITERATIONS,
        kmpp_init_num=1,  # its default of 3 takes twice as long and came to a higher energy on 200,000 points
        verbose=False,
        max_num_threads=1,
    )
    if values.shape[1] > np.iinfo(numbers.dtype).max:  # older wheels number pieces in 16 bit, and wrap
        raise InputError(
            f"the cloud falls into {values.shape[1]} pieces, more than this pycut-pursuit can number.",
            "raise --regularization or --voxel, or pip install --upgrade pycut-pursuit.",
        )
    labels, values = numbers.astype(np.int64), values.T.astype(np.float64)
    is_cut = labels[graph.low] != labels[graph.high]
    energy = np.square(features - values[labels]).sum() + prices[is_cut].sum()
    return Solution(labels, values, float(energy))
