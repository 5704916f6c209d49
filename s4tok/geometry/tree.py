"""A tree of boxes over points, and the nearest of them: exact, in float64, and quicker than SciPy's where compiled."""

from typing import NamedTuple

import numpy as np

from s4tok.compiled import compiled, is_compiling
from s4tok.geometry.neighbors import nearest
from s4tok.shapes import Array, Float64, Int, Int32

LEAF = 20  # points of a leaf at most; 12 and 30 took as long


class Tree(NamedTuple):
    """Points in the order of their leaves; node i has the children 2 i + 1 and 2 i + 2."""

    xyz: Float64[Array, "n 3"]  # leaf after leaf
    order: Int[Array, " n"]  # where each stood
    start: Int[Array, " nodes"]  # the points of each node
    stop: Int[Array, " nodes"]
    box: Float64[Array, "nodes 6"]  # its lowest corner, and its highest


class Finder:
    """Finds the nearest of some points.

    Where loops are not compiled SciPy's tree answers, and of several points that are equally far as the last may take
    others.
    """

    def __init__(self, points: Float64[Array, "m 3"]) -> None:
        self.points = np.ascontiguousarray(points)
        self._tree = build(self.points) if is_compiling() else None

    def nearest(self, queries: Float64[Array, "n 3"], k: int) -> Int32[Array, "n k"]:
        """Find the k nearest points of each query, nearest first; of equally near ones the lower index comes first.

        It is quickest where queries come in an order of space.
        """
        k = min(k, len(self.points))
        if self._tree is None:
            found = nearest(self.points, queries, k)
            ranks = np.lexsort((found.indices, found.distances), axis=1)
            return np.take_along_axis(found.indices, ranks, axis=1).astype(np.int32)
        return _query(self._tree, np.ascontiguousarray(queries), k)


def in_space(points: Float64[Array, "n 3"]) -> Int[Array, " n"]:
    """Order points leaf by leaf of a tree, so that those that follow each other are near each other."""
    return build(np.ascontiguousarray(points)).order


@compiled
def build(points: Float64[Array, "n 3"]) -> Tree:
    """Halve the points again and again, across the longest side of their box, along which a leaf's are sorted."""
    n, depth = len(points), 0
    while n >> depth > LEAF:
        depth += 1
    n_nodes = (1 << (depth + 1)) - 1
    order, box = np.arange(n), np.empty((n_nodes, 6))
    start, stop = np.zeros(n_nodes, np.int64), np.zeros(n_nodes, np.int64)
    columns = np.ascontiguousarray(points.T)
    stop[0] = n
    for node in range(n_nodes):
        low, high = start[node], stop[node]
        longest, axis = -1.0, 0
        for side in range(3):
            least, most = np.inf, -np.inf
            for place in range(low, high):
                value = columns[side, order[place]]
                least, most = min(least, value), max(most, value)
            box[node, side], box[node, 3 + side] = least, most
            if most - least > longest:
                longest, axis = most - least, side
        if 2 * node + 2 < n_nodes:
            middle = (low + high) >> 1
            _halve(columns[axis], order, low, high, middle)
            start[2 * node + 1], stop[2 * node + 1] = low, middle
            start[2 * node + 2], stop[2 * node + 2] = middle, high
        else:
            _sort(columns[axis], order, low, high)
    return Tree(points[order], order, start, stop, box)


@compiled
def _halve(values: Float64[Array, " n"], order: Int[Array, " n"], low: int, high: int, middle: int) -> None:
    """Order `order[low:high]` so far that none before the middle has a larger value than one behind (quickselect)."""
    high -= 1
    while low < high:
        one, two, three = values[order[low]], values[order[(low + high) >> 1]], values[order[high]]
        pivot = max(min(one, two), min(max(one, two), three))
        left, right = low, high
        while left <= right:
            while values[order[left]] < pivot:
                left += 1
            while values[order[right]] > pivot:
                right -= 1
            if left <= right:
                order[left], order[right] = order[right], order[left]
                left += 1
                right -= 1
        if middle <= right:
            high = right
        elif middle >= left:
            low = left
        else:
            return


@compiled
def _sort(values: Float64[Array, " n"], order: Int[Array, " n"], low: int, high: int) -> None:
    """Sort `order[low:high]` by value, so that but for ties a tree does not depend on the order of its points."""
    for place in range(low + 1, high):
        point, here = order[place], place
        while here > low and values[order[here - 1]] > values[point]:
            order[here] = order[here - 1]
            here -= 1
        order[here] = point


@compiled
def _query(tree: Tree, queries: Float64[Array, "n 3"], k: int) -> Int32[Array, "n k"]:
    """Answer queries, each of them near the last at best, whose farthest neighbour bounds its own."""
    indices = np.empty((len(queries), k), np.int32)
    near, who = np.empty(k), np.empty(k, np.int64)
    stack, away = np.empty(64, np.int64), np.empty(64)
    first_leaf, bound = len(tree.start) >> 1, np.inf
    last = queries[0]
    for query in range(len(queries)):
        here = queries[query]
        step = np.sqrt((here[0] - last[0]) ** 2 + (here[1] - last[1]) ** 2 + (here[2] - last[2]) ** 2)
        near[:] = (np.sqrt(bound) + step) ** 2 * (1 + 1e-9)
        who[:] = len(tree.order)
        stack[0], away[0], top = 0, 0.0, 1
        while top > 0:
            top -= 1
            node, distance = stack[top], away[top]
            while distance <= near[k - 1] and node < first_leaf:
                one, other = 2 * node + 1, 2 * node + 2
                to_one, to_other = distance_to_box(tree.box[one], here), distance_to_box(tree.box[other], here)
                if to_other < to_one:
                    one, other, to_one, to_other = other, one, to_other, to_one
                stack[top], away[top] = other, to_other
                top += 1
                node, distance = one, to_one
            if distance <= near[k - 1]:
                _take(tree, node, here, near, who)
        for rank in range(k):
            indices[query, rank] = who[rank]
        last, bound = here, near[k - 1]
    return indices


@compiled
def distance_to_box(box: Float64[Array, "6"], point: Float64[Array, "3"]) -> float:
    """Give the squared distance of a point to a box."""
    x = max(box[0] - point[0], point[0] - box[3], 0.0)
    y = max(box[1] - point[1], point[1] - box[4], 0.0)
    z = max(box[2] - point[2], point[2] - box[5], 0.0)
    squared: float = x * x + y * y + z * z
    return squared


@compiled
def _take(tree: Tree, leaf: int, here: Float64[Array, "3"], near: Float64[Array, " k"], who: Int[Array, " k"]) -> None:
    """Put the points of a leaf among the nearest so far."""
    last = len(near) - 1
    for place in range(tree.start[leaf], tree.stop[leaf]):
        x, y, z = tree.xyz[place, 0] - here[0], tree.xyz[place, 1] - here[1], tree.xyz[place, 2] - here[2]
        distance, index = x * x + y * y + z * z, tree.order[place]
        if distance > near[last] or (distance == near[last] and index > who[last]):
            continue
        rank = last
        while rank > 0 and (near[rank - 1] > distance or (near[rank - 1] == distance and who[rank - 1] > index)):
            near[rank], who[rank] = near[rank - 1], who[rank - 1]
            rank -= 1
        near[rank], who[rank] = distance, index
