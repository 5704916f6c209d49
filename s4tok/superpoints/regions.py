"""Superpoints from masks of images: a region for each mask of enough points, groups of neighbours for the rest."""

from math import ceil

import numpy as np

from s4tok.geometry import farthest_points, nearest
from s4tok.geometry.masks import without_small
from s4tok.shapes import Array, Float, Int, Int32
from s4tok.superpoints.labels import dense


def regions(xyz: Float[Array, "n 3"], ids: Int[Array, " n"], smallest: int, group: int) -> Int32[Array, " n"]:
    """Turn the mask of each point, 0 for none, into labels without gaps.

    Masks of fewer than `smallest` points are dropped. Points without a mask join the nearest of so many farthest points
    among them that a group has about `group`.
    """
    labels = without_small(ids, smallest)
    rest = np.flatnonzero(labels == 0)
    if len(rest):
        centers = farthest_points(xyz[rest], ceil(len(rest) / group))
        labels[rest] = labels.max() + 1 + nearest(xyz[rest][centers], xyz[rest], 1).indices[:, 0]
    return dense(labels)


def covered(ids: Int[Array, " n"], smallest: int) -> float:
    """Give the share of points that lie in a mask of enough points."""
    return float((without_small(ids, smallest) > 0).mean())
