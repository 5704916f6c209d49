r"""S3DIS's text files, `x y z r g b` a line, read in spite of the few bytes that are known to be broken.

The damage published so far is a byte in 0 .. 31 in the middle of a number: `103.0\x100000` in Area_5/office_19 and
`185\x00187` in Area_5/hallway_6. Both are the character that belongs there with one bit lost, 0x20: `0` and a space.
So that bit is given back, and the line taken if it then reads as a point; where it does not, the byte is dropped.
Each repair is logged with file and line.
"""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes
from s4tok.shapes import Array, Float64

logger = logging.getLogger(__name__)

TEXT = b"0123456789+-.eE \t\n"
LOST_BIT = 0x20
MOST_REPAIRS = 20  # a file as released has one at most; one with more is not that file
COLUMNS = 6
AGAIN = "unpack or download it again."


class Repair(NamedTuple):
    """One line that was mended."""

    line: int  # from 1
    found: bytes
    read: bytes


def read_points(path: Path) -> Float64[Array, "n 6"]:
    """Read `x y z r g b`, and log what had to be mended.

    Raises:
        DamagedFile: With the line, where one is no point.
    """
    points, repairs = read_and_mend(path)
    for repair in repairs:
        logger.warning("%s:%d: read %r as %r.", path, *repair)
    return points


def read_and_mend(path: Path) -> tuple[Float64[Array, "n 6"], list[Repair]]:
    """Read `x y z r g b`, and tell what had to be mended."""
    text, repairs = mended(path)
    try:
        points = np.loadtxt(io.BytesIO(text), ndmin=2, comments=None)
    except ValueError as error:
        raise _first_fault(text, path) from error
    if points.shape[1] != COLUMNS or _unfit(points):
        raise _first_fault(text, path)
    return points, repairs


def mended(path: Path) -> tuple[bytes, list[Repair]]:
    """Read the text as it should be, and tell what had to be mended; a whole file is only looked through."""
    text = read_bytes(path).replace(b"\r\n", b"\n")
    if not text.strip():
        raise DamagedFile(path, "has no points", AGAIN)
    if not text.translate(None, TEXT):
        return text, []
    lines = text.split(b"\n")
    repairs: list[Repair] = []
    for number, line in enumerate(lines, start=1):
        if not line.translate(None, TEXT):
            continue
        meant = next((reading for reading in _readings(line) if _fault(reading) is None), None)
        if meant is None:
            raise DamagedFile(
                path, f"{_shown(line)} is not x y z r g b, and no known repair makes it so", AGAIN, number
            )
        repairs.append(Repair(number, line, meant))
        lines[number - 1] = meant
        if len(repairs) > MOST_REPAIRS:
            sentence = f"the first of more than {MOST_REPAIRS} lines with bytes that are no text: not a file of S3DIS"
            raise DamagedFile(path, sentence, AGAIN, repairs[0].line)
    return b"\n".join(lines), repairs


def _readings(line: bytes) -> Iterator[bytes]:
    odd = set(line.translate(None, TEXT))
    if max(odd) >= LOST_BIT:
        return  # a letter is not damage of this kind
    yield bytes(byte | LOST_BIT if byte in odd else byte for byte in line)
    yield bytes(byte for byte in line if byte not in odd)


def _first_fault(text: bytes, path: Path) -> DamagedFile:
    for number, line in enumerate(text.split(b"\n"), start=1):
        fault = _fault(line)
        if fault is not None and line.strip():
            return DamagedFile(path, fault, AGAIN, number)
    raise AssertionError("what a table refuses, one of its lines is guilty of")


def _fault(line: bytes) -> str | None:
    """Say why a line is no point; None where it is one."""
    words = line.split()
    if len(words) != COLUMNS:
        return f"{len(words)} numbers in a row, and x y z r g b are {COLUMNS}"
    try:
        values = np.array([[float(word) for word in words]])
    except ValueError:
        return f"{_shown(line)} are not six numbers"
    return (
        f"{_shown(line)} has a coordinate that is not finite or a colour outside 0 .. 255" if _unfit(values) else None
    )


def _unfit(points: Float64[Array, "n 6"]) -> bool:
    rgb = points[:, 3:]
    return not (np.isfinite(points).all() and (rgb >= 0).all() and (rgb <= 255).all())


def _shown(line: bytes) -> str:
    return repr(line.strip()[:80])
