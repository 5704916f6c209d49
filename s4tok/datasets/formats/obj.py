"""Wavefront OBJ: vertices with or without colours, polygons, and the object, group and material each belongs to."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.datasets.formats.contents import Contents, byte_colors
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.faces import checked_faces, fans
from s4tok.datasets.formats.text import parse_table, read_lines
from s4tok.shapes import Array, Float64, Int

NO_UV = -1


class Surface(NamedTuple):
    """What a face belongs to; empty where the file does not say."""

    object: str
    group: str
    material: str


class Wavefront(NamedTuple):
    """An OBJ file: vertices, and the corners of its polygons one after another."""

    vertices: Float64[Array, "p c"]  # x y z and what else the file says of each
    uv: Float64[Array, "t 2"]  # places in a texture, from its lower left corner
    corners: Int[Array, " k"]  # the vertex of each corner
    uv_corners: Int[Array, " k"]  # its place in a texture; NO_UV where it has none
    lengths: Int[Array, " n"]  # corners of each polygon; lines and points have fewer than three
    surface_of: Int[Array, " n"]  # the index of each polygon's surface
    surfaces: Sequence[Surface]
    libraries: Sequence[str]  # the material files it names


def read_obj(path: Path) -> Contents:
    """Read vertices and faces, no materials; a file without faces holds points."""
    found = parse_obj(read_lines(path), path)
    values = found.vertices
    if values.shape[1] not in (3, 4, 6, 7):
        raise DamagedFile(path, f"{values.shape[1]} numbers a vertex, where 3 belong, or 6 with colours")
    color = values[:, -3:] if values.shape[1] >= 6 else None
    faces = fans(found.corners, found.lengths) if len(found.lengths) else None
    return Contents(values[:, :3], color=None if color is None else byte_colors(color), faces=faces)


def parse_obj(lines: Sequence[str], path: Path, *, textured: bool = False) -> Wavefront:
    """Read the lines of an OBJ file, without places in textures unless asked; `path` is what messages call it."""
    found = _Statements(path, len(lines), textured)
    for number, line in _statements(lines):
        found.take(line, number)
    if not found.vertices:
        raise DamagedFile(path, "has no vertices", "get the file again.")
    table = parse_table(found.vertices, path, numbers=found.numbers, loose=False)
    uv = np.zeros((0, 2))
    if found.places:
        uv = parse_table(found.places, path, numbers=found.place_numbers, loose=False).rows[:, :2]
    corners = np.array(found.corners, np.int64)
    corners = checked_faces(corners[:, None].repeat(3, axis=1), len(table.rows), path)[:, 0]
    uv_corners = np.array(found.uv_corners, np.int64)
    uv_corners[(uv_corners < 0) | (uv_corners >= len(uv))] = NO_UV
    if len(corners):  # a vertex that no face has may be anything; one that is nowhere goes where a face is
        unused = np.setdiff1d(np.arange(len(table.rows)), corners)
        table.rows[unused[~np.isfinite(table.rows[unused, :3]).all(axis=1)]] = table.rows[corners[0]]
    return Wavefront(
        table.finite(path).rows,
        uv,
        corners,
        uv_corners,
        np.array(found.lengths, np.int64),
        np.array(found.surface_of, np.int64),
        list(found.surfaces),
        found.libraries,
    )


def _statements(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Give each statement with its line; one that ends with a backslash goes on in the next line."""
    begun, start = "", 0
    for number, line in enumerate(lines, 1):
        start = start if begun else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun += line[:-1] + " "
            continue
        yield start, begun + line
        begun = ""
    if begun:
        yield start, begun


class _Statements:
    """What has been read of an OBJ file so far."""

    def __init__(self, path: Path, n_lines: int, textured: bool) -> None:
        self.path, self.n_lines, self.textured = path, n_lines, textured
        self.vertices: list[str] = []
        self.numbers: list[int] = []  # the line of each vertex
        self.places: list[str] = []
        self.place_numbers: list[int] = []
        self.corners: list[int] = []
        self.uv_corners: list[int] = []
        self.lengths: list[int] = []
        self.surface = Surface("", "", "")
        self.surfaces: dict[Surface, int] = {}
        self.surface_of: list[int] = []  # of each polygon
        self.libraries: list[str] = []

    def take(self, line: str, number: int) -> None:
        """Read one line; keywords that say nothing of the surface are passed over."""
        keyword, rest = (*line.split(None, 1), "", "")[:2]
        match keyword:
            case "v":
                self.vertices.append(rest)
                self.numbers.append(number)
            case "f":
                self._polygon(rest, number)
            case "vt" if self.textured:
                self.places.append(rest)
                self.place_numbers.append(number)
            case "o":
                self.surface = self.surface._replace(object=rest.strip())
            case "g":
                self.surface = self.surface._replace(group=rest.strip())
            case "usemtl":
                self.surface = self.surface._replace(material=rest.strip())
            case "mtllib":
                self.libraries.append(rest.strip())

    def _polygon(self, rest: str, number: int) -> None:
        words = rest.split()
        places = [0] * len(words)
        try:
            polygon = [int(word.partition("/")[0]) for word in words]
            if self.textured:
                places = [int(word.split("/")[1] or 0) if "/" in word else 0 for word in words]
        except ValueError as error:
            raise DamagedFile(self.path, f"{rest.strip()[:40]!r} is no face", line=number) from error
        if max(map(abs, polygon), default=0) > self.n_lines:
            raise DamagedFile(self.path, f"{rest.strip()[:40]!r} has a corner that does not exist", line=number)
        # Counted from 1, or backwards from the last vertex so far; 0 is neither and is refused with the others.
        self.corners += [corner - 1 if corner >= 0 else len(self.vertices) + corner for corner in polygon]
        self.uv_corners += [place - 1 if place >= 0 else len(self.places) + place for place in places]
        self.lengths.append(len(polygon))
        self.surface_of.append(self.surfaces.setdefault(self.surface, len(self.surfaces)))
