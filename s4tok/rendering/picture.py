"""A picture of a coloured cloud, for looking at and for nothing else."""

import numpy as np

from s4tok.config import Scene
from s4tok.shapes import Array, Float, UInt8

AZIMUTH = np.radians(35)
ELEVATION = {"object": np.radians(25), "room": np.radians(60)}  # into a room one looks over its walls
LID = 0.2  # of a room's height
WHITE = 255


def draw(
    xyz: Float[Array, "n 3"], color: UInt8[Array, "n 3"], up: str = "z", scene: Scene = "object", size: int = 800
) -> UInt8[Array, "h w 3"]:
    """Draw points from obliquely above, without perspective, the near ones over the far ones.

    A point is a disc as large as the cloud's density asks for, so that surfaces look closed. Of a room the highest
    part is left out, since a ceiling would hide the rest.
    """
    right_away_up = np.roll(np.eye(3), "zyx".index(up), axis=0)
    placed = (xyz - xyz.mean(axis=0)) @ right_away_up.T
    if scene == "room":
        low, high = placed[:, 2].min(), placed[:, 2].max()
        shown = placed[:, 2] <= high - LID * (high - low)
        placed, color = placed[shown], color[shown]
    x, y, z = placed.T
    right = x * np.cos(AZIMUTH) + y * np.sin(AZIMUTH)
    away = y * np.cos(AZIMUTH) - x * np.sin(AZIMUTH)
    tilt = ELEVATION[scene]
    down = -(z * np.cos(tilt) + away * np.sin(tilt))
    depth = away * np.cos(tilt) - z * np.sin(tilt)
    scale = 0.9 * size / (max(np.ptp(right), np.ptp(down)) or 1.0)
    place = [(axis - (axis.min() + axis.max()) / 2) * scale + size / 2 for axis in (down, right)]
    radius = float(np.clip(0.5 * size / np.sqrt(len(placed)), 0.5, 12))
    far_first = np.argsort(-depth, kind="stable")
    front = np.full(size * size, -1)  # the point seen at each pixel
    for row, column in _disc(radius):
        rows, columns = (
            np.clip(np.round(axis + step), 0, size - 1) for axis, step in zip(place, (row, column), strict=True)
        )
        pixels = (rows * size + columns).astype(np.int64)
        seen = np.full(size * size, -1)
        seen[pixels[far_first]] = far_first
        nearer = (seen >= 0) & ((front < 0) | (depth[seen] < depth[front]))
        front[nearer] = seen[nearer]
    image = np.full((size * size, 3), WHITE, np.uint8)
    shade = 1 - 0.3 * (depth - depth.min()) / (np.ptp(depth) or 1.0)
    painted = (color * shade[:, None]).astype(np.uint8)
    image[front >= 0] = painted[front[front >= 0]]
    return image.reshape(size, size, 3)


def _disc(radius: float) -> list[tuple[int, int]]:
    steps = range(-int(radius), int(radius) + 1)
    return [(row, column) for row in steps for column in steps if row**2 + column**2 <= radius**2]
