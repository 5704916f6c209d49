"""A picture of a coloured cloud, for people and for nothing else."""

from itertools import product
from typing import NamedTuple

import numpy as np

from s4tok.config import Scene
from s4tok.geometry.neighbors import nearest
from s4tok.geometry.normals import estimate_normals
from s4tok.shapes import Array, Bool, Float, Float64, Int, UInt8

AZIMUTH = np.radians(35)
AROUND = np.array([[np.cos(AZIMUTH), np.sin(AZIMUTH), 0], [-np.sin(AZIMUTH), np.cos(AZIMUTH), 0], [0, 0, 1]])
ELEVATION = {"object": np.radians(25), "room": np.radians(55)}  # into a room one looks over its walls
LID = 0.2  # of a room's height
# What hides a room from the side: upright surfaces so near its edge towards the camera, as a share of its extent, above
# so much of its height. The edge is found in strips, a few stray points of each left out.
RIND, SILL, STRIPS, STRAY, UPRIGHT = 0.05, 0.1, 96, 1.0, 0.5
WHITE = 255
LIGHT = np.array([-0.35, -0.75, 0.55]) / np.linalg.norm([-0.35, -0.75, 0.55])  # right, away, above, of the camera
AMBIENT, DIFFUSE = 0.7, 0.38
SPACING, LARGEST = 0.85, 0.035  # radius of a disc, in distances between neighbours, and as a share of the picture
STEEPEST = 3.0  # slope of a disc towards the camera
# Occlusion: directions, distance as a share of the picture, depth that a slanted surface has anyhow, darkest shade.
RING, REACH, SLANTED, DARKEST = 8, 0.02, 0.3, 0.45


class Lines(NamedTuple):
    """Straight lines over a cloud."""

    ends: Float[Array, "e 2 3"]
    colors: UInt8[Array, "e 3"]


def draw(
    xyz: Float[Array, "n 3"],
    color: UInt8[Array, "n 3"],
    up: str = "z",
    scene: Scene = "object",
    size: int = 800,
    lines: Lines | None = None,
) -> UInt8[Array, "h w 3"]:
    """Draw points from obliquely above, without perspective, as shaded discs, the near ones over the far ones.

    A disc is as large as the cloud is sparse there. What lies deeper than its surroundings is darker, so that creases
    and gaps are seen. Of a room the highest part and the nearer walls are left out, since they would hide the rest.
    Lines lie over all.
    """
    right_away_up, middle = np.roll(np.eye(3), "zyx".index(up), axis=0), xyz.mean(axis=0)
    placed = (xyz - middle) @ right_away_up.T
    if scene == "room":
        low, high = placed[:, 2].min(), placed[:, 2].max()
        shown = placed[:, 2] <= high - LID * (high - low)
        placed, color = placed[shown], color[shown]
    seen = placed @ _camera(scene).T  # right, away, above, as the camera has them
    scale = 0.92 * size / (max(np.ptp(seen[:, 0]), np.ptp(seen[:, 2])) or 1.0)
    center = (seen.min(axis=0) + seen.max(axis=0)) / 2
    seen = scale * (seen - center)
    normals, radii = estimate_normals(seen), _radii(seen, size)
    if scene == "room":
        shown = ~_hides(placed, normals)
        seen, normals, radii, color = seen[shown], normals[shown], radii[shown], color[shown]
    normals *= np.where(normals[:, 1:2] > 0, -1.0, 1.0)  # towards the camera
    front, depth = _front(seen, normals, radii, size)
    light = AMBIENT + DIFFUSE * np.clip(normals @ LIGHT, 0, 1)
    there, shade = front >= 0, light[front] * (1 - DARKEST * _occlusion(depth, size))
    image = np.full((size, size, 3), float(WHITE))
    image[there] = color[front[there]] * shade[there, None]
    if lines is not None:
        ends = scale * ((lines.ends - middle) @ right_away_up.T @ _camera(scene).T - center)
        _draw_lines(image, ends, lines.colors)
    return np.clip(image, 0, WHITE).astype(np.uint8)


