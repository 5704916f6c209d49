"""One model of a furniture library as a mesh: at its size, upright, with its colours and its parts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from s4tok.datasets.dataset import Mesh
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.ears import cut_ears
from s4tok.datasets.formats.mtl import Material, parse_mtl
from s4tok.datasets.formats.obj import Surface, Wavefront, parse_obj
from s4tok.datasets.formats.text import lines_of
from s4tok.datasets.frames import decode_texture
from s4tok.datasets.painting import FINE, Paint, Triangles, painted
from s4tok.datasets.sh3d.catalogue import Piece
from s4tok.shapes import Array, Bool, Float32, Float64, Int

SAME = 1e-6  # of the longest side: corners nearer than this are one


def read_model(
    piece: Piece,
    files: Mapping[str, bytes],
    path: Path,
    part_of: Callable[[Surface], int] | None = None,
    fine: float = FINE,
) -> Mesh:
    """Make the mesh of a piece from the files of its folder; `part_of` labels the surfaces its faces belong to.

    Sides of textured faces are no longer than `fine` of its longest side.

    Metres, y up, its front along +z; it stands on y = 0 in the middle of x and z.
    """
    place = path / piece.model
    found = parse_obj(lines_of(files[piece.model], place), place, textured=True)
    if not (found.lengths > 2).any():
        raise DamagedFile(place, "has no faces")
    materials = _materials(piece, files, found.libraries, path)
    paints = [_paint(materials.get(each.material, Material()), piece, files, path) for each in found.surfaces]
    labels = np.array([part_of(each) if part_of else -1 for each in found.surfaces])
    seen, color = painted(_triangles(found, piece, labels), paints, fine)
    if not len(seen.corners):
        raise DamagedFile(place, "has no face that can be seen")
    faces = np.arange(3 * len(seen.corners)).reshape(-1, 3)
    return Mesh(seen.corners.reshape(-1, 3), faces, color.reshape(-1, 3), seen.labels if part_of else None)


def _triangles(found: Wavefront, piece: Piece, labels: Int[Array, " t"]) -> Triangles:
    corners = _at_size(found.vertices[found.corners, :3], piece)
    cut = cut_ears(corners, found.lengths)
    n_triangles = np.maximum(found.lengths - 2, 0)
    cut = cut[np.repeat(_are_single(corners, found.lengths), n_triangles)]
    polygon = np.repeat(np.arange(len(found.lengths)), found.lengths)[cut[:, 0]]
    known = np.concatenate([found.uv, np.full((1, 2), np.nan)])  # the last row is for NO_UV
    surface_of = found.surface_of[polygon]
    return Triangles(corners[cut], known[found.uv_corners[cut]], surface_of, labels[surface_of])


def _are_single(corners: Float64[Array, "k 3"], lengths: Int[Array, " n"]) -> Bool[Array, " n"]:
    """Keep one of the polygons that have the same corners: cloth is often modelled twice, once for each side.

    The first of each is kept, or the last, whichever face away from the model's middle on the whole.
    """
    grain = SAME * float(np.ptp(corners, axis=0).max()) or 1.0
    starts = np.cumsum(lengths) - lengths
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    first, last, outwards = np.zeros(len(lengths), bool), np.zeros(len(lengths), bool), np.zeros(len(lengths))
    for length in np.unique(lengths[lengths > 2]):
        chosen = np.flatnonzero(lengths == length)
        own = corners[starts[chosen, None] + np.arange(length)]
        normals = np.cross(own[:, 1:-1] - own[:, :1], own[:, 2:] - own[:, :1]).sum(axis=1)
        outwards[chosen] = ((own.mean(axis=1) - middle) * normals).sum(axis=1)
        places = (own / grain).round().astype(np.int64)
        order = np.lexsort(places.transpose(2, 0, 1))  # of each polygon's corners: where it begins is one
        alike = np.take_along_axis(places, order[..., None], axis=1).reshape(len(chosen), -1)
        first[chosen[np.unique(alike, axis=0, return_index=True)[1]]] = True
        last[chosen[::-1][np.unique(alike[::-1], axis=0, return_index=True)[1]]] = True
    return first if outwards[first].sum() >= outwards[last].sum() else last


def _at_size(corners: Float64[Array, "k 3"], piece: Piece) -> Float64[Array, "k 3"]:
    """Turn a model as its catalogue says, and stretch its box to the catalogue's size, as Sweet Home 3D does."""
    turned = corners @ piece.turn.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    extent = high - low
    scale = np.divide(piece.size, extent, out=np.zeros(3), where=extent > 0)
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    placed: Array = (turned - foot) * scale
    return placed


def _materials(piece: Piece, files: Mapping[str, bytes], libraries: Sequence[str], path: Path) -> dict[str, Material]:
    """Read the material files a model names; where they are not there, those that lie beside it."""
    beside = sorted(name for name in files if name.lower().endswith(".mtl"))
    named = [name for each in libraries if (name := _beside(piece, each)) in files]
    materials: dict[str, Material] = {}
    for name in named or beside:
        materials |= parse_mtl(lines_of(files[name], path / name))
    return materials


def _paint(material: Material, piece: Piece, files: Mapping[str, bytes], path: Path) -> Paint:
    """Find a material's picture; one that was never published leaves the material's colour."""
    name = _beside(piece, material.picture)
    picture: Float32[Array, "h w 4"] | None = None
    if material.picture and name in files:
        picture = (decode_texture(files[name], path / name) / 255).astype(np.float32)
    return Paint(np.array(material.color, np.float32), material.opacity, picture)


def _beside(piece: Piece, name: str) -> str:
    return (PurePosixPath(piece.model).parent / name).as_posix()
