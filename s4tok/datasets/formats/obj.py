"""Wavefront OBJ: vertices with or without colours, polygons; materials and textures are passed over."""

from pathlib import Path

import numpy as np

from s4tok.datasets.formats.contents import Contents, byte_colors
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.faces import checked_faces, fans
from s4tok.datasets.formats.text import parse_table, read_lines


def read_obj(path: Path) -> Contents:
    """Read vertices and faces; a file without faces holds points."""
    vertices: list[str] = []
    numbers: list[int] = []
    corners: list[int] = []
    lengths: list[int] = []
    lines = read_lines(path)
    for number, line in enumerate(lines, 1):
        words = line.split()
        keyword = words[0] if words else ""
        if keyword == "v":
            vertices.append(" ".join(words[1:]))
            numbers.append(number)
        elif keyword == "f":
            try:
                polygon = [int(word.partition("/")[0]) for word in words[1:]]
            except ValueError as error:
                raise DamagedFile(path, f"{line.strip()[:40]!r} is no face", line=number) from error
            if max(map(abs, polygon), default=0) > len(lines):
                raise DamagedFile(path, f"{line.strip()[:40]!r} has a corner that does not exist", line=number)
            # Counted from 1, or backwards from the last vertex so far; 0 is neither and is refused with the others.
            corners += [corner - 1 if corner >= 0 else len(vertices) + corner for corner in polygon]
            lengths.append(len(polygon))
    if not vertices:
        raise DamagedFile(path, "has no vertices", "get the file again.")
    values = parse_table(vertices, path, numbers=numbers, loose=False).finite(path).rows
    if values.shape[1] not in (3, 4, 6, 7):
        raise DamagedFile(
            path, f"{values.shape[1]} numbers a vertex, where 3 belong, or 6 with colours", line=numbers[0]
        )
    faces = None
    if lengths:
        faces = checked_faces(fans(np.array(corners, np.int64), np.array(lengths, np.int64)), len(values), path)
    color = values[:, -3:] if values.shape[1] >= 6 else None
    return Contents(values[:, :3], color=None if color is None else byte_colors(color), faces=faces)
