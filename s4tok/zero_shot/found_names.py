"""Which of many proposed names a cloud keeps: those that superpoints are nearest to, the largest first."""

import numpy as np

from s4tok.shapes import Array, Float32, Int
from s4tok.zero_shot.vocabulary import Words

ALIKE = 0.9  # cosine of two words from which on they mean about the same
SMALLEST = 0.01  # share of a cloud's points that a name is kept for, at least


def found_names(words: Words, means: Float32[Array, "s w"], sizes: Int[Array, " s"], most: int) -> Int[Array, " k"]:
    """Choose rows of the words by vote: each superpoint votes for the nearest name with all its points.

    Where words are parts of several categories, an object is of one of them, or a whole thing: what all its points
    together vote for. Those of other categories are left out, and the votes counted again. Of names that mean about the
    same the one with more points is kept.

    Args:
        words: That are proposed.
        means: Of the points of each superpoint, the score of each word.
        sizes: Points of each superpoint.
        most: Names that are kept at most.
    """
    assert words.categories is not None
    rows = np.arange(len(words.names))
    votes = _votes(means, sizes, rows)
    if len(set(words.categories)) > 1:
        wholes = [category or name for category, name in zip(words.categories, words.names, strict=True)]
        of_each = {whole: votes[[each == whole for each in wholes]].sum() for whole in wholes}
        winner = max(of_each, key=lambda whole: of_each[whole])
        rows = np.flatnonzero([whole == winner for whole in wholes])
        votes = _votes(means, sizes, rows)
    order = np.argsort(-votes, kind="stable")
    return _merged(rows[order[votes[order] >= max(SMALLEST * sizes.sum(), 1)]], words)[:most]


def same_names(words: Words, kept: Int[Array, " k"]) -> Int[Array, " j"]:
    """Give the rows of all words that are called as one of those, as legs of other things are."""
    names = {words.names[each] for each in kept}
    return np.array([row for row, name in enumerate(words.names) if name in names], np.int64)


def _merged(rows: Int[Array, " r"], words: Words) -> Int[Array, " k"]:
    """Leave out names that mean what one before them means."""
    kept = list[int]()
    for row in rows.tolist():
        if not kept or float((words.vectors[kept] @ words.vectors[row]).max()) < ALIKE:
            kept.append(row)
    return np.array(kept, np.int64)


def _votes(means: Float32[Array, "s w"], sizes: Int[Array, " s"], rows: Int[Array, " r"]) -> Array:
    return np.bincount(means[:, rows].argmax(axis=1), sizes, len(rows))
