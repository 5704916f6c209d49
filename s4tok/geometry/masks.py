"""Masks of an image as one map of ids: 0 where there is none, 1 .. r elsewhere, int32 however many there are."""

from typing import NamedTuple

import numpy as np

from s4tok.shapes import Array, Bool, Int, Int32


class Runs(NamedTuple):
    """A map written row after row as runs of one id: what a cache keeps."""

    ids: Int32[Array, " r"]
    lengths: Int32[Array, " r"]


def stacked(masks: Bool[Array, "r h w"]) -> Int32[Array, "h w"]:
    """Lay masks on each other, the smaller ones on top; mask i has the id i + 1, and of equals the later one is on top.

    A mask that smaller ones cover wholly is gone.
    """
    ids = np.zeros(masks.shape[1:], np.int32)
    for mask in np.argsort(-masks.sum(axis=(1, 2)), kind="stable"):
        ids[masks[mask]] = mask + 1
    return ids


def without_small(ids: Int[Array, "..."], smallest: int) -> Int32[Array, "..."]:
    """Take masks of fewer than so many places away, and number the others from 1 on, in the order of their ids."""
    known, index, counts = np.unique(ids, return_inverse=True, return_counts=True)
    stays = (counts >= smallest) & (known > 0)
    number = np.where(stays, np.cumsum(stays), 0).astype(np.int32)
    renumbered: Array = number[index.reshape(ids.shape)]
    return renumbered


def resized(ids: Int[Array, "h w"], shape: tuple[int, ...]) -> Int32[Array, "h2 w2"]:
    """Bring a map to another size, rows and columns each by their own scale: every pixel takes the one at its middle.

    Ids are names, and are never averaged.
    """
    rows, columns = (
        np.minimum((np.arange(wanted) + 0.5) * (found / wanted), found - 1).astype(np.int64)
        for found, wanted in zip(ids.shape, shape, strict=True)
    )
    taken: Array = ids[rows[:, None], columns].astype(np.int32)
    return taken


def to_runs(ids: Int32[Array, "h w"]) -> Runs:
    """Write a map as runs, which may go on from one row to the next."""
    flat = ids.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[:1] - 1))
    return Runs(flat[starts], np.diff(starts, append=len(flat)).astype(np.int32))


def from_runs(runs: Runs, shape: tuple[int, ...]) -> Int32[Array, "h w"]:
    """Read a map that was written as runs."""
    ids: Array = np.repeat(runs.ids, runs.lengths).reshape(shape)
    return ids
