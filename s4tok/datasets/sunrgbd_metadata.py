"""SUN RGB-D as it is released, read without MATLAB: the metadata of all images, and a depth image as points."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.mat import read_mat
from s4tok.datasets.formats.text import read_bytes
from s4tok.datasets.frames import decode_color, decode_depth
from s4tok.datasets.sunrgbd_labels import Thing
from s4tok.shapes import Array, Float64, Int

FARTHEST = 8.0  # metres; what is farther is put there, as the release's own tools do
ROOT = "SUNRGBD/"  # where, in the paths of the metadata, a copy begins


class Image(NamedTuple):
    """What the metadata says of one image."""

    depth: str  # path from the folder that holds SUNRGBD
    color: str
    intrinsics: Float64[Array, "3 3"]
    tilt: Float64[Array, "3 3"]  # turns x right, y ahead, z up of the camera upright
    things: Sequence[Thing]


@lru_cache(maxsize=1)  # all ten thousand are in one file
def read_metadata(path: Path, mtime_ns: int) -> list[Image]:
    """Read SUNRGBDMeta3DBB_v2.mat, or SUNRGBDMeta.mat of version 1."""
    rows = read_mat(path).get("SUNRGBDMeta")
    if rows is None:
        raise DamagedFile(path, "has no variable SUNRGBDMeta", "get the file again.")
    images = []
    for number, row in enumerate(np.atleast_1d(rows), start=1):
        try:
            images.append(_image(row))
        except (AttributeError, TypeError, ValueError, IndexError) as error:
            raise DamagedFile(
                path, f"its image {number} is not as it must be: {error}", "get the file again."
            ) from error
    return images


def measured(depth: Int[Array, "h w"], intrinsics: Float64[Array, "3 3"], tilt: Float64[Array, "3 3"]) -> Array:
    """Turn a depth image into upright points, NaN where nothing was measured, column by column.

    The release keeps millimetres with their bits moved round by three, and counts pixels from 1.
    """
    millimetres = ((depth >> 3) | (depth << 13)) & 0xFFFF
    ahead = np.minimum(millimetres / 1000, FARTHEST)
    ahead[depth == 0] = np.nan
    down, right = np.indices(depth.shape) + 1
    x = (right - intrinsics[0, 2]) * ahead / intrinsics[0, 0]
    y = (down - intrinsics[1, 2]) * ahead / intrinsics[1, 1]
    points: Array = np.stack([x, ahead, -y], axis=-1).transpose(1, 0, 2).reshape(-1, 3) @ tilt.T
    return points


def read_image(root: Path, image: Image, name: str) -> Contents:
    """Read the points of an image with their colours."""
    path = root / image.depth
    points = measured(decode_depth(read_bytes(path), path), image.intrinsics, image.tilt)
    picture = root / image.color
    color = decode_color(read_bytes(picture), picture).transpose(1, 0, 2).reshape(-1, 3)
    if len(color) != len(points):
        raise DamagedFile(picture, f"is of another size than the depth image of {name}")
    there = np.isfinite(points).all(axis=1)
    return Contents(points[there], color=color[there])


def _image(row: Any) -> Image:
    things = [_thing(each) for each in np.atleast_1d(row.groundtruth3DBB)]
    intrinsics, tilt = (np.array(matrix, np.float64).reshape(3, 3) for matrix in (row.K, row.Rtilt))
    if not (np.isfinite(intrinsics).all() and np.isfinite(tilt).all()):
        raise ValueError("its camera is not finite")
    return Image(_inner(row.depthpath), _inner(row.rgbpath), intrinsics, tilt, things)


def _thing(row: Any) -> Thing:
    center, half, direction = (
        tuple(np.array(values, np.float64).reshape(-1)[:count].tolist())
        for values, count in ((row.centroid, 3), (np.abs(row.coeffs), 3), (row.orientation, 2))
    )
    if not np.isfinite([*center, *half, *direction]).all():
        raise ValueError("it has a box that is not finite")
    return Thing(str(row.classname), center, half, direction)


def _inner(path: Any) -> str:
    """Cut off where the copy lay on its makers' disk."""
    _, found, rest = str(path).partition(ROOT)
    if not found:
        raise ValueError(f"{path} leads to no {ROOT}")
    return ROOT + rest
