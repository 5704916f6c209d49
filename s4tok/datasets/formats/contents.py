"""What a file of points or of a mesh held, as its format gives it, not yet validated."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s4tok.clouds import PointCloud
from s4tok.config import Axis
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.errors import InputError
from s4tok.shapes import Array, Bool, Int, Real

ABOVE_ONE = 1.5  # of floats: what rounding leaves above 1 in colours of 0 .. 1 stays below it


@dataclass(frozen=True, eq=False)
class Contents:
    """Points or vertices in the file's order, and what the file says of each."""

    points: Real[Array, "n 3"]
    color: Real[Array, "n 3"] | None = None  # integers 0 .. 255 or 0 .. 65535, or floats 0 .. 1
    normals: Real[Array, "n 3"] | None = None
    labels: Int[Array, " n"] | None = None
    faces: Int[Array, "f 3"] | None = None  # None in a file of points; may be empty in a file of a mesh
    face_labels: Int[Array, " f"] | None = None
    present: Bool[Array, " r"] | None = None  # which rows of the file are points, where some are holes
    up: Axis | None = None  # the axis that points up, where the file says so

    def cloud(self, path: Path, name: str) -> PointCloud:
        """Validate the points; what is wrong with them is told with the file's name."""
        try:
            return PointCloud.of(self.points, name=name, color=self.color, normals=self.normals, labels=self.labels)
        except InputError as error:
            raise DamagedFile(path, str(error).removeprefix(f"{name}: "), error.hint) from error


def byte_colors(color: Real[Array, "n 3"]) -> Real[Array, "n 3"]:
    """Take colours written as floats in 0 .. 255 for the bytes they are; of others what is a trifle above 1 is 1."""
    if color.dtype.kind == "f" and len(color) and color.min() >= 0 and 1 < color.max() <= 255:
        return color.clip(max=1) if color.max() < ABOVE_ONE else color.astype("uint8")
    return color


def whole_numbers(
    values: Real[Array, " n"], path: Path, what: str, lines: Sequence[int] | None = None, hint: str = ""
) -> Int[Array, " n"]:
    """Turn labels that a format keeps as floats into integers; `lines` says where each row stands."""
    if values.dtype.kind in "iub":
        return values.astype("int64")
    rounded = values.round()
    broken = (rounded != values) | (abs(rounded) > 2**53)  # true for NaN too
    if broken.any():
        row = int(broken.argmax())
        line = lines[row] if lines else None
        raise DamagedFile(path, f"{what} are whole numbers, and row {row} has {values[row]:g}", hint, line)
    return rounded.astype("int64")
