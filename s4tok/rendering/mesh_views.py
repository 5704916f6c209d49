"""Shaded pictures of a mesh through pyrender, without a screen, from the directions the depth views are drawn from."""

import atexit
import os
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from s4tok.datasets.dataset import Mesh
from s4tok.dependencies import load
from s4tok.shapes import Array, Bool, Float32, Float64, Int, UInt8

LIGHT = 2.05  # of the lamp at the camera; with AMBIENT a white wall seen head-on comes out just below white
AMBIENT = 0.35
GREY = 0.7  # of a mesh without colours
GAMMA = 2.2  # of pictures
SAME_SURFACE = 0.015  # of the extent: at most this far from the surface drawn, a point is part of it
FINER = 3  # drawn this much finer: pyrender's depth is that of a sample a quarter pixel off the pixel's centre


class MeshViews(NamedTuple):
    """Pictures of one mesh, and the surface point that each of their pixels shows."""

    color: UInt8[Array, "v h w 3"]  # on white
    surface: Float32[Array, "v h w 3"]  # in the mesh's own coordinates; nan where nothing was drawn
    depth: Float32[Array, "v h w"]  # from the plane through the centre, towards the camera; nan likewise


def mesh_views(mesh: Mesh, views: Float64[Array, "v 3 3"], *, size: int = 224, object_ratio: float = 0.7) -> MeshViews:
    """Draw a mesh from each direction, `size` pixels square, orthographic.

    The rows of a view are down, right and towards the camera, as in `cameras`. The longest side of the object, as
    each view sees it, spans `object_ratio` of the picture.
    """
    pyrender = _pyrender()
    scene = pyrender.Scene(bg_color=[1.0, 1.0, 1.0, 1.0], ambient_light=[AMBIENT] * 3)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    scale = float(np.linalg.norm(high - low)) or 1.0  # drawn at unit diagonal: GL's depth buffer has 24 bits
    center = (low + high) / 2
    vertices = (mesh.vertices - center) / scale
    scene.add(_renderable(vertices, mesh))
    pictures, points, depths = [], [], []
    for view in views:
        color, depth, surface = _draw(scene, vertices @ view.T, view, size, object_ratio)
        pictures.append(color)
        depths.append(depth * scale)
        points.append(surface * scale + center)
    return MeshViews(np.stack(pictures), np.stack(points).astype(np.float32), np.stack(depths).astype(np.float32))


def surface_pixels(
    points: Float64[Array, "n 3"],
    mesh: Mesh,
    drawn: MeshViews,
    views: Float64[Array, "v 3 3"],
    *,
    object_ratio: float = 0.7,
) -> tuple[Int[Array, "v n 2"], Bool[Array, "v n"]]:
    """Find each point's row and column in each view, and whether the surface drawn there is the point's own.

    A point is seen where a pixel beside it or its own shows the surface within `SAME_SURFACE` of the object's extent:
    the depth of a pixel on a steep surface is that of its middle, and may be far from the point's.
    """
    size = drawn.depth.shape[1]
    pixels, visible = [], []
    for view, depth in zip(views, drawn.depth, strict=True):
        seen = mesh.vertices @ view.T
        low, high = seen.min(axis=0), seen.max(axis=0)
        extent = float((high - low).max()) or 1.0
        place = points @ view.T - (low + high) / 2
        places = np.floor((place[:, :2] / extent * object_ratio + 0.5) * size).astype(np.int64)
        inside = ((places >= 0) & (places < size)).all(axis=1)
        rows, columns = places.clip(0, size - 1).T
        padded = np.pad(depth, 1, constant_values=np.nan)
        around = np.stack([padded[rows + down, columns + right] for down in range(3) for right in range(3)])
        with np.errstate(invalid="ignore"):
            near = (np.abs(around - place[:, 2]) <= SAME_SURFACE * extent).any(axis=0)
        pixels.append(np.stack([rows, columns], axis=1))
        visible.append(inside & near & ~np.isnan(depth[rows, columns]))
    return np.stack(pixels), np.stack(visible)


