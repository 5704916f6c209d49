"""A cloud whose points have labels."""

from collections.abc import Sequence
from typing import NamedTuple

from s4tok.clouds import PointCloud
from s4tok.shapes import Array, Float32, Int

UNKNOWN_NAME = "unknown"  # of label -1


class Labelled(NamedTuple):
    """A cloud with a label a point."""

    cloud: PointCloud
    superpoints: Int[Array, " n"]
    names: Sequence[str]
    scores: Float32[Array, "n t"]  # by which points are named: cosines, less what calibration subtracts
    answers: Int[Array, " n"]  # index into names; -1 for unknown
    truth: Int[Array, " n"] | None = None  # as above, where it is known
    subtracted: Float32[Array, " t"] | None = None  # by calibration, from each name's cosines
    uncalibrated: Int[Array, " n"] | None = None  # what the answers would be without
