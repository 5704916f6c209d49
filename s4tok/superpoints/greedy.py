"""Superpoints by merging from below: the same energy as cut pursuit's, without native code, and much sooner."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from s4tok.config import SuperpointConfig
from s4tok.geometry import Graph, eigenvalues, farthest_points, normals_of, orient, outer_products, shape_features
from s4tok.geometry.neighbors import CHUNK
from s4tok.geometry.normals import NEIGHBORS
from s4tok.shapes import Array, Float64, Int, Int32
from s4tok.superpoints.cut_pursuit import Described, Solution
from s4tok.superpoints.labels import dense
from s4tok.superpoints.merging import Adjacency

# Shares of the price; borders are straightened after each. Purity of the real scan, a mean over five turns of it: .914
# with three and with these five, .912 with two, .908 with one, .903 where only the last of five straightens.
LIMITS = (0.2, 0.4, 0.6, 0.8, 1.0)
# Points that are merged by themselves at most; a larger cloud is merged tile by tile, and then its pieces. What merging
# holds of each point is most of a cut's memory.
TILE = 1 << 20


def cut(xyz: Float64[Array, "n 3"], config: SuperpointConfig, threads: int = 1) -> Int32[Array, " n"]:
    """Cut points, no two of them the same, into superpoints that hold together in their neighbourhood graph.

    Everything is done by one thread, whatever `threads` says, and in an order of space: points that are near each other
    are so in memory, and but for ties nothing depends on the order in which they came.
    """
    if len(xyz) == 1:
        return np.zeros(1, np.int32)
    from s4tok.geometry.tree import in_space  # Numba, which takes its time to be imported

    order = in_space(xyz)
    labels = np.empty(len(xyz), np.int32)
    labels[order] = _cut(xyz[order] / (float(np.ptp(xyz, axis=0).max()) or 1.0), config)
    return dense(labels)


def _cut(xyz: Float64[Array, "n 3"], config: SuperpointConfig) -> Int32[Array, " n"]:
    graph, described = describe(xyz, config)
    pieces = merged(described.features, graph, config.regularization, config.smallest_of(len(xyz)))
    if not config.smoothness:
        return pieces
    regions = Adjacency(pieces, graph, described.features, described.normals, config.regularization)
    regions.merge_smooth(config.smoothness)
    return regions.merged_labels()


def describe(xyz: Float64[Array, "n 3"], config: SuperpointConfig) -> tuple[Graph, Described]:
    """Search neighbours once, and give the graph, the normals and the features (App. A.1) that follow from them.

    Neighbours among anchors are searched again where the cloud has more points than anchors. The features are cut
    pursuit's but for the rounding of the normals, which do not come from Open3D. Only what the graph needs of the
    neighbours is kept for the whole cloud.
    """
    from s4tok.geometry.surroundings import graph_of, moments_of
    from s4tok.geometry.tree import Finder

    points, has_all = Finder(xyz), len(xyz) <= config.anchors
    anchors = points if has_all else Finder(xyz[_anchors(xyz, config)])
    wanted = max(config.adjacency + 1, NEIGHBORS, config.neighbors if has_all else 0)
    nearest = np.empty((len(xyz), min(config.adjacency + 1, len(xyz))), np.int32)
    normals, shape = np.empty_like(xyz), np.empty_like(xyz)
    for start in range(0, len(xyz), CHUNK):
        rows = slice(start, start + CHUNK)
        around = points.nearest(xyz[rows], wanted)
        nearest[rows] = around[:, : nearest.shape[1]]
        about_point, about_mean = moments_of(xyz, xyz[rows], around, NEIGHBORS)
        normals[rows] = normals_of(about_mean)
        if not has_all:
            around = anchors.nearest(xyz[rows], config.neighbors)
        if not has_all or config.neighbors != NEIGHBORS:
            about_point = moments_of(anchors.points, xyz[rows], around, config.neighbors)[0]
        shape[rows] = np.stack(shape_features(eigenvalues(about_point), config.sqrt_eigenvalues), axis=1)
    graph = graph_of(xyz, nearest, config.adjacency)
    direction = orient(normals, graph) if config.normal_form == "oriented" else outer_products(normals)
    features = np.concatenate([direction, config.geometry_weight * shape], axis=1)
    if config.standardized:
        features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)
    return graph, Described(normals, features)


def _anchors(xyz: Float64[Array, "n 3"], config: SuperpointConfig) -> Int[Array, " m"]:
    start = int(np.random.default_rng(config.seed).integers(len(xyz)))
    return np.sort(farthest_points(xyz, config.anchors, start))


def solve(features: Float64[Array, "n d"], graph: Graph, regularization: float) -> Solution:
    """Approximate features by values that are constant on few pieces: `cut_pursuit.solve`, and its energy."""
    labels = merged(features, graph, regularization)
    sizes = np.bincount(labels)[:, None]
    values = np.stack([np.bincount(labels, column) for column in features.T], axis=1) / sizes
    prices = regularization * graph.weight
    is_cut = labels[graph.low] != labels[graph.high]
    energy = np.square(features - values[labels]).sum() + prices[is_cut].sum()
    return Solution(labels, values, float(energy))


def merged(
    features: Float64[Array, "n d"], graph: Graph, regularization: float, smallest: int = 1
) -> Int32[Array, " n"]:
    """Merge neighbours while that lowers the energy, and then pieces under `smallest` points; number the pieces.

    Tiles are points that follow each other, so these come in an order of space where there are more than `TILE`.
    """
    features, edges = np.ascontiguousarray(features), Priced(graph.low, graph.high, regularization * graph.weight)
    n_tiles = -(-len(features) // TILE)
    limits: Sequence[float] = LIMITS
    pieces = np.arange(len(features), dtype=np.int32)
    if n_tiles > 1:
        stops = np.arange(n_tiles + 1) * len(features) // n_tiles
        for start, stop in pairwise(stops.tolist()):
            within = edges.within(start, stop)
            pieces[start:stop] = start + _merge(
                features[start:stop], np.arange(stop - start, dtype=np.int32), within, LIMITS
            )
        limits = LIMITS[-1:]
    return dense(_below(features, _merge(features, pieces, edges, limits), edges, 1.0, smallest))


class Priced(NamedTuple):
    """The edges of a graph, sorted by their lower point, with what it costs to cut each."""

    low: Int[Array, " e"]
    high: Int[Array, " e"]
    price: Float64[Array, " e"]

    def within(self, start: int, stop: int) -> "Priced":
        """Take the edges among some points that follow each other, which are numbered from 0 then."""
        first, last = np.searchsorted(self.low, [start, stop])
        rows = first + np.flatnonzero(self.high[first:last] < stop)
        return Priced(self.low[rows] - start, self.high[rows] - start, self.price[rows])


def _merge(
    features: Float64[Array, "n d"], pieces: Int32[Array, " n"], edges: Priced, limits: Sequence[float]
) -> Int32[Array, " n"]:
    """Merge pieces, each named by one of its points, and straighten their borders, while the price rises."""
    from s4tok.superpoints import borders

    around = borders.edges_of(len(features), *edges)
    for limit in limits:
        pieces = _below(features, pieces, edges, limit)
        pieces = borders.parts(borders.straighten(pieces, features, around), around)
    return pieces


def _below(
    features: Float64[Array, "n d"], pieces: Int32[Array, " n"], edges: Priced, limit: float, smallest: int = 1
) -> Int32[Array, " n"]:
    """Merge pieces up to a limit, and then those under `smallest` points; what that holds is free afterwards."""
    from s4tok.superpoints import rising_prices

    regions = rising_prices.begin(features, pieces, *edges)
    rising_prices.merge_below(regions, limit)
    rising_prices.merge_small(regions, smallest)
    return rising_prices.roots(regions)
