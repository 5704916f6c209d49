"""ScanNet's 20 classes, and the way from annotated segments to the class of each vertex."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes, read_lines
from s4tok.shapes import Array, Int

# Name of each class, by its id among the 40 of NYU; the benchmark evaluates these 20 and no other.
NYU40 = {
    1: "wall", 2: "floor", 3: "cabinet", 4: "bed", 5: "chair", 6: "sofa", 7: "table", 8: "door", 9: "window",
    10: "bookshelf", 11: "picture", 12: "counter", 14: "desk", 16: "curtain", 24: "refrigerator",
    28: "shower curtain", 33: "toilet", 34: "sink", 36: "bathtub", 39: "otherfurniture",
}  # fmt: skip
CLASSES = tuple(NYU40.values())
BOX_CLASSES = CLASSES[2:]  # of detection: all but wall and floor; VoteNet calls the last one garbagebin
LARGEST_JSON = 512 * 2**20  # bytes; the full-resolution segs.json of the largest scan stays far below
AGAIN = "download it again."
LABEL_TABLE = "scannetv2-labels.combined.tsv"


def classes_of_nyu40(ids: Int[Array, " n"]) -> Int[Array, " n"]:
    """Give the class of each NYU40 id, -1 where it is none of the 20."""
    table: Array = np.full(max(NYU40) + 2, -1, dtype=np.int64)  # the last row is for every id beyond the table
    table[list(NYU40)] = np.arange(len(NYU40))
    known = (ids >= 0) & (ids <= max(NYU40))
    classes: Array = table[np.where(known, ids, max(NYU40) + 1)]
    return classes


def read_label_table(path: Path) -> dict[str, int]:
    """Read the NYU40 id of each raw category."""
    lines = read_lines(path)
    columns = lines[0].split("\t")
    missing = [name for name in ("raw_category", "nyu40id") if name not in columns]
    if missing:
        raise DamagedFile(path, f"has no column {missing[0]}", f"it should be {LABEL_TABLE}.", 1)
    category, nyu40 = columns.index("raw_category"), columns.index("nyu40id")
    table = {}
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if not line.strip():
            continue
        if len(cells) != len(columns) or not cells[nyu40].isdecimal():
            raise DamagedFile(path, "is no row of ScanNet's label table", f"download {LABEL_TABLE} again.", number)
        table[cells[category]] = int(cells[nyu40])
    return table


def read_segments(path: Path, n_vertices: int) -> Int[Array, " n"]:
    """Read the segment of each vertex of the `_vh_clean_2` mesh, numbered as in the file."""
    ids = _json(path).get("segIndices")
    if not _are_segments(ids):
        raise DamagedFile(path, "has no list of whole numbers 'segIndices'", AGAIN)
    if len(ids) != n_vertices:
        raise DamagedFile(
            path,
            f"numbers {len(ids)} vertices, and the mesh beside it has {n_vertices}.",
            "segments belong to one mesh: ..._vh_clean_2.0.010000.segs.json to ..._vh_clean_2.ply, "
            "..._vh_clean.segs.json to ..._vh_clean.ply.",
        )
    return np.array(ids, dtype=np.int64)


class Annotated(NamedTuple):
    """An annotated object of a scan."""

    category: str  # raw
    segments: list[int]
    id: int


def read_aggregation(path: Path) -> list[Annotated]:
    """Read the annotated objects in the file's order."""
    groups = _json(path).get("segGroups")
    if not isinstance(groups, list):
        raise DamagedFile(path, "has no list 'segGroups'", AGAIN)
    objects = []
    for number, group in enumerate(groups):
        known = group if isinstance(group, dict) else {}
        category, segments, own_id = known.get("label"), known.get("segments"), known.get("objectId", number)
        if not isinstance(category, str) or not _are_segments(segments):
            raise DamagedFile(path, f"has a group, number {number}, without a label or a list of segments", AGAIN)
        if type(own_id) is not int or not 0 <= own_id < 2**31:
            raise DamagedFile(path, f"has a group, number {number}, whose objectId is no whole number", AGAIN)
        objects.append(Annotated(category, segments, own_id))
    return objects


def vertex_objects(segments: Int[Array, " n"], objects: Sequence[Annotated], aggregation: Path) -> Int[Array, " n"]:
    """Give each vertex the place, in the list of objects, of the one whose segment it lies in; -1 for none.

    A later object wins, as in ScanNet's tools.
    """
    ids, where = np.unique(segments, return_inverse=True)
    claimed = np.fromiter({segment for each in objects for segment in each.segments}, dtype=np.int64)
    unknown = np.setdiff1d(claimed, ids)
    if len(unknown):
        raise DamagedFile(
            aggregation,
            f"annotates {len(claimed)} segments, and {len(unknown)} of them, first {unknown[0]}, are in no vertex",
            "..._vh_clean.aggregation.json speaks of the full-resolution mesh; <scan>.aggregation.json is wanted.",
        )
    places: Array = np.full(len(ids), -1)
    for place, each in enumerate(objects):
        places[np.searchsorted(ids, each.segments)] = place
    return places[where]


def _are_segments(ids: object) -> TypeGuard[list[int]]:
    return isinstance(ids, list) and all(type(one) is int and 0 <= one < 2**63 for one in ids)


def _json(path: Path) -> dict[str, object]:
    if path.stat().st_size > LARGEST_JSON:
        raise DamagedFile(path, f"has {path.stat().st_size} bytes, more than any of ScanNet's files.")
    content_bytes = read_bytes(path)
    try:
        content = json.loads(content_bytes)
    except (ValueError, RecursionError) as error:
        raise DamagedFile(path, f"is not JSON ({error}).", AGAIN) from error
    if not isinstance(content, dict):
        raise DamagedFile(path, f"holds a {type(content).__name__}, and ScanNet's file holds an object.")
    return content
