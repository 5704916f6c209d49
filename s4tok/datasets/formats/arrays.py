"""Points in files that say nothing of what their columns mean: .txt, .xyz, .npy, .npz and .h5 by habit and by name."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from s4tok.datasets.formats.contents import Contents, byte_colors, whole_numbers
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.hdf5 import open_hdf5
from s4tok.datasets.formats.npy import Npz, read_npy
from s4tok.datasets.formats.text import parse_table, read_lines
from s4tok.shapes import Array, Real

UNIT = 1e-2  # how far a written normal's length may be from 1

# What arrays and columns are called, most usual first.
POINTS = ("points", "xyz", "coord", "coords", "pos", "positions", "data", "pc", "arr_0")
COLOR = ("color", "colors", "rgb")
NORMALS = ("normals", "normal")
LABELS = ("labels", "label", "segment", "semantic", "classification", "class")
AXES = {
    "points": (("x", "y", "z"),),
    "color": (("r", "g", "b"), ("red", "green", "blue")),
    "normals": (("nx", "ny", "nz"), ("normal_x", "normal_y", "normal_z")),
}
MOST_CLASSES = 64  # of a column that is taken for labels, where it may be a channel of a colour
ASK = 'say so in a first line, "x y z r g b label" or "x y z intensity r g b", or name the arrays of an .npz.'
COLUMNS_HINT = "columns are x y z, then colours or normals, then a label; or name them in the first line."


def read_text(path: Path) -> Contents:
    """Read a text of points; a first line may name the columns or count the rows."""
    lines = read_lines(path)
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    words = [
        word.strip().lower() for word in lines[start].replace("/", " ").replace(";", ",").replace(",", " ").split()
    ]
    names = words if {"x", "y", "z"} <= set(words) else None
    counted = len(words) == 1 and words[0].isdigit()
    skipped = start + 1 if names or counted else start
    table = parse_table(lines[skipped:], path, numbers=range(skipped + 1, len(lines) + 1))
    if counted and int(words[0]) != len(table.rows):
        sentence = f"counts {words[0]} rows in its first line, and has {len(table.rows):,}"
        raise DamagedFile(path, sentence, "correct the count, or get the file again.", line=start + 1)
    if table.rows.shape[1] < 3:
        raise DamagedFile(path, f"{table.rows.shape[1]} numbers a row, where x, y and z belong", line=table.lines[0])
    if names is None:
        table.finite(path)
        return by_habit(table.rows, path, table.lines)
    if len(names) != table.rows.shape[1]:
        sentence = f"{table.rows.shape[1]} numbers a row, and the first line names {len(names)} columns"
        raise DamagedFile(path, sentence, line=table.lines[0])
    return _by_columns(dict(zip(names, table.rows.T, strict=True)), path, table.lines)


def read_npy_points(path: Path) -> Contents:
    """Read an (n, 3 or more) array of points."""
    return by_habit(_table(read_npy(path), path, "it"), path)


def read_npz(path: Path) -> Contents:
    """Read points, and what else there is, by the names of the arrays."""
    archive = Npz(path)
    return _by_names(list(archive), archive.__getitem__, path)


def read_h5(path: Path) -> Contents:
    """Read points, and what else there is, by the names of the datasets."""
    with open_hdf5(path) as file:
        return _by_names([name for name in (*POINTS, *COLOR, *NORMALS, *LABELS) if name in file], file.read, path)


def by_habit(table: Real[Array, "n c"], path: Path, lines: Sequence[int] | None = None) -> Contents:
    """Tell what columns mean by their number and values: x y z, then colours, normals or both, then a label.

    Three columns after the coordinates are normals where every row is of length 1, else colours where they fit. Seven
    may also be x y z, intensity and a colour; where both fit, the user is asked.
    """
    n_columns = table.shape[1]
    if n_columns not in (3, 4, 6, 7, 9, 10):
        raise DamagedFile(path, f"has {n_columns} columns: cannot tell which are colours or normals", COLUMNS_HINT)
    if n_columns == 7 and not _are_normals(table[:, 3:6]) and _may_be_colors(table[:, 4:7]):
        raise DamagedFile(path, "has 7 columns, of which the last three may be a colour after an intensity", ASK)
    color = normals = None
    for at in (3, 6):
        if n_columns < at + 3:
            break
        three = table[:, at : at + 3]
        if _are_normals(three):
            normals = three
        elif np.isfinite(three).all() and three.min() >= 0 and three.max() <= 255:
            color = byte_colors(three)
        else:
            raise DamagedFile(path, f"columns {at + 1} to {at + 3} are neither normals nor colours", COLUMNS_HINT)
    labels = None if n_columns % 3 == 0 else whole_numbers(table[:, -1], path, "labels, the last column,", lines, ASK)
    return Contents(table[:, :3], color=color, normals=normals, labels=labels)


def _are_normals(three: Real[Array, "n 3"]) -> bool:
    length = np.linalg.norm(three.astype(np.float64), axis=1)
    known = np.isfinite(length) & (length > 0)
    return bool(known.any() and (np.abs(length[known] - 1) <= UNIT).all())


def _may_be_colors(three: Real[Array, "n 3"]) -> bool:
    """Tell whether columns may be bytes of a colour, the last of which takes more values than labels do."""
    is_bytes = bool(((three >= 0) & (three <= 255) & (three == np.round(three))).all())
    return is_bytes and len(np.unique(three[:, 2])) > min(MOST_CLASSES, len(three) // 2)


def _by_columns(columns: dict[str, Array], path: Path, lines: Sequence[int]) -> Contents:
    def triple(what: str) -> Array | None:
        for names in AXES[what]:
            if set(names) <= set(columns):
                return np.stack([columns[name] for name in names], axis=1)
        return None

    label = next((columns[name] for name in LABELS if name in columns), None)
    points, color = triple("points"), triple("color")
    if points is None:
        raise DamagedFile(path, "has no columns x, y and z", COLUMNS_HINT)
    return Contents(
        points,
        color=None if color is None else byte_colors(color),
        normals=triple("normals"),
        labels=None if label is None else whole_numbers(label, path, "labels", lines),
    )


def _by_names(names: Iterable[str], read: Callable[[str], Array], path: Path) -> Contents:
    by_lower = {name.lower(): name for name in names}

    def first(candidates: Sequence[str]) -> Array | None:
        return next((read(by_lower[name]) for name in candidates if name in by_lower), None)

    points = first(POINTS)
    if points is None:
        there = f"; it has {', '.join(by_lower)}" if by_lower else ""
        raise DamagedFile(path, f"has no array called {', '.join(POINTS[:3])} or the like{there}", COLUMNS_HINT)
    table = by_habit(_table(points, path, "its points"), path)
    color, normals, labels = first(COLOR), first(NORMALS), first(LABELS)
    if color is not None and color.ndim == 2 and color.shape[1] == 4:
        color = color[:, :3]  # how opaque a point is, nobody asks
    return Contents(
        table.points,
        color=table.color if color is None else byte_colors(color),
        normals=table.normals if normals is None else normals,
        labels=table.labels if labels is None else whole_numbers(labels.reshape(-1), path, "labels"),
    )


def _table(array: Array, path: Path, what: str) -> Array:
    if array.ndim != 2 or not len(array) or array.shape[1] < 3:
        hint = "save each cloud in a file of its own, as (n, 3)." if array.ndim == 3 else COLUMNS_HINT
        raise DamagedFile(path, f"{what} must be (n, 3 or more), and is {array.shape}", hint)
    return array
