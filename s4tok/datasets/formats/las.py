"""LAS 1.0 to 1.4, the format of airborne and mobile scanners; .laz, its compressed twin, needs laspy."""

import struct
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes
from s4tok.errors import MissingError
from s4tok.shapes import Array, Real

HEADER = 227  # bytes of the header up to the bounding box's end, the same in every version
# Of each point format: its least length in bytes, where the class lies, its bits, and where red begins.
FORMATS = {
    0: (20, 15, 31, None), 1: (28, 15, 31, None), 2: (26, 15, 31, 20), 3: (34, 15, 31, 28), 4: (57, 15, 31, None),
    5: (63, 15, 31, 28), 6: (30, 16, 255, None), 7: (36, 16, 255, 30), 8: (38, 16, 255, 30), 9: (59, 16, 255, None),
    10: (67, 16, 255, 30),
}  # fmt: skip
AFTER = ((3, 227), (4, 235))  # from which minor version on, and where, the header says what follows the points
COMPRESSED = 0x80  # a bit of the format's number


class LasHeader(NamedTuple):
    """Where the points lie and how they are scaled."""

    offset: int
    end: int
    point_format: int
    length: int
    points: int
    scale: tuple[float, float, float]
    shift: tuple[float, float, float]


def read_las(path: Path) -> Contents:
    """Read points with their classification as labels, and colours where the point format has them."""
    data = read_bytes(path)
    header = _read_header(data, path)
    if header.point_format & COMPRESSED:
        return _read_laz(path)
    if header.point_format not in FORMATS:
        raise DamagedFile(path, f"has point format {header.point_format}, and 0 to {max(FORMATS)} are known")
    least, class_at, class_bits, red_at = FORMATS[header.point_format]
    held = header.end - header.offset
    left = held - header.length * header.points
    if header.length < least or left < 0 or left >= header.length:
        raise DamagedFile(
            path,
            f"promises {header.points:,} points of {header.length} bytes and holds {max(held, 0):,} bytes of points",
            "get the file again; it is cut short." if left < 0 else "correct its header.",
        )
    rows = np.frombuffer(data, np.uint8, header.length * header.points, header.offset).reshape(-1, header.length)
    xyz = np.ascontiguousarray(rows[:, :12]).view("<i4").reshape(-1, 3)
    color = None if red_at is None else np.ascontiguousarray(rows[:, red_at : red_at + 6]).view("<u2").reshape(-1, 3)
    return Contents(
        xyz * np.array(header.scale) + np.array(header.shift),
        color=_colors(color),
        labels=(rows[:, class_at] & class_bits).astype(np.int64),
    )


def _read_header(data: bytes, path: Path) -> LasHeader:
    if len(data) < HEADER or data[:4] != b"LASF":
        raise DamagedFile(path, "is no LAS file, or only the beginning of one", "get the file again.")
    minor = data[25]
    offset, _, point_format, length, points = struct.unpack_from("<IIBHI", data, 96)
    if minor >= 4 and len(data) >= 255:
        points = struct.unpack_from("<Q", data, 247)[0] or points
    numbers = struct.unpack_from("<6d", data, 131)
    if not np.isfinite(numbers).all() or 0 in numbers[:3]:
        raise DamagedFile(path, f"has the scale and offset {numbers}, which place no point")
    # Waveforms and long records may follow the points; in versions that have them, the header says where.
    after = [struct.unpack_from("<Q", data, at)[0] for version, at in AFTER if minor >= version and len(data) >= at + 8]
    end = min([start for start in after if start >= offset] + [len(data)])
    return LasHeader(offset, end, point_format, length, points, numbers[:3], numbers[3:])


def _read_laz(path: Path) -> Contents:
    hint = 'pip install "laspy[lazrs]", or write it as .las, for example with PDAL.'
    try:
        laspy = import_module("laspy")
    except ImportError as error:
        raise MissingError("the file is compressed (.laz), and laspy, which reads that, is not here.", hint) from error
    try:
        points = laspy.read(path)
    except Exception as error:  # laspy and its two codecs share no base class
        if "backend" in str(error).lower():
            raise MissingError("the file is compressed (.laz), and laspy has no codec.", hint) from error
        raise DamagedFile(path, f"is no whole .laz file: {error}", "get the file again.") from error
    names = set(points.point_format.dimension_names)
    has_color = {"red", "green", "blue"} <= names
    return Contents(
        np.asarray(points.xyz),
        color=_colors(np.stack([points.red, points.green, points.blue], axis=1)) if has_color else None,
        labels=np.asarray(points.classification).astype(np.int64),
    )


def _colors(color: Real[Array, "n 3"] | None) -> Real[Array, "n 3"] | None:
    if color is None or not len(color):
        return None
    # The standard asks for 16 bits; many writers leave 8-bit colours as they are.
    return color.astype(np.uint8) if color.max() <= 255 else color
