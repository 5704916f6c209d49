"""Faces as files write them, polygons by any numbering, made into triangles that exist."""

from pathlib import Path

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.shapes import Array, Int, Real


def fans(corners: Real[Array, " k"], lengths: Int[Array, " n"]) -> Int[Array, "f 3"]:
    """Cut polygons into fans of triangles; `corners` lists all polygons', `lengths` how many each has."""
    corners = corners.astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    triangles = np.maximum(lengths - 2, 0)
    first = np.repeat(starts, triangles)
    step = np.arange(len(first)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)


def checked_faces(faces: Int[Array, "f 3"], n_vertices: int, path: Path) -> Int[Array, "f 3"]:
    """Refuse faces with corners that the file does not have."""
    if len(faces) and (faces.min() < 0 or faces.max() >= n_vertices):
        row = int(((faces < 0) | (faces >= n_vertices)).any(axis=1).argmax())
        sentence = f"triangle {row} has the corners {faces[row].tolist()}, and there are {n_vertices:,} vertices"
        raise DamagedFile(path, sentence)
    return faces
