"""Points on a mesh, spread evenly over its area, the same whoever asks."""

from pathlib import Path

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import SURFACE_POINTS
from s4tok.datasets.dataset import Mesh
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.randomness import hashed


def sample_surface(
    mesh: Mesh, name: str, path: Path, n_points: int = SURFACE_POINTS, *, draw: str | None = None
) -> PointCloud:
    """Draw points uniformly by area, with the normals of their faces and the colours between their corners.

    The draw depends on `draw`, or on `name` where that is None, and on nothing else. A mesh is small against the number
    of points in some places and large in others; its vertices would not do, for a table top may have four.
    """
    rng = np.random.default_rng(hashed(name if draw is None else draw))
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normals, axis=1)
    total = np.cumsum(area)
    if not len(total) or not np.isfinite(total[-1]) or total[-1] <= 0:
        raise DamagedFile(path, "is a mesh without any area", "look for vertices that coincide or are not finite.")
    face = np.searchsorted(total, rng.random(n_points) * total[-1], side="right").clip(max=len(total) - 1)
    u, v = rng.random((2, n_points))
    over = u + v > 1  # the far half of the parallelogram, folded back
    u[over], v[over] = 1 - u[over], 1 - v[over]
    weights = np.stack([1 - u - v, u, v], axis=1)[:, :, None]
    color = None if mesh.color is None else (weights * mesh.color[mesh.faces[face]]).sum(axis=1).clip(0, 1)
    return PointCloud.of(
        (weights * corners[face]).sum(axis=1),
        name=name,
        color=color,
        normals=normals[face],
        labels=None if mesh.labels is None else mesh.labels[face],
    )
