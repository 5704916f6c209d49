"""How SUN RGB-D writes its boxes: VoteNet's label lines and arrays, and the ten classes that are detected.

All of them have half lengths and a direction in the plane, in the frame of the points: x right, y ahead, z up, the
camera at the origin. In a label line w comes before l, and l lies along the direction; an array has l before w, and a
heading that grows clockwise seen from above.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.npy import read_npy
from s4tok.datasets.formats.text import read_lines
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array

CLASSES = (
    "bed", "table", "sofa", "chair", "toilet", "desk", "dresser", "night stand", "bookshelf", "bathtub",
)  # fmt: skip
IDS = {name.replace(" ", "_"): number for number, name in enumerate(CLASSES)}  # as the files have them
FIELDS, COLUMNS = 13, 8  # of a label line, of an array


class Thing(NamedTuple):
    """An annotated object of any class."""

    name: str
    center: tuple[float, ...]
    half: tuple[float, ...]  # w, l, h
    direction: tuple[float, ...]  # of l, in the plane
    box_2d: tuple[float, ...] = ()  # left, top, width and height in the image, where they are known


def boxes_of(things: Iterable[Thing]) -> OrientedBoxes:
    """Take the objects of the ten classes."""
    known = [thing for thing in things if thing.name in IDS]
    half: Array = np.array([thing.half for thing in known]).reshape(-1, 3)
    direction: Array = np.array([thing.direction for thing in known]).reshape(-1, 2)
    return OrientedBoxes.of(
        [IDS[thing.name] for thing in known],
        np.array([thing.center for thing in known]).reshape(-1, 3),
        2 * half[:, [1, 0, 2]],
        np.arctan2(direction[:, 1], direction[:, 0]),
    )


def read_label(path: Path) -> list[Thing]:
    """Read the label lines of an image; one without objects has none."""
    if path.is_file() and not path.stat().st_size:
        return []
    things = []
    for number, line in enumerate(read_lines(path), start=1):
        words = line.split()
        if not words:
            continue
        try:
            values = tuple(map(float, words[1:]))
        except ValueError:
            values = ()
        if len(words) != FIELDS or not np.isfinite(values).all() or len(values) != FIELDS - 1 or min(values[7:10]) < 0:
            raise DamagedFile(path, f"a label is a name and {FIELDS - 1} numbers, sizes at least 0", line=number)
        things.append(Thing(words[0], values[4:7], values[7:10], values[10:], values[:4]))
    return things


def read_array(path: Path) -> OrientedBoxes:
    """Read a `_bbox.npy`: a row of centre, half lengths, heading and class a box."""
    rows = read_npy(path)
    if rows.size == 0:
        return OrientedBoxes.none()
    if rows.ndim != 2 or rows.shape[1] != COLUMNS or rows.dtype.kind != "f" or not np.isfinite(rows).all():
        raise DamagedFile(path, f"must have {COLUMNS} finite numbers a box, and is {rows.dtype} {rows.shape}")
    labels = rows[:, 7]
    if not np.isin(labels, np.arange(len(CLASSES))).all() or (rows[:, 3:6] < 0).any():
        raise DamagedFile(path, f"has classes outside 0 .. {len(CLASSES) - 1}, or sizes below 0")
    return OrientedBoxes.of(labels.astype(np.int64), rows[:, :3], 2 * rows[:, 3:6], -rows[:, 6])
