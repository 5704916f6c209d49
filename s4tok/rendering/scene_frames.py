"""Posed RGB-D frames of a scene as pictures for CLIP, and where each point of the scene is in them.

CLIP wants squares, and frames are wider than high: each is encoded through as many overlapping square windows as
cover it, smaller ones where it is to see small things, and each window is a view of its own. What a frame does not see,
because something stands before it, the measured depth tells.
"""

from itertools import product
from math import ceil
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from s4tok.config import ViewConfig
from s4tok.datasets.dataset import Frame
from s4tok.shapes import Array, Bool, Float, Float32, Float64, Int

FARTHEST = 1 / 1.3  # how bright a depth picture's farthest measurement is; as in PointCLIP V2's depth views


class SceneViews(NamedTuple):
    """The windows onto one frame, and where each point of the scene is in them."""

    images: Float[Tensor, "v c size size"]  # 0 .. 1
    pixels: Int[Tensor, "v n 2"]  # row and column of each point; -1 where the window does not see it
    visible: Bool[Tensor, "v n"]


class Projected(NamedTuple):
    """Points as a pinhole camera sees them, whatever stands between."""

    columns: Float64[Array, " n"]  # of pixels; whole numbers are the middles of pixels
    rows: Float64[Array, " n"]
    depth: Float64[Array, " n"]  # along the optical axis; nothing behind the camera is ever seen


def is_posed(frame: Frame) -> bool:
    """Say whether it is known where a frame was taken from; ScanNet writes -inf where tracking was lost."""
    return bool(np.isfinite(frame.camera_to_world).all())


def scene_views(points: Float64[Array, "n 3"], frame: Frame, config: ViewConfig) -> SceneViews:
    """Cut a posed frame into square views and find the points that each of them sees.

    `points` are in the coordinates of the scene's file, as the frame's pose is.
    """
    visible = sees(points, frame, config)
    if config.image == "depth":
        picture, intrinsics = depth_picture(frame.depth)[..., None], frame.depth_intrinsics
    else:
        picture, intrinsics = frame.color.astype(np.float32) / 255, frame.color_intrinsics
    projected = project(points, frame.camera_to_world, intrinsics)
    return _windows(torch.from_numpy(picture).permute(2, 0, 1), projected, visible, config.size, config.zoom)


def project(
    points: Float64[Array, "n 3"], camera_to_world: Float64[Array, "4 4"], intrinsics: Float64[Array, "3 3"]
) -> Projected:
    """Project points into a pinhole camera."""
    rotation, position = camera_to_world[:3, :3], camera_to_world[:3, 3]
    seen = np.linalg.solve(rotation, (points - position).T).T
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        image = seen[:, :2] / seen[:, 2:]
    focal, center = np.diag(intrinsics)[:2], intrinsics[:2, 2]
    columns, rows = (image * focal + center).T
    return Projected(columns, rows, seen[:, 2])


def sees(points: Float64[Array, "n 3"], frame: Frame, config: ViewConfig) -> Bool[Array, " n"]:
    """Tell which points are the surface that the frame measured: in the picture, clear of its border, not hidden.

    `openscene` allows the depths to differ by a share of the measured one, `open3dis` by a length.
    """
    height, width = frame.depth.shape
    columns, rows, depth = project(points, frame.camera_to_world, frame.depth_intrinsics)
    inside = (depth > 0) & _within(columns, config.border, width) & _within(rows, config.border, height)
    visible = np.zeros(len(points), bool)
    row, column = np.rint(rows[inside]).astype(np.int64), np.rint(columns[inside]).astype(np.int64)
    measured = frame.depth[row, column].astype(np.float64)
    if config.occlusion == "openscene":
        allowed = config.occlusion_relative * measured
    else:
        allowed = np.full_like(measured, config.occlusion_absolute)
    visible[inside] = (measured > 0) & (np.abs(measured - depth[inside]) <= allowed)
    return visible


def _within(place: Float64[Array, " n"], border: int, length: int) -> Bool[Array, " n"]:
    """Tell whose nearest pixel keeps clear of the border; comparisons are false for what is not a number."""
    return (place >= border - 0.5) & (place < length - border - 0.5)


def depth_picture(depth: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
    """Draw measured depth as the depth views of objects are drawn: near is dark, nothing is white."""
    measured = depth > 0
    picture = np.ones_like(depth)
    if measured.any():
        near, far = depth[measured].min(), depth[measured].max()
        picture[measured] = (depth[measured] - near) / max(far - near, np.finfo(np.float32).tiny) * FARTHEST
    return picture


def _windows(
    picture: Float[Tensor, "c h w"], projected: Projected, visible: Bool[Array, " n"], size: int, zoom: float
) -> SceneViews:
    """Look at a picture through overlapping squares, `zoom` times smaller than its shorter side, of `size` pixels."""
    height, width = picture.shape[1:]
    side = max(round(min(height, width) / zoom), 1)
    images, pixels, seen = [], [], []
    for top, left in product(_starts(height, side), _starts(width, side)):
        cut = picture[None, :, top : top + side, left : left + side]
        mode: Literal["bilinear"] = "bilinear"
        images.append(functional.interpolate(cut, (size, size), mode=mode, align_corners=False, antialias=True)[0])
        with np.errstate(invalid="ignore"):
            rows, columns = (
                np.floor((place - first + 0.5) * (size / side))
                for place, first in ((projected.rows, top), (projected.columns, left))
            )
            here = visible & (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
            places = np.where(here[:, None], np.stack([rows, columns], axis=1), -1).astype(np.int64)
        pixels.append(torch.from_numpy(places))
        seen.append(torch.from_numpy(here))
    return SceneViews(torch.stack(images).clamp(0, 1), torch.stack(pixels), torch.stack(seen))


def _starts(length: int, side: int) -> list[int]:
    """Space as few windows as cover a length evenly over it."""
    count = ceil(length / side)
    return [round(index * (length - side) / max(count - 1, 1)) for index in range(count)]
