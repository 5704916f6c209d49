"""Farthest point sampling by a tree of boxes, of which a pick visits only what it brings nearer."""

import numpy as np

from s4tok.compiled import compiled
from s4tok.geometry.tree import Tree, build, distance_to_box
from s4tok.shapes import Array, Float64, Int


def farthest_by_tree(points: Float64[Array, "n 3"], m: int, start: int) -> Int[Array, " m"]:
    """Pick up to m points that differ, the picks of `farthest_points`: those of the textbook loop."""
    return _pick(build(np.ascontiguousarray(points)), m, start)


@compiled
def _pick(tree: Tree, m: int, start: int) -> Int[Array, " m"]:
    distance = np.full(len(tree.order), np.inf)
    best = np.empty(len(tree.start), np.int64)  # the place of each node's farthest point
    for node in range(len(tree.start)):
        best[node] = tree.start[node]
    picked = np.empty(m, np.int64)
    here = 0
    for place in range(len(tree.order)):
        if tree.order[place] == start:
            here = place
    for pick in range(m):
        picked[pick] = tree.order[here]
        _bring_nearer(tree, here, distance, best)
        here = best[0]
        if distance[here] == 0:
            return picked[: pick + 1]
    return picked


@compiled
def _bring_nearer(tree: Tree, here: int, distance: Float64[Array, " n"], best: Int[Array, " nodes"]) -> None:
    """Lower the distances of points to the one at `here`, and find each node's farthest point again."""
    point, first_leaf = tree.xyz[here], len(tree.start) >> 1
    stack, top = np.empty(128, np.int64), 1
    stack[0] = 0
    while top > 0:
        top -= 1
        node = stack[top]
        if node < 0:  # both children are done
            best[~node] = _farther(tree, distance, int(best[2 * ~node + 1]), int(best[2 * ~node + 2]))
            continue
        if distance_to_box(tree.box[node], point) >= distance[best[node]]:
            continue
        if node < first_leaf:
            stack[top], stack[top + 1], stack[top + 2] = ~node, 2 * node + 1, 2 * node + 2
            top += 3
            continue
        farthest = int(tree.start[node])
        for place in range(tree.start[node], tree.stop[node]):
            x, y, z = tree.xyz[place, 0] - point[0], tree.xyz[place, 1] - point[1], tree.xyz[place, 2] - point[2]
            distance[place] = min(distance[place], x * x + y * y + z * z)
            farthest = _farther(tree, distance, farthest, place)
        best[node] = farthest


@compiled
def _farther(tree: Tree, distance: Float64[Array, " n"], one: int, other: int) -> int:
    """Give the place of the farther of two points, of the lower index where they are equally far."""
    if distance[other] > distance[one] or (distance[other] == distance[one] and tree.order[other] < tree.order[one]):
        return other
    return one
