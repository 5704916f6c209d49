"""Borders of pieces, moved point by point where that lowers the energy, and parts that then hold together."""

from typing import NamedTuple

import numpy as np

from s4tok.compiled import compiled
from s4tok.shapes import Array, Float64, Int, Int32

LEAST = 1e-9  # by which a move lowers the energy, so that rounding moves no point back and forth


class Edges(NamedTuple):
    """Each point's edges: those of point i stand from `first[i]` up to `first[i + 1]`."""

    first: Int[Array, " m"]
    target: Int32[Array, " h"]
    price: Float64[Array, " h"]


class Pieces(NamedTuple):
    """Pieces, named by numbers of points, and what they hold."""

    of: Int32[Array, " n"]  # the piece of each point
    sizes: Int[Array, " n"]
    total: Float64[Array, "n d"]  # sum of the features


@compiled
def edges_of(n: int, low: Int[Array, " e"], high: Int[Array, " e"], price: Float64[Array, " e"]) -> Edges:
    """List the edges of each of n points."""
    first = np.zeros(n + 1, np.int64)
    for edge in range(len(low)):
        first[low[edge] + 1] += 1
        first[high[edge] + 1] += 1
    first = first.cumsum()
    free = first[:-1].copy()
    target, prices = np.empty(2 * len(low), np.int32), np.empty(2 * len(low))
    for edge in range(len(low)):
        one, other = low[edge], high[edge]
        target[free[one]], prices[free[one]] = other, price[edge]
        target[free[other]], prices[free[other]] = one, price[edge]
        free[one] += 1
        free[other] += 1
    return Edges(first, target, prices)


@compiled
def straighten(named: Int32[Array, " n"], features: Float64[Array, "n d"], edges: Edges) -> Int32[Array, " n"]:
    """Move points to neighbouring pieces while that lowers the energy; none is left empty, but some may fall apart."""
    n = len(named)
    pieces = Pieces(named.copy(), np.zeros(n, np.int64), np.zeros(features.shape))
    queue, waits, count = np.empty(n, np.int32), np.zeros(n, np.bool_), 0
    for point in range(n):
        _add(pieces, features, point, named[point], 1)
        for edge in range(edges.first[point], edges.first[point + 1]):
            waits[point] = waits[point] or named[edges.target[edge]] != named[point]
        if waits[point]:
            queue[count] = point
            count += 1
    near, saved, first = np.empty(n, np.int32), np.zeros(n), 0
    while first < count:
        point = queue[first % n]
        first, waits[point] = first + 1, False
        goal = _best(pieces, features, edges, point, near, saved)
        if goal == pieces.of[point]:
            continue
        _add(pieces, features, point, int(pieces.of[point]), -1)
        _add(pieces, features, point, goal, 1)
        pieces.of[point] = goal
        for edge in range(edges.first[point], edges.first[point + 1]):
            other = edges.target[edge]
            if not waits[other] and pieces.of[other] != goal:
                queue[count % n], waits[other] = other, True
                count += 1
    return pieces.of


@compiled
def parts(pieces: Int32[Array, " n"], edges: Edges) -> Int32[Array, " n"]:
    """Name the parts of pieces that hold together, each by its first point."""
    n = len(pieces)
    part, stack = np.full(n, -1, np.int32), np.empty(n, np.int32)
    for point in range(n):
        if part[point] >= 0:
            continue
        part[point], stack[0], top = point, point, 1
        while top > 0:
            top -= 1
            here = stack[top]
            for edge in range(edges.first[here], edges.first[here + 1]):
                other = edges.target[edge]
                if part[other] < 0 and pieces[other] == pieces[point]:
                    part[other], stack[top] = point, other
                    top += 1
    return part


@compiled
def _add(pieces: Pieces, features: Float64[Array, "n d"], point: int, piece: int, sign: int) -> None:
    pieces.sizes[piece] += sign
    for channel in range(features.shape[1]):
        pieces.total[piece, channel] += sign * features[point, channel]


@compiled
def _best(
    pieces: Pieces,
    features: Float64[Array, "n d"],
    edges: Edges,
    point: int,
    near: Int32[Array, " n"],
    saved: Float64[Array, " n"],
) -> int:
    """Find the piece in which a point costs least: its own, or one around it."""
    home, n_near = pieces.of[point], 0
    if pieces.sizes[home] == 1:
        return int(home)
    for edge in range(edges.first[point], edges.first[point + 1]):
        other = pieces.of[edges.target[edge]]
        if saved[other] == 0:
            near[n_near] = other
            n_near += 1
        saved[other] += edges.price[edge]
    least, goal = _cost(pieces, features, point, home, -1) - saved[home] - LEAST, home
    for place in range(n_near):
        other = near[place]
        cost = np.inf if other == home else _cost(pieces, features, point, other, 1) - saved[other]
        if cost < least:
            least, goal = cost, other
        saved[other] = 0.0
    return int(goal)


@compiled
def _cost(pieces: Pieces, features: Float64[Array, "n d"], point: int, piece: int, sign: int) -> float:
    """Say what a piece's squares rise by when a point comes (sign 1), or fall by when it goes (-1)."""
    squares, size = 0.0, pieces.sizes[piece]
    for channel in range(features.shape[1]):
        squares += (features[point, channel] - pieces.total[piece, channel] / size) ** 2
    cost: float = squares * size / (size + sign)
    return cost
