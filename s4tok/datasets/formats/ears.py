"""Triangles of polygons that need not be convex, by cutting off ears."""

import numpy as np

from s4tok.datasets.formats.faces import fans
from s4tok.shapes import Array, Bool, Float64, Int

STRAIGHT = 1e-6  # of the polygon's area: a corner that turns inwards by less is taken for straight
MOST_CORNERS = 4096  # of a polygon that is not convex; a larger one is cut as a fan


def cut_ears(points: Float64[Array, "k 3"], lengths: Int[Array, " n"]) -> Int[Array, "f 3"]:
    """Cut polygons into triangles; `points` are all polygons' corners in turn, triangles are rows of these.

    A polygon of l corners gives l - 2 triangles, as in a fan, and its triangles follow each other.
    """
    triangles = fans(np.arange(len(points)), lengths)
    starts = np.cumsum(lengths) - lengths
    first = np.cumsum(np.maximum(lengths - 2, 0)) - np.maximum(lengths - 2, 0)
    for number in np.flatnonzero(_are_concave(points, lengths)):
        start, length = starts[number], lengths[number]
        if length <= MOST_CORNERS:
            ears = _ears(_flat(points[start : start + length]))
            triangles[first[number] : first[number] + length - 2] = start + np.array(ears)
    return triangles


def _are_concave(points: Float64[Array, "k 3"], lengths: Int[Array, " n"]) -> Bool[Array, " n"]:
    if not len(points):
        return np.zeros(len(lengths), bool)
    starts = np.cumsum(lengths) - lengths
    polygon = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(points)) - starts[polygon]
    following = points[starts[polygon] + (place + 1) % lengths[polygon]]
    before = points[starts[polygon] + (place - 1) % lengths[polygon]]
    middle = points[starts[polygon]]  # any point of the polygon: sums of crosses are its area from there
    filled = lengths > 0
    normals = np.zeros((len(lengths), 3))
    normals[filled] = np.add.reduceat(np.cross(points - middle, following - middle), starts[filled])
    area = np.linalg.norm(normals, axis=1)
    turns = (np.cross(points - before, following - points) * normals[polygon]).sum(axis=1)
    inwards = turns < -STRAIGHT * area[polygon] ** 2
    return (np.bincount(polygon, inwards, len(lengths)) > 0) & (lengths > 3)


def _flat(corners: Float64[Array, "k 3"]) -> Float64[Array, "k 2"]:
    """Lay a polygon into a plane, going round counterclockwise."""
    moved = corners - corners[0]
    normal = np.cross(moved, np.roll(moved, -1, axis=0)).sum(axis=0)
    away = int(np.abs(normal).argmax())
    right, up = (away + 1) % 3, (away + 2) % 3
    flat: Array = moved[:, [right, up]] if normal[away] > 0 else moved[:, [up, right]]
    return flat


def _ears(corners: Float64[Array, "k 2"]) -> list[tuple[int, int, int]]:
    left = list(range(len(corners)))
    ears = []
    while len(left) > 3:
        at = next((at for at in range(len(left)) if _is_ear(corners, left, at)), 0)  # a knot has none: cut anywhere
        ears.append((left[at - 1], left[at], left[(at + 1) % len(left)]))
        del left[at]
    return [*ears, (left[0], left[1], left[2])]


def _is_ear(corners: Float64[Array, "k 2"], left: list[int], at: int) -> bool:
    a, b, c = corners[left[at - 1]], corners[left[at]], corners[left[(at + 1) % len(left)]]
    if _side(a, b, c[None])[0] <= 0:
        return False
    others = corners[left]
    inside = (_side(a, b, others) >= 0) & (_side(b, c, others) >= 0) & (_side(c, a, others) >= 0)
    own = (others[:, None] == [a, b, c]).all(axis=2).any(axis=1)  # where a seam leads to a hole, corners come twice
    return not (inside & ~own).any()


def _side(a: Float64[Array, "2"], b: Float64[Array, "2"], points: Float64[Array, "k 2"]) -> Float64[Array, " k"]:
    """Tell on which side of a line points lie: positive on its left."""
    side: Array = (b[0] - a[0]) * (points[:, 1] - a[1]) - (b[1] - a[1]) * (points[:, 0] - a[0])
    return side
