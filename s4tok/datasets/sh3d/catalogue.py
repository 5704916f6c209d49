"""The catalogue of a furniture library: its models, their names, sizes and authors."""

import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.properties import parse_properties
from s4tok.datasets.formats.text import lines_of
from s4tok.shapes import Array, Float64

FILE = "PluginFurnitureCatalog.properties"
LARGEST_SIDE = 1e5  # cm
SIDES = ("width", "height", "depth", "elevation")  # in cm
FIELDS = ("name", "tags", "category", "model", "modelRotation", "doorOrWindow", "creator", *SIDES)
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


class Piece(NamedTuple):
    """One model of a library as its catalogue has it."""

    library: str
    model: str  # its .obj file in the library
    name: str  # in English
    shelf: str  # "Living room", "Kitchen", ...
    tags: tuple[str, ...]
    creator: str
    size: tuple[float, float, float]  # metres along x, y (up) and z (its front looks along +z)
    rotation: tuple[float, ...] = UPRIGHT  # of the file's axes into these, row by row
    elevation: float = 0.0  # metres of its lowest point above the floor
    is_opening: bool = False  # a door or a window, which lies in a wall

    @property
    def key(self) -> str:
        """Name it by its library and its file."""
        return f"{self.library}/{PurePosixPath(self.model).stem}"

    @property
    def turn(self) -> Float64[Array, "3 3"]:
        """Give the rotation as a matrix."""
        return np.array(self.rotation, np.float64).reshape(3, 3)


def read_catalogue(data: bytes, library: str, path: Path) -> list[Piece]:
    """Read the models in the catalogue's order; `path` is what messages call it."""
    values = parse_properties(lines_of(data, path))
    pieces = []
    number = 1
    while f"id#{number}" in values:
        pieces.append(_piece(values, number, library, path))
        number += 1
    if not pieces:
        raise DamagedFile(path, "lists no model", "get the file again.")
    if len({piece.key for piece in pieces}) != len(pieces):
        raise DamagedFile(path, "lists a model twice", "get the file again.")
    return pieces


def _piece(values: Mapping[str, str], number: int, library: str, path: Path) -> Piece:
    own = {name: values.get(f"{name}#{number}", "") for name in FIELDS}
    sides = {name: _meters(own[name], f"{name}#{number}", path) for name in SIDES}
    turn = own["modelRotation"]
    return Piece(
        library=library,
        model=own["model"].lstrip("/"),
        name=own["name"],
        shelf=own["category"],
        tags=tuple(tag.strip() for tag in own["tags"].split(",") if tag.strip()),
        creator=own["creator"],
        size=(sides["width"], sides["height"], sides["depth"]),
        rotation=_numbers(turn, 9, f"modelRotation#{number}", path) if turn else UPRIGHT,
        elevation=sides["elevation"],
        is_opening=own["doorOrWindow"] == "true",
    )


def _meters(text: str, what: str, path: Path) -> float:
    [value] = _numbers(text or "0", 1, what, path)
    if not 0 <= value <= LARGEST_SIDE:
        raise DamagedFile(path, f"{what} is {value:g} cm, which no model is")
    return value / 100


def _numbers(text: str, count: int, what: str, path: Path) -> tuple[float, ...]:
    try:
        found = tuple(float(word) for word in text.split())
    except ValueError:
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        raise DamagedFile(path, f"{what} must be {count} numbers, and is {text[:40]!r}")
    return found
