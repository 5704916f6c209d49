"""PLY: points or a mesh, with colours, normals and labels, or Gaussian splats."""

from pathlib import Path

import numpy as np

from s4tok.datasets.formats.contents import Contents, byte_colors, whole_numbers
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.faces import checked_faces, fans
from s4tok.datasets.formats.ply_elements import Lists, read_elements, read_header
from s4tok.datasets.formats.splats import are_gaussians, gaussians
from s4tok.shapes import Array

COLORS = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
LABELS = ("label", "labels", "class", "classification", "scalar_label", "scalar_classification")


def read_ply(path: Path) -> Contents:
    """Read vertices as points with their colours, normals and labels, and faces cut into triangles."""
    elements = read_elements(path)
    vertex = elements.get("vertex", {})
    points = _columns(vertex, ("x", "y", "z"))
    if points is None:
        raise DamagedFile(path, "has no vertices with x, y and z")
    color = next((found for names in COLORS if (found := _columns(vertex, names)) is not None), None)
    if (splats := gaussians(vertex, points)) is not None:
        return splats
    label = next((vertex[name] for name in LABELS if name in vertex), None)
    faces = face_labels = None
    if "face" in elements:
        corners = next((elements["face"][n] for n in ("vertex_indices", "vertex_index") if n in elements["face"]), None)
        if not isinstance(corners, Lists):
            raise DamagedFile(path, "has faces without a list of vertex_indices")
        if (corners.lengths < 3).any():
            row = int((corners.lengths < 3).argmax())
            raise DamagedFile(path, f"has {corners.lengths[row]} corners in face {row}, where 3 or more belong")
        faces = checked_faces(fans(corners.values, corners.lengths), len(points), path)
        of_polygons = next((elements["face"][name] for name in LABELS if name in elements["face"]), None)
        if isinstance(of_polygons, np.ndarray):
            face_labels = whole_numbers(of_polygons, path, "labels").repeat(corners.lengths - 2)
    return Contents(
        points,
        color=None if color is None else byte_colors(color),
        normals=_columns(vertex, ("nx", "ny", "nz")),
        labels=whole_numbers(label, path, "labels") if isinstance(label, np.ndarray) else None,
        faces=faces,
        face_labels=face_labels,
    )


def holds_gaussians(path: Path) -> bool:
    """Tell from the header whether the vertices are Gaussian splats, of which not all are points."""
    with path.open("rb") as file:
        _, elements, _ = read_header(file, path)
    return any(are_gaussians([each.name for each in element.properties]) for element in elements)


def _columns(element: dict[str, Array | Lists], names: tuple[str, ...]) -> Array | None:
    columns = [column for name in names if isinstance(column := element.get(name), np.ndarray)]
    return np.stack(columns, axis=1) if len(columns) == len(names) else None
