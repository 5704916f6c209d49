"""What neighbours that were found once say of a cloud: its graph, and the second moments around each point."""

import numpy as np

from s4tok.compiled import compiled
from s4tok.geometry.neighbors import Graph
from s4tok.shapes import Array, Float64, Int, Int32


def graph_of(xyz: Float64[Array, "n 3"], indices: Int32[Array, "n k"], k: int) -> Graph:
    """Join each point to its k nearest others, in whichever direction they are near: `neighbor_graph`'s."""
    low, high, length = _edges(xyz, np.ascontiguousarray(indices[:, : k + 1]))
    mean = length.mean() if len(length) else 1.0
    return Graph(low, high, 1 / (1 + length / mean), len(xyz))


@compiled
def moments_of(
    points: Float64[Array, "m 3"], queries: Float64[Array, "n 3"], indices: Int32[Array, "n k"], k: int
) -> tuple[Float64[Array, "n 3 3"], Float64[Array, "n 3 3"]]:
    """Give the second moments of each query's first k neighbours, about the query (Eq. 10) and about their mean."""
    about_query, about_mean = np.empty((len(queries), 3, 3)), np.empty((len(queries), 3, 3))
    k = min(k, indices.shape[1])
    offset, mean, sums = np.empty(3), np.empty(3), np.empty((3, 3))
    for query in range(len(queries)):
        mean[:], sums[:] = 0.0, 0.0
        for rank in range(k):
            point = indices[query, rank]
            for one in range(3):
                offset[one] = points[point, one] - queries[query, one]
                mean[one] += offset[one]
                for other in range(one + 1):
                    sums[one, other] += offset[one] * offset[other]
        for one in range(3):
            for other in range(one + 1):
                about_query[query, one, other] = about_query[query, other, one] = sums[one, other] / k
                about_mean[query, one, other] = about_mean[query, other, one] = (
                    sums[one, other] - mean[one] * mean[other] / k
                ) / k
    return about_query, about_mean


@compiled
def _lists(indices: Int32[Array, "n k"], point: int, other: int) -> bool:
    """Say whether a point has another among its neighbours."""
    found = False
    for rank in range(indices.shape[1]):
        found = found or indices[point, rank] == other
    return found


@compiled
def _edges(
    xyz: Float64[Array, "n 3"], indices: Int32[Array, "n k"]
) -> tuple[Int[Array, " e"], Int[Array, " e"], Float64[Array, " e"]]:
    """List each edge once, from its lower point to its higher one, sorted."""
    n, k = indices.shape
    first = np.zeros(n + 1, np.int64)
    filled = high = first
    for is_counting in (True, False):
        if not is_counting:
            first = np.concatenate((np.zeros(1, np.int64), first[:-1].cumsum()))
            filled, high = first[:-1].copy(), np.empty(first[-1], np.int64)
        for point in range(n):
            for rank in range(k):
                other = int(indices[point, rank])
                if other == point or (other < point and _lists(indices, other, point)):
                    continue
                lower, higher = min(point, other), max(point, other)
                if is_counting:
                    first[lower] += 1
                    continue
                place = filled[lower]
                while place > first[lower] and high[place - 1] > higher:
                    high[place] = high[place - 1]
                    place -= 1
                high[place] = higher
                filled[lower] += 1
    low, length = np.empty_like(high), np.empty(len(high))
    for point in range(n):
        for edge in range(first[point], first[point + 1]):
            low[edge] = point
            square = 0.0
            for axis in range(3):
                square += (xyz[point, axis] - xyz[high[edge], axis]) ** 2
            length[edge] = np.sqrt(square)
    return low, high, length
