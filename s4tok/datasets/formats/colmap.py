"""The sparse points of COLMAP's reconstructions: points3D.bin and points3D.txt."""

from pathlib import Path

import numpy as np

from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import parse_table, read_bytes, read_lines

COUNT = 8  # bytes of the number of points, which the file begins with
POINT = np.dtype([("id", "<u8"), ("xyz", "<f8", 3), ("rgb", "u1", 3), ("error", "<f8"), ("track", "<u8")])
SEEN = 8  # bytes of each image that a point was seen in, which follow it
COLUMNS = 8  # of a line, before its images: id x y z r g b error


def read_points_bin(path: Path) -> Contents:
    """Read points with their colours; in which images each was seen is passed over."""
    data = read_bytes(path)
    promised = int.from_bytes(data[:COUNT], "little")
    if len(data) < COUNT + promised * POINT.itemsize:
        sentence = f"promises {promised:,} points and holds {len(data):,} bytes"
        raise DamagedFile(path, sentence, "get the file again; it is cut short.")
    at, starts = COUNT, np.empty(promised, np.int64)
    for number in range(promised):
        starts[number] = at
        track = int.from_bytes(data[at + POINT.itemsize - 8 : at + POINT.itemsize], "little")
        at += POINT.itemsize + SEEN * track
        if at > len(data):
            sentence = f"ends in point {number:,} of {promised:,}"
            raise DamagedFile(path, sentence, "get the file again; it is cut short.")
    if at < len(data):
        raise DamagedFile(path, f"goes on after the {promised:,} points it promises", "get the file again.")
    rows = np.frombuffer(data, np.uint8)[starts[:, None] + np.arange(POINT.itemsize)]
    points = np.ascontiguousarray(rows).view(POINT).reshape(-1)
    return Contents(points["xyz"], color=points["rgb"])


def read_points_text(path: Path) -> Contents:
    """Read the same from its text, a line a point."""
    lines = read_lines(path)
    kept = [(number, words) for number, line in enumerate(lines, 1) if (words := line.partition("#")[0].split())]
    short = next((number for number, words in kept if len(words) < COLUMNS or len(words) % 2), None)
    if short is not None:
        raise DamagedFile(path, "has no id, place, colour and error of a point, or half an image", line=short)
    rows = [" ".join(words[:COLUMNS]) for _, words in kept]
    table = parse_table(rows, path, columns=COLUMNS, numbers=[number for number, _ in kept]).finite(path)
    color = np.stack([table.column(number, "u1", path) for number in (4, 5, 6)], axis=1)
    return Contents(table.rows[:, 1:4], color=color)
