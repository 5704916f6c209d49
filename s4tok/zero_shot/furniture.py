"""Furniture alone: how right the names of things are, where walls, floors and ceilings are not asked about.

Those make up most of a room, and pre-training on objects has never shown one to a tokenizer.
"""

from collections.abc import Sequence

import numpy as np

from s4tok.metrics.labels import confusion, label_scores
from s4tok.shapes import Array, Int
from s4tok.zero_shot.labelled import Labelled

# What a room is made of, what hangs on that, and what is only called "other things".
STRUCTURE = frozenset(
    ("ceiling", "floor", "wall", "beam", "column", "window", "door", "board", "picture", "curtain", "shower curtain",
     "clutter")
)  # fmt: skip


class Furniture:
    """Count the points of furniture, each called by whichever of furniture's names is nearest."""

    def __init__(self, classes: Sequence[str]) -> None:
        """Take the classes of a dataset of rooms, which are also what its points may be called."""
        self.ids = np.array([number for number, name in enumerate(classes) if name not in STRUCTURE], np.int64)
        self.names = [classes[number] for number in self.ids]
        self._place = np.full(len(classes) + 1, -1)  # the last row is for points without a true class
        self._place[self.ids] = np.arange(len(self.ids))
        self.counts: Int[Array, "c answers"] = np.zeros((len(self.ids), len(self.ids) + 1), np.int64)

    def __call__(self, done: Labelled) -> None:
        """Count one cloud."""
        if done.cloud.labels is None or not len(self.ids):
            return
        truth = self._place[done.cloud.labels]
        self.counts += confusion(truth, done.scores[:, self.ids].argmax(axis=1), len(self.ids))

    @property
    def points(self) -> Int[Array, " c"]:
        """Count the points of each kind."""
        points: Array = self.counts.sum(axis=1)
        return points

    @property
    def miou(self) -> float:
        """Give the mean over kinds; NaN where there is no furniture."""
        return label_scores(self.counts).miou
