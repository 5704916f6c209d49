"""Windows over a cloud that is too large for one look: vertical columns that overlap, and how much each says where."""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

import numpy as np

from s4tok.errors import UsageError
from s4tok.shapes import Array, Float, Float64, Int

MOST = 20_000  # windows; more of them is a unit of length that was misunderstood
FAINTEST = 1e-3  # a window's say at its very edge, so that every point hears somebody


class Window(NamedTuple):
    """Points that are looked at together, and how much each believes what it is told here."""

    which: Int[Array, " k"]
    weight: Float64[Array, " k"]  # falls towards a border that another window reaches over; 0 for mere company


def windows(xyz: Float[Array, "n 3"], up: str, size: float, overlap: float, smallest: int = 1) -> Iterator[Window]:
    """Lay square columns over a cloud, evenly, neighbours sharing at least `overlap`; every point lies in one.

    Args:
        xyz: The cloud.
        up: The axis along which columns are not cut.
        size: Of a column's side, in the cloud's unit; 0 takes the cloud whole.
        overlap: What two neighbours share.
        smallest: Points a window holds at least; a column of fewer takes the nearest others in, as company.
    """
    if size <= 0:
        yield Window(np.arange(len(xyz)), np.ones(len(xyz)))
        return
    if overlap >= size:
        raise UsageError(f"windows of {size:g} cannot overlap by {overlap:g}.", "take larger windows.")
    flat = xyz[:, ["xyz".index(axis) for axis in "xyz" if axis != up]].astype(np.float64)
    low, extent = flat.min(axis=0), np.ptp(flat, axis=0)
    counts = [1 if length <= size else ceil((length - overlap) / (size - overlap)) for length in extent]
    if counts[0] * counts[1] > MOST:
        raise UsageError(
            f"the cloud is {extent[0]:,.4g} x {extent[1]:,.4g} units across, which are {counts[0] * counts[1]:,} "
            f"windows of {size:g}.",
            "windows are in metres: --scale 0.001 reads millimetres, a larger --window makes fewer.",
        )
    starts = [low[axis] + np.linspace(0, max(extent[axis] - size, 0), counts[axis]) for axis in (0, 1)]
    for first in range(counts[0]):
        say = _say(flat[:, 0], starts[0], first, size, overlap)
        strip = np.flatnonzero(say)
        for second in range(counts[1]):
            both = say[strip] * _say(flat[strip, 1], starts[1], second, size, overlap)
            inside = both > 0
            if not inside.any():
                continue
            index, weight = strip[inside], both[inside]
            if len(index) < min(smallest, len(flat)):
                middle = np.array([starts[0][first], starts[1][second]]) + size / 2
                index, weight = _joined_by_others(flat, index, weight, middle, smallest)
            yield Window(index, weight)


def _say(
    along: Float64[Array, " n"], starts: Float64[Array, " w"], which: int, size: float, overlap: float
) -> Float64[Array, " n"]:
    """Weigh points by their place in a window along one axis: 0 outside, 1 where nobody else has a say."""
    inwards = np.full(len(along), np.inf)
    if which > 0:
        inwards = along - starts[which]
    if which < len(starts) - 1:
        inwards = np.minimum(inwards, starts[which] + size - along)
    weight: Array = np.where(inwards >= 0, np.clip(inwards / max(overlap, FAINTEST * size), FAINTEST, 1), 0)
    return weight


def _joined_by_others(
    flat: Float64[Array, "n 2"],
    index: Int[Array, " k"],
    weight: Float64[Array, " k"],
    middle: Float64[Array, "2"],
    smallest: int,
) -> tuple[Int[Array, " m"], Float64[Array, " m"]]:
    say = np.zeros(len(flat))
    say[index] = weight
    far = np.square(flat - middle).sum(axis=1)
    far[index] = -1
    all_of_them = np.sort(np.argpartition(far, min(smallest, len(flat)) - 1)[:smallest])
    return all_of_them, say[all_of_them]
