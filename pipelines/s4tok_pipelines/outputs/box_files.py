"""Boxes as files: for programs (JSON, CSV), for viewers (PLY wireframes) and for tools that read KITTI's columns."""

import csv
import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

import numpy as np

from s4tok.geometry.box_frames import EDGES, box_corners, turned
from s4tok.oriented_boxes import DIGITS, OrientedBoxes, box_records
from s4tok.rendering.palette import colors_of_names
from s4tok_cache.files import write_whole

COLUMNS = ("label", "score", "x", "y", "z", "width", "depth", "height", "yaw")


def write_boxes(stem: Path, boxes: OrientedBoxes, names: Sequence[str], up: str, formats: Sequence[str]) -> list[str]:
    """Write a cloud's boxes, in the coordinates of its file, where `up` is up, and give the endings of the files.

    Best first; of boxes without scores the score is empty.
    """
    order = np.arange(len(boxes)) if boxes.scores is None else np.argsort(-boxes.scores, kind="stable")
    endings = []
    for name in formats:
        ending, make = WRITERS[name]
        content = make(boxes.take(order), names, up)
        write_whole(stem.with_name(stem.name + ending), content.encode(), parents=True)
        endings.append(ending)
    return endings


def _json(boxes: OrientedBoxes, names: Sequence[str], up: str) -> str:
    rows = ",\n".join(f"    {json.dumps(record)}" for record in box_records(boxes, names))
    return f'{{\n  "up": "{up}",\n  "boxes": [\n{rows}\n  ]\n}}\n'


def _csv(boxes: OrientedBoxes, names: Sequence[str], _: str) -> str:
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for each in box_records(boxes, names):
        rows.writerow([each["label"], each["score"], *each["center"], *each["size"], each["yaw"]])  # type: ignore[misc]
    return text.getvalue()


def _ply(boxes: OrientedBoxes, names: Sequence[str], up: str) -> str:
    """Write the edges of every box, in the colours that labels have."""
    colors = colors_of_names(names)[boxes.labels]
    corners = box_corners(boxes, up).reshape(-1, 3)
    edges = (8 * np.arange(len(boxes))[:, None, None] + EDGES).reshape(-1, 2)
    channels = [f"property uchar {name}" for name in ("red", "green", "blue")]
    header = [
        "ply", "format ascii 1.0", f"element vertex {len(corners)}", *(f"property double {axis}" for axis in "xyz"),
        *channels, f"element edge {len(edges)}", "property int vertex1", "property int vertex2", *channels,
        "end_header",
    ]  # fmt: skip
    lines = [
        f"{x:.{DIGITS}f} {y:.{DIGITS}f} {z:.{DIGITS}f} {r} {g} {b}"
        for (x, y, z), (r, g, b) in zip(corners.tolist(), np.repeat(colors, 8, axis=0).tolist(), strict=True)
    ]
    lines += [
        f"{one} {other} {r} {g} {b}"
        for (one, other), (r, g, b) in zip(edges.tolist(), np.repeat(colors, 12, axis=0).tolist(), strict=True)
    ]
    return "\n".join([*header, *lines]) + "\n"


def _kitti(boxes: OrientedBoxes, names: Sequence[str], up: str) -> str:
    """Write KITTI's columns: what is known of an image is -1, and its axes are x right, y down, z ahead.

    Those are x, -z and y where z is up. A place is the middle of the bottom, and the length lies at the yaw.
    """
    flat = turned(boxes, up, "z")
    scores = np.zeros(len(boxes)) if boxes.scores is None else boxes.scores
    lines = []
    for label, (x, y, z), (length, width, height), yaw, score in zip(
        flat.labels.tolist(), flat.centers, flat.sizes, flat.yaws, scores, strict=True
    ):
        numbers = (height, width, length, x, height / 2 - z, y, -yaw, score)
        written = " ".join(f"{number:.{DIGITS}f}" for number in numbers)
        lines.append(f"{names[int(label)].replace(' ', '_')} -1 -1 -10 -1 -1 -1 -1 {written}\n")
    return "".join(lines)


WRITERS: dict[str, tuple[str, Callable[[OrientedBoxes, Sequence[str], str], str]]] = {
    "json": (".boxes.json", _json),
    "csv": (".boxes.csv", _csv),
    "ply": (".boxes.ply", _ply),
    "kitti": (".boxes.txt", _kitti),
}