def _draw(
    scene: Any, seen: Float64[Array, "p 3"], view: Float64[Array, "3 3"], size: int, object_ratio: float
) -> tuple[UInt8[Array, "h w 3"], Float64[Array, "h w"], Float64[Array, "h w 3"]]:
    """Draw one view of a mesh whose diagonal is 1; `seen` are its vertices in the view's axes."""
    pyrender = _pyrender()
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle = (low + high) / 2
    half = float((high - low).max()) / object_ratio / 2 or 0.5
    distance = 1.5
    pose = np.eye(4)
    down, right, towards = view
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = right, -down, towards
    pose[:3, 3] = view.T @ middle + distance * towards
    near, far = distance - 1, distance + 1
    camera = scene.add(pyrender.OrthographicCamera(xmag=half, ymag=half, znear=near, zfar=far), pose=pose)
    lamp = scene.add(pyrender.DirectionalLight(color=np.ones(3), intensity=LIGHT), pose=pose)
    try:
        renderer = _renderer(size * FINER)
        color, depth = renderer.render(scene)
        color = color.reshape(size, FINER, size, FINER, 3).mean(axis=(1, 3)).round().astype(np.uint8)
        depth = depth[FINER // 2 :: FINER, FINER // 2 :: FINER]
    finally:
        scene.remove_node(camera)
        scene.remove_node(lamp)
    drawn = depth > 0
    along = _orthographic_depth(depth, near, far)
    height = np.where(drawn, middle[2] + distance - along, np.nan)
    steps = (2 * (np.arange(size) + 0.5) / size - 1) * half
    rows, columns = np.meshgrid(steps + middle[0], steps + middle[1], indexing="ij")
    surface = np.stack([rows, columns, height], axis=-1) @ view
    return color, height - middle[2], surface


def _orthographic_depth(depth: Float32[Array, "h w"], near: float, far: float) -> Float64[Array, "h w"]:
    """Undo pyrender's formula, which is a perspective camera's whatever the camera, and apply the right one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        clip = (far + near - 2 * near * far / depth.astype(np.float64)) / (far - near)
    return (clip * (far - near) + far + near) / 2


def _renderable(vertices: Float64[Array, "p 3"], mesh: Mesh) -> Any:
    """Give each face vertices of its own, so that edges stay sharp, and the colours of its corners.

    Each face is there twice, wound both ways with a normal to each side, and is lit alike from both: the winding of
    meshes found in the wild cannot be trusted. Colours are those of pictures; the renderer computes in linear light.
    """
    pyrender = _pyrender()
    corners = vertices[mesh.faces].reshape(-1, 3)
    normals = np.cross(corners[1::3] - corners[::3], corners[2::3] - corners[::3])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0).repeat(3, axis=0)
    color = np.full((len(corners), 3), GREY) if mesh.color is None else mesh.color[mesh.faces].reshape(-1, 3)
    back = np.arange(len(corners)).reshape(-1, 3)[:, ::-1].ravel()
    material = pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=0.9)
    primitive = pyrender.Primitive(
        positions=np.concatenate([corners, corners[back]]).astype(np.float32),
        normals=np.concatenate([normals, -normals[back]]).astype(np.float32),
        color_0=np.concatenate([color, color[back]]) ** GAMMA,
        material=material,
    )
    return pyrender.Mesh([primitive])


@cache
def _renderer(size: int) -> Any:
    """Keep one renderer a process and size: making them anew leaks, and fails after a few."""
    renderer = _pyrender().OffscreenRenderer(size, size)
    atexit.register(renderer.delete)  # while all that it needs for that is still loaded
    return renderer


@cache
def _pyrender() -> Any:
    """Import pyrender on the platform that needs no screen, with the name it misses in NumPy 2."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    np.__dict__.setdefault("infty", np.inf)
    with suppress(ImportError):
        # Mesa's software renderer brings an LLVM and triton another: loaded after it, triton crashes the process.
        import_module("triton")
    return load("pyrender")
