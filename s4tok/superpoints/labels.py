"""Labels of superpoints: 0 .. s-1 without gaps, int32, one a point."""

from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import connected_components

from s4tok.errors import InputError
from s4tok.geometry import Graph, Neighbors
from s4tok.shapes import Array, Float64, Int, Int32


def dense(ids: Int[Array, " n"]) -> Int32[Array, " n"]:
    """Number groups by their first point, whatever they were called."""
    _, first, group = np.unique(ids, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    labels: Array = rank[group.reshape(-1)]
    return labels


def connected(ids: Int[Array, " n"], graph: Graph) -> Int32[Array, " n"]:
    """Break groups up into parts that hold together in the graph."""
    same = ids[graph.low] == ids[graph.high]
    inside = Graph(graph.low[same], graph.high[same], graph.weight[same], graph.n_points)
    return dense(connected_components(inside.matrix(), directed=False)[1])


def validated(ids: ArrayLike, n_points: int, name: str = "labels") -> Int32[Array, " n"]:
    """Take a user's superpoint ids, one a point and of any value, as labels.

    Raises:
        InputError: With what is wrong, in one sentence.
    """
    array = np.asarray(ids)
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.floor(array)).all():
        array = array.astype(np.int64)  # as text files give them
    if array.dtype.kind not in "iu":
        raise InputError(f"{name}: superpoint ids must be whole numbers, and these are {array.dtype}.")
    if array.shape != (n_points,):
        raise InputError(
            f"{name}: there must be {n_points} superpoint ids, one a point, and the array is {array.shape}.",
            "are they those of another resolution of the same scene?",
        )
    return dense(array)


def merge_remnants(
    labels: Int[Array, " n"], features: Float64[Array, "n d"], neighbors: Neighbors, smallest: int
) -> Int32[Array, " n"]:
    """Give what is left of superpoints under `smallest` points to the most similar neighbour.

    For clouds that were cut whole and then sampled: a third to a half of the superpoints keep fewer than 5 points
    (A21). `features` and `neighbors` are those of the sampled points; similarity is the distance of the means of
    features. A remnant without any other superpoint around stays.
    """
    ids = dense(labels)
    size = np.bincount(ids)
    total = np.stack([np.bincount(ids, column) for column in features.T], axis=1)
    source = np.repeat(ids, neighbors.indices.shape[1]).astype(np.int64)
    borders = np.unique(source * len(size) + ids[neighbors.indices.ravel()])
    around: list[set[int]] = [set() for _ in size]
    for one, other in zip(*(part.tolist() for part in np.divmod(borders, len(size))), strict=True):
        around[one].add(other)
    home = np.arange(len(size))
    waiting = [(int(size[one]), int(one)) for one in np.flatnonzero(size < smallest)]
    heapify(waiting)
    while waiting:  # the smallest first: its points may lift a neighbour over the threshold
        count, remnant = heappop(waiting)
        others = np.array(sorted({int(home[other]) for other in around[remnant]} - {remnant}), np.int64)
        if home[remnant] != remnant or count != size[remnant] or not len(others):
            continue
        means = total[others] / size[others, None]
        best = others[np.linalg.norm(means - total[remnant] / count, axis=1).argmin()]
        keep, gone = sorted((int(best), remnant))
        home[home == gone] = keep
        size[keep] += size[gone]
        total[keep] += total[gone]
        around[keep] |= around[gone]
        if size[keep] < smallest:
            heappush(waiting, (int(size[keep]), keep))
    return dense(home[ids])
