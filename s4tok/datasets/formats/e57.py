"""E57, the exchange format of terrestrial scanners, through pye57: all scans of a file as one cloud."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.errors import MissingError
from s4tok.shapes import Array

MAGIC = b"ASTM-E57"
AXES = ("cartesianX", "cartesianY", "cartesianZ")
COLOR = ("colorRed", "colorGreen", "colorBlue")
INVALID = ("cartesianInvalidState", "sphericalInvalidState")  # of a point in which a scanner has found nothing
LEAST_BITS = 8  # of a point, on average; a file that promises more points than that is refused


def read_e57(path: Path) -> Contents:
    """Read points where the scans' poses place them, with colours where every scan has them."""
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            head = opened.read(len(MAGIC))
    except OSError as error:
        raise DamagedFile(path, f"cannot be read: {error.strerror}") from error
    if head != MAGIC:
        raise DamagedFile(path, "is no E57 file: it does not begin with ASTM-E57")
    try:
        pye57 = import_module("pye57")
    except ImportError as error:
        hint = 'pip install "s4tok[e57]", or write it as .las or .ply, for example with CloudCompare.'
        raise MissingError("pye57, which reads E57 files, is not here.", hint) from error
    try:
        file = pye57.E57(str(path))
        promised = sum(file.get_header(number).point_count for number in range(file.scan_count))
        if promised * LEAST_BITS > 8 * size:
            raise DamagedFile(path, f"promises {promised:,} points in {size:,} bytes; it is refused")
        scans = [_read_scan(file, number) for number in range(file.scan_count)]
    except DamagedFile:
        raise
    except Exception as error:  # pye57 raises whatever libE57 and its own parsing meet
        raise DamagedFile(path, f"is no whole E57 file: {type(error).__name__}: {error}") from error
    if not scans:
        raise DamagedFile(path, "has no scans")
    points, color, present = zip(*scans, strict=True)
    valid = np.concatenate(present)
    return Contents(
        np.concatenate(points),
        color=np.concatenate(color) if all(each is not None for each in color) else None,
        present=None if valid.all() else valid,
    )


def _read_scan(file: Any, number: int) -> tuple[Array, Array | None, Array]:
    """Read a scan's valid points, their colours, and which of its rows they are."""
    header = file.get_header(number)
    has_color = set(COLOR) <= set(header.point_fields)
    read = file.read_scan(number, colors=has_color, ignore_missing_fields=True)
    points = np.stack([read[axis] for axis in AXES], axis=1)
    present = np.ones(header.point_count, bool)
    if state := next((name for name in INVALID if name in header.point_fields), None):
        present = file.read_scan_raw(number, ignore_unsupported_fields=True)[state] == 0
    color = np.stack([read[name] for name in COLOR], axis=1).astype(np.uint8) if has_color else None
    return points, color, present
