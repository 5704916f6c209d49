"""One point for several: where points coincide, or share a voxel, one of them is cut and the rest follow it."""

from typing import NamedTuple

import numpy as np

from s4tok.shapes import Array, Float, Float64, Int


class Representatives(NamedTuple):
    """Points that stand for others, in the order in which the first of each group came."""

    xyz: Float64[Array, "m 3"]  # the mean of each group
    of: Int[Array, " n"]  # the representative of each original point


def represent(xyz: Float[Array, "n 3"], voxel: float = 0.0) -> Representatives:
    """Group the points of each voxel, or with `voxel` 0 those that coincide.

    Coinciding points would be each other's nearest neighbours and fall off the graph as islands; a voxel grid also
    evens a scan's density out. Labels of representatives, taken at `of`, are labels of every original point.
    """
    points = xyz.astype(np.float64)
    if not voxel and not _coincide(points):
        return Representatives(points, np.arange(len(points)))
    cells = np.floor((points - points.min(axis=0)) / voxel) if voxel else points
    order = np.lexsort(cells.T)
    starts = np.concatenate([[True], (np.diff(cells[order], axis=0) != 0).any(axis=1)])
    if starts.all():
        return Representatives(points, np.arange(len(points)))
    begin = np.flatnonzero(starts)
    seniority = np.argsort(np.minimum.reduceat(order, begin))
    rank = np.empty(len(begin), np.int64)
    rank[seniority] = np.arange(len(begin))
    of = np.empty(len(points), np.int64)
    of[order] = rank[np.cumsum(starts) - 1]
    means = np.stack([np.bincount(of, axis) for axis in points.T], axis=1) / np.bincount(of)[:, None]
    return Representatives(means, of)


def _coincide(points: Float64[Array, "n 3"]) -> bool:
    """Say whether two points are the same: only those that share one coordinate are compared in all."""
    ranks = np.argsort(points[:, 0])
    same = np.diff(points[ranks, 0]) == 0
    some = points[ranks[np.append(same, False) | np.append(False, same)]]
    return bool((np.diff(some[np.lexsort(some.T)], axis=0) == 0).all(axis=1).any())
