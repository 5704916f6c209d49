"""Tables of numbers as text: columns apart by blanks, commas or semicolons, a comment after #, a line a row."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.shapes import Array, Float64

SHOWN = 20  # characters of a broken word that a message shows


class TextTable(NamedTuple):
    """The rows of a text, and the line each stands on, for messages."""

    rows: Float64[Array, "n c"]
    lines: Sequence[int]

    def finite(self, path: Path) -> "TextTable":
        """Refuse coordinates, the first three columns, that are not finite, naming the line."""
        broken = ~np.isfinite(self.rows[:, :3]).all(axis=1)
        if broken.any():
            row = int(broken.argmax())
            values = " ".join(f"{value:g}" for value in self.rows[row, :3])
            raise DamagedFile(path, f"coordinates must be finite, and these are {values}", line=self.lines[row])
        return self

    def column(self, number: int, kind: str | np.dtype[Any], path: Path) -> Array:
        """Give a column in the type that its file says it has; a number that this does not hold is refused."""
        values, dtype = self.rows[:, number], np.dtype[Any](kind)
        if dtype.kind in "iu" and len(values):
            limits = np.iinfo(dtype)
            broken = ~((values >= limits.min) & (values < limits.max + 1.0) & (values == np.round(values)))
            if broken.any():
                row = int(broken.argmax())
                sentence = f"{values[row]:g} stands where a whole number of {limits.min} to {limits.max} belongs"
                raise DamagedFile(path, sentence, line=self.lines[row])
        with np.errstate(over="ignore"):  # too large for a float is infinite, which is refused where it matters
            return values.astype(dtype)


def read_table(path: Path, columns: int | None = None) -> TextTable:
    """Read a text of numbers; every row has `columns` of them, or as many as the first."""
    return parse_table(read_lines(path), path, columns=columns)


def read_lines(path: Path) -> list[str]:
    """Read a text's lines; a byte of zero, the trace of a broken download, is told with its line."""
    return lines_of(read_bytes(path), path)


def lines_of(data: bytes, path: Path) -> list[str]:
    """Cut a text that has been read into lines, as `read_lines` does."""
    hole = data.find(b"\0")
    if hole >= 0:
        raise DamagedFile(path, "has a NUL byte", "get the file again.", line=data.count(b"\n", 0, hole) + 1)
    # Latin-1 never fails: a stray byte is then told as the word it stands in, with its line.
    return data.decode("latin-1").removeprefix("\xef\xbb\xbf").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def read_bytes(path: Path) -> bytes:
    """Read a file, or say why it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedFile(path, f"cannot be read: {error.strerror}") from error
    if not data:
        raise DamagedFile(path, "is empty", "get the file again.")
    return data


def parse_table(
    lines: Sequence[str],
    path: Path,
    *,
    columns: int | None = None,
    numbers: Sequence[int] | None = None,
    loose: bool = True,
) -> TextTable:
    """Turn lines into numbers, and name the first that is not as the others by its number, from 1 where not given.

    Empty lines and comments are passed over; where not `loose`, every line has to be a row, for rows are counted.
    """
    kept, kept_numbers = [], []
    for number, line in zip(numbers or range(1, len(lines) + 1), lines, strict=True):
        words = line.partition("#")[0].strip() if loose and "#" in line else line.strip()
        if not words and not loose:
            raise DamagedFile(path, "is empty where a row of numbers belongs", line=number)
        if words:
            kept.append(words)
            kept_numbers.append(number)
    if not kept:
        raise DamagedFile(path, "has no numbers", "get the file again.")
    separator = next((mark for mark in ",;" if mark in kept[0]), None)
    columns = columns or len(kept[0].split(separator))
    try:
        rows = np.loadtxt(kept, delimiter=separator, ndmin=2, comments=None)
    except ValueError as error:
        raise _first_broken_line(kept, kept_numbers, path, separator, columns) from error
    if rows.shape[1] != columns:
        raise _first_broken_line(kept, kept_numbers, path, separator, columns)
    return TextTable(rows, kept_numbers)


def _first_broken_line(
    kept: Sequence[str], numbers: Sequence[int], path: Path, separator: str | None, columns: int
) -> DamagedFile:
    for line, number in zip(kept, numbers, strict=True):
        words = line.split(separator)
        for word in words:
            try:
                float(word)
            except ValueError:
                return DamagedFile(path, f"{word.strip()[:SHOWN]!r} is not a number", line=number)
        if len(words) != columns:
            return DamagedFile(path, f"{len(words)} numbers in a row, where {columns} belong", line=number)
    return DamagedFile(path, "is not a table of numbers")  # what float() takes and a table does not, such as 1_000
