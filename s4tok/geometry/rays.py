"""Rays against triangles (Embree, through Open3D), and the rays and poses of cameras and scanners."""

from typing import Any, NamedTuple

import numpy as np

from s4tok.dependencies import load
from s4tok.shapes import Array, Bool, Float64, Int


class Hits(NamedTuple):
    """What rays meet first."""

    distance: Float64[Array, "..."]  # in lengths of the ray's direction; infinite where it meets nothing
    face: Int[Array, "..."]  # -1 where it meets nothing

    @property
    def is_hit(self) -> Bool[Array, "..."]:
        """Tell which rays met something."""
        return self.face >= 0


class Surface:
    """A triangle mesh that rays can be cast against."""

    def __init__(self, vertices: Float64[Array, "p 3"], faces: Int[Array, "f 3"]) -> None:
        open3d = load("open3d")
        self._tensor: Any = open3d.core.Tensor
        self._scene: Any = open3d.t.geometry.RaycastingScene(nthreads=1)
        self._scene.add_triangles(self._tensor(vertices.astype(np.float32)), self._tensor(faces.astype(np.uint32)))

    def cast(self, origin: Float64[Array, "... 3"], direction: Float64[Array, "... 3"]) -> Hits:
        """Find what each ray meets first; one origin may serve many directions."""
        rays = np.empty((*direction.shape[:-1], 6), np.float32)
        rays[..., :3], rays[..., 3:] = origin, direction
        answer = self._scene.cast_rays(self._tensor(rays), nthreads=1)
        face = answer["primitive_ids"].numpy().astype(np.int64)
        return Hits(answer["t_hit"].numpy().astype(np.float64), np.where(face == 2**32 - 1, -1, face))


def pinhole_rays(height: int, width: int, intrinsics: Float64[Array, "3 3"]) -> Float64[Array, "h w 3"]:
    """Give the rays through the pixels of a camera that looks along +z, x to the right, y down.

    Their z is 1, so that distances along them are depths.
    """
    column, row = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
    x, y = (column - intrinsics[0, 2]) / intrinsics[0, 0], (row - intrinsics[1, 2]) / intrinsics[1, 1]
    return np.stack([x, y, np.ones_like(x)], -1)


def panorama_rays(rows: int, columns: int, lowest: float, highest: float) -> Float64[Array, "h w 3"]:
    """Give the unit rays of a scanner that turns about +z, between two elevations."""
    elevation = np.linspace(highest, lowest, rows)[:, None]
    azimuth = np.linspace(-np.pi, np.pi, columns, endpoint=False)[None]
    flat = np.cos(elevation)
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation) + 0 * azimuth], -1)


def looking(eye: Float64[Array, "3"], target: Float64[Array, "3"], up: Float64[Array, "3"]) -> Float64[Array, "4 4"]:
    """Give the camera-to-world pose of a camera that looks along +z, x to the right, y down."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(forward, right), forward, eye
    return pose
