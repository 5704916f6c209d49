"""Boxes as `segment --boxes` and `detect` write them, read again."""

import json
from pathlib import Path
from typing import NamedTuple

from s4tok.config import Axis
from s4tok.dependencies import first_line
from s4tok.errors import InputError, S4TokError, choose
from s4tok.geometry.placement import AXES
from s4tok.oriented_boxes import OrientedBoxes

ENDING = ".boxes.json"


class NamedBoxes(NamedTuple):
    """Boxes in the coordinates of a cloud's file, what their labels are called, and the axis that is up there."""

    boxes: OrientedBoxes
    names: list[str]
    up: Axis

    def words(self) -> list[str]:
        """Give the name of each box's label."""
        return [self.names[label] for label in self.boxes.labels]


def read_boxes(path: Path) -> NamedBoxes:
    """Read a file of boxes.

    Raises:
        InputError: For a file that s4tok has not written.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        rows, up = found["boxes"], str(found["up"])
        columns = {name: [row[name] for row in rows] for name in ("label", "center", "size", "yaw")}
        names = list(dict.fromkeys(map(str, columns["label"])))
        labels = [names.index(str(label)) for label in columns["label"]]
        boxes = OrientedBoxes.of(labels, columns["center"], columns["size"], columns["yaw"])
        upward: Axis = choose("axis", up, {axis: axis for axis in AXES})
    except (ValueError, KeyError, TypeError, S4TokError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else first_line(error)
        raise InputError(
            f"{path} does not hold boxes as s4tok writes them: {what}.", "s4tok detect writes them."
        ) from error
    return NamedBoxes(boxes, names, upward)