def _draw_lines(image: Float64[Array, "h w 3"], ends: Float64[Array, "e 2 3"], colors: UInt8[Array, "e 3"]) -> None:
    """Draw lines, two pixels wide, between ends to the right and above the middle of a square picture."""
    size = len(image)
    share = np.linspace(0, 1, 2 * size)[:, None, None]
    right, _, above = np.moveaxis((1 - share) * ends[:, 0] + share * ends[:, 1], -1, 0)
    for down, across in product((0, 1), repeat=2):
        rows, columns = np.round(size / 2 - above + down), np.round(size / 2 + right + across)
        inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        which = np.broadcast_to(np.arange(len(ends)), inside.shape)[inside]
        image[rows[inside].astype(np.int64), columns[inside].astype(np.int64)] = colors[which]


def _camera(scene: Scene) -> Float64[Array, "3 3"]:
    tilt = ELEVATION[scene]
    down = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    camera: Array = down @ AROUND
    return camera


def _hides(placed: Float64[Array, "n 3"], normals: Float64[Array, "n 3"]) -> Bool[Array, " n"]:
    """Tell which points are of the nearer walls and of what hangs on them; what lies flat is kept."""
    right, away = AROUND[:2] @ placed.T
    height = placed[:, 2] - placed[:, 2].min()
    strip = np.minimum((STRIPS * (right - right.min()) / (np.ptp(right) or 1.0)).astype(np.int64), STRIPS - 1)
    edge = np.zeros(STRIPS)
    for number in np.unique(strip):
        edge[number] = np.percentile(away[strip == number], STRAY)
    near, high = away < edge[strip] + RIND * np.ptp(right), height > SILL * height.max()
    hides: Array = near & high & (np.abs(normals @ _camera("room")[:, 2]) < UPRIGHT)
    return hides


def _radii(seen: Float64[Array, "n 3"], size: int) -> Float64[Array, " n"]:
    """Give each point's disc a radius in pixels, from the distance of its fourth neighbour."""
    if len(seen) < 5:
        return np.full(len(seen), LARGEST * size)
    return np.clip(SPACING * nearest(seen, seen, 5).distances[:, 4], 0.7, LARGEST * size)


def _front(
    seen: Float64[Array, "n 3"], normals: Float64[Array, "n 3"], radius: Float64[Array, " n"], size: int
) -> tuple[Int[Array, "h w"], Float64[Array, "h w"]]:
    """Find the point that is seen at each pixel, -1 where there is none, and how far away its disc is there."""
    right, away, above = seen.T
    # How much farther a disc is a pixel to the right, and a pixel higher; one that is seen from the side is cut short.
    slopes = np.clip(-normals[:, [0, 2]] / np.minimum(normals[:, 1:2], -1e-3), -STEEPEST, STEEPEST)
    front, depth = np.full(size * size, -1), np.full(size * size, np.inf)
    far_first, largest = np.argsort(-away, kind="stable"), int(radius.max())
    last = np.empty(size * size, np.int64)  # of the points that reach a pixel: the last is the nearest
    for higher in range(-largest, largest + 1):
        for across in range(-largest, largest + 1):
            reaching = far_first[radius[far_first] ** 2 >= higher**2 + across**2]
            rows = np.clip(np.round(size / 2 - above[reaching] - higher), 0, size - 1)
            columns = np.clip(np.round(size / 2 + right[reaching] + across), 0, size - 1)
            pixels = (rows * size + columns).astype(np.int64)
            places = np.arange(len(reaching))
            last[pixels] = places
            first = last[pixels] == places
            reaching, pixels = reaching[first], pixels[first]
            at = away[reaching] + slopes[reaching] @ (across, higher)
            nearer = at < depth[pixels]
            front[pixels[nearer]], depth[pixels[nearer]] = reaching[nearer], at[nearer]
    return front.reshape(size, size), depth.reshape(size, size)


def _occlusion(depth: Float64[Array, "h w"], size: int) -> Float64[Array, "h w"]:
    """Tell how much of its surroundings stands before each pixel, 0 .. 1; the background stands before nothing."""
    is_surface = np.isfinite(depth)
    depth = np.where(is_surface, depth, depth[is_surface].max())
    covered, reach = np.zeros_like(depth), max(2, round(REACH * size))
    for angle in 2 * np.pi * np.arange(RING) / RING:
        for step in (reach / 2, reach):
            moved = np.roll(depth, (round(step * np.sin(angle)), round(step * np.cos(angle))), (0, 1))
            covered += np.clip((depth - moved) / (2 * reach) - SLANTED, 0, 1)
    return np.clip(covered / RING, 0, 1)
