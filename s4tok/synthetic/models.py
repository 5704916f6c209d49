"""Furniture chosen from the models of the furniture libraries, at true size."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from s4tok.datasets.reader import EmptySplit, FolderLayout
from s4tok.datasets.sh3d import SH3D
from s4tok.datasets.sh3d.catalogue import Piece
from s4tok.datasets.sh3d.library import digest
from s4tok.datasets.sh3d.words import read_words
from s4tok.synthetic.furniture import Fits, Furniture, Kind, Procedural
from s4tok.synthetic.objects import Object, on_grid
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.simplified import simplified

FINE = 1 / 16  # of the longest side: no side of a textured face is longer, four or five points of a scan of a table


@dataclass(frozen=True)
class Models(Furniture):
    """The models of one split's libraries; what they lack is made. Holds places and names only."""

    layout: FolderLayout
    split: str

    def make(self, kind: Kind, draw: Draw, fits: Fits) -> Object | None:
        """Choose a model of the kind that fits, each as likely as the others."""
        pieces = [
            piece
            for piece in _of_words(self.layout, self.split, kind.models)
            if kind.hangs[0] <= piece.elevation <= kind.hangs[1]
        ]
        fitting = [piece for piece in pieces if kind.holds(outline(piece)) and fits(outline(piece))]
        if not fitting:
            return Procedural().make(kind, draw, fits)
        return model(self.layout, self.split, draw.pick(fitting).key)

    @property
    def identity(self) -> str:
        """Tell the libraries by what lies in them."""
        return _identity(self.layout, self.split)


def outline(piece: Piece) -> Object:
    """Give the top and the bottom of a model's box, by which its size is weighed before it is read."""
    width, height, depth = (side / 2 for side in piece.size)
    flat = np.array([(-width, -depth), (width, -depth), (width, depth), (-width, depth)])
    corners = np.concatenate([np.insert(flat, 1, level, axis=1) for level in (2 * height, 0.0)])
    faces = np.array([(0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7)])
    return Object("", corners, faces, np.array([0, 0, 2, 2]), np.zeros(4, np.int64))


@cache
def model(layout: FolderLayout, split: str, key: str) -> Object:
    """Read a model and make it simple, once a process."""
    opened = _opened(layout, split)
    assert opened is not None
    vertices, faces, colors = simplified(opened.mesh(key, FINE))
    low, high = vertices.min(0), vertices.max(0)
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    nothing = np.full(len(faces), -1)
    elevation = opened.pieces[key].elevation
    return Object("", on_grid(vertices - foot), faces, nothing, nothing, np.round(colors, 3), elevation, key)


@cache
def _of_words(layout: FolderLayout, split: str, words: tuple[str, ...]) -> tuple[Piece, ...]:
    opened, known = _opened(layout, split), read_words()
    keys = [] if opened is None else [key for key in opened.keys if key in known]
    chosen = [key for key in keys if known[key].kind in words or known[key].name in words]
    return tuple(opened.pieces[key] for key in chosen if not opened.pieces[key].is_opening) if opened else ()


@cache
def _opened(layout: FolderLayout, split: str) -> SH3D | None:
    try:
        return SH3D("sh3d", layout, split)
    except EmptySplit:
        return None


@cache
def _identity(layout: FolderLayout, split: str) -> str:
    opened = _opened(layout, split)
    used = sorted({key.partition("/")[0] for key in opened.keys}) if opened else []
    return "+".join(f"{library}-{digest(opened.sources[library])}" for library in used) if opened else "none"
