"""What ScanNet's annotations say of each vertex: its class, its object, and the boxes around the objects.

Boxes are those that detection is trained and tested on: around all vertices of an object, along the axes of the scan
once it is aligned, and only of 18 classes. They are given in the scan's own frame, in which they are turned.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_lines
from s4tok.datasets.scannet_labels import (
    BOX_CLASSES,
    CLASSES,
    Annotated,
    classes_of_nyu40,
    read_aggregation,
    vertex_objects,
)
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Int, Real

STRUCTURE = len(CLASSES) - len(BOX_CLASSES)  # the first classes, which have no boxes
TOLERANCE = 1e-3  # of an alignment's turn


class Annotation(NamedTuple):
    """What is known of a scan's vertices and objects."""

    classes: Int[Array, " n"]
    instances: Int[Array, " n"]  # the objects' ids; -1 for none
    boxes: OrientedBoxes


def annotation(
    points: Real[Array, "n 3"],
    segments: Int[Array, " n"],
    aggregation: Path,
    nyu40_of: Mapping[str, int],
    turn: float,
) -> Annotation:
    """Read a scan's objects, where the scan is aligned by a turn of so many radians."""
    objects = read_aggregation(aggregation)
    places = vertex_objects(segments, objects, aggregation)
    of_objects = classes_of_nyu40(np.array([nyu40_of.get(each.category, 0) for each in objects] + [0]))
    ids = np.array([each.id for each in objects] + [-1])
    return Annotation(of_objects[places], ids[places], _boxes(points, places, objects, of_objects, turn))


def read_turn(facts: Path) -> float:
    """Read by how many radians a scan is turned about the vertical to lie along the axes: 0 where it is not said."""
    lines = [line.partition("=") for line in read_lines(facts)] if facts.is_file() else []
    words = next((value.split() for name, _, value in lines if name.strip() == "axisAlignment"), None)
    if words is None:
        return 0.0
    try:
        matrix = np.array(words, np.float64).reshape(4, 4)
    except ValueError as error:
        raise DamagedFile(facts, "has an axisAlignment that is not 16 numbers") from error
    turn = float(np.arctan2(matrix[1, 0], matrix[0, 0]))
    cosine, sine = np.cos(turn), np.sin(turn)
    upright = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    if not np.abs(matrix[:3, :3] - upright).max() <= TOLERANCE:
        raise DamagedFile(facts, "has an axisAlignment that is no turn about the vertical")
    return turn


def _boxes(
    points: Real[Array, "n 3"],
    places: Int[Array, " n"],
    objects: Sequence[Annotated],
    classes: Int[Array, " _"],
    turn: float,
) -> OrientedBoxes:
    cosine, sine = np.cos(turn), np.sin(turn)
    to_aligned = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    chosen = [place for place in np.unique(places[places >= 0]).tolist() if classes[place] >= STRUCTURE]
    spans: list[Array] = []
    for place in chosen:
        aligned = points[places == place].astype(np.float64) @ to_aligned.T
        spans.append(np.stack([aligned.min(axis=0), aligned.max(axis=0)]))
    low_high: Array = np.array(spans).reshape(-1, 2, 3)
    low, high = low_high[:, 0], low_high[:, 1]
    return OrientedBoxes.of(
        classes[chosen] - STRUCTURE,
        (low + high) / 2 @ to_aligned,
        high - low,
        np.full(len(chosen), -turn),
        instances=[objects[place].id for place in chosen],
    )
