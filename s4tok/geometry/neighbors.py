"""Nearest neighbours and the graph they make, on the CPU, through SciPy's tree."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.spatial import KDTree

from s4tok.shapes import Array, Float, Float64, Int

CHUNK = 1 << 16  # queries answered at a time, so that memory grows with the cloud and not with its neighbourhoods


class Neighbors(NamedTuple):
    """Of each query, the indices of its nearest points and how far they are, nearest first."""

    indices: Int[Array, "n k"]
    distances: Float64[Array, "n k"]


class Graph(NamedTuple):
    """An undirected graph, each edge once, from the lower index to the higher, sorted.

    `weight` is 1 / (1 + d / mean d), d an edge's length: a near neighbour binds more than a far one, in no unit.
    """

    low: Int[Array, " e"]
    high: Int[Array, " e"]
    weight: Float64[Array, " e"]
    n_points: int

    def matrix(self) -> csr_array:
        """Give the graph as a symmetric sparse matrix of ones."""
        ends = np.concatenate([self.low, self.high]), np.concatenate([self.high, self.low])
        return coo_array((np.ones(2 * len(self.low), np.int8), ends), shape=(self.n_points, self.n_points)).tocsr()


def nearest(points: Float[Array, "m 3"], queries: Float[Array, "n 3"], k: int, threads: int = 1) -> Neighbors:
    """Find the k nearest points of each query, or all of them where there are fewer.

    The threads share the queries out and never change the answer.
    """
    index = np.empty((len(queries), min(k, len(points))), np.int64)
    distance = np.empty(index.shape)
    for rows, found in nearest_in_chunks(points, queries, k, threads):
        index[rows], distance[rows] = found
    return Neighbors(index, distance)


def nearest_in_chunks(
    points: Float[Array, "m 3"], queries: Float[Array, "n 3"], k: int, threads: int = 1
) -> Iterator[tuple[slice, Neighbors]]:
    """Find nearest neighbours for one block of queries after the other."""
    tree = KDTree(points)
    k = min(k, len(points))
    for start in range(0, len(queries), CHUNK):
        rows = slice(start, min(start + CHUNK, len(queries)))
        distances, indices = map(np.asarray, tree.query(queries[rows], k, workers=threads))
        yield rows, Neighbors(indices.reshape(-1, k), distances.reshape(-1, k))


def neighbor_graph(xyz: Float[Array, "n 3"], k: int, threads: int = 1) -> Graph:
    """Join each point to its k nearest others, in whichever direction they are near.

    Points must differ; coinciding ones would fill each other's neighbourhoods and fall off the rest.
    """
    found = nearest(xyz, xyz, k + 1, threads)
    source = np.repeat(np.arange(len(xyz)), found.indices.shape[1])
    target, length = found.indices.ravel(), found.distances.ravel()
    others = source != target
    source, target, length = source[others], target[others], length[others]
    edge = np.minimum(source, target) * len(xyz) + np.maximum(source, target)
    edge, first = np.unique(edge, return_index=True)
    length = length[first]
    mean = length.mean() if len(length) else 1.0
    return Graph(edge // len(xyz), edge % len(xyz), 1 / (1 + length / mean), len(xyz))
