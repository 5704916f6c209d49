"""Where cameras are put in a cloud that comes without images: in its free space at eye height, or above it."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_closing, binary_fill_holes, distance_transform_edt

from s4tok.config import Scene, VirtualConfig
from s4tok.geometry.rays import looking
from s4tok.shapes import Array, Bool, Float, Float64

ENDS = (2, 98)  # percentiles of the height that floor and ceiling are taken for
STEP_OVER = 0.3  # of the eye's height above the floor: what is lower blocks nobody's view
CELLS = 100  # of the floor plan along its longer side
GAPS = 3  # cells: gaps in the floor of a sparse cloud that are closed
NEAR_WALLS = 0.5  # of the widest clearance: a camera stands no nearer to anything
OBLIQUE = (15.0, 25.0)  # degrees that a thing is seen from above
LID = 0.85  # of the height: what is above it, a ceiling mostly, is left out for the cameras above


class Camera(NamedTuple):
    """A camera, and up to which height it is shown the cloud."""

    pose: Float64[Array, "4 4"]  # camera to world, +y up
    lid: float


def virtual_cameras(xyz: Float[Array, "n 3"], scene: Scene, config: VirtualConfig) -> list[Camera]:
    """Place cameras for a cloud with y up: each place has rings that look around, and if asked one above, downwards.

    An object, and a room without free space, is seen from around it.
    """
    if scene == "object":
        return _around(xyz, config)
    floor, ceiling = np.percentile(xyz[:, 1], ENDS)
    height = float(ceiling - floor)
    eye, lid = floor + config.eye * height, floor + LID * height
    places = _places(xyz, floor + STEP_OVER * config.eye * height, eye, config.places)
    if not len(places):
        return _around(xyz, config)
    cameras = []
    for x, z in places:
        for down in config.pitches:
            cameras += _ring(np.array([x, eye, z]), config.around, down, np.inf)
        cameras += _ring(np.array([x, ceiling + config.over * height, z]), config.above, config.steep, lid)
    return cameras


def _ring(eye: Float64[Array, "3"], count: int, down: float, lid: float) -> list[Camera]:
    """Look from one place in several directions, evenly around, so many degrees below the horizon."""
    angles = 2 * np.pi * np.arange(count) / max(count, 1)
    slope = -np.tan(np.radians(down))
    return [Camera(_looking(eye, eye + [np.cos(angle), slope, np.sin(angle)]), lid) for angle in angles]


def _around(xyz: Float[Array, "n 3"], config: VirtualConfig) -> list[Camera]:
    """Stand around a thing, and look at its middle from obliquely above."""
    low, high = xyz.min(axis=0).astype(np.float64), xyz.max(axis=0).astype(np.float64)
    middle, reach = (low + high) / 2, float(np.linalg.norm(high - low)) or 1.0
    cameras = []
    for angle in 2 * np.pi * np.arange(config.around) / config.around:
        for down in OBLIQUE:
            tilt = np.radians(down)
            away = np.array([np.cos(tilt) * np.cos(angle), np.sin(tilt), np.cos(tilt) * np.sin(angle)])
            cameras.append(Camera(_looking(middle + reach * away, middle), np.inf))
    return cameras


def _looking(eye: Float64[Array, "3"], target: Float64[Array, "3"]) -> Float64[Array, "4 4"]:
    return looking(eye, target, np.array([0.0, 1.0, 0.0]))


def _places(xyz: Float[Array, "n 3"], low: float, high: float, most: int) -> Float64[Array, "p 2"]:
    """Choose places on the floor that are far from all that stands between two heights, and from each other."""
    across = xyz[:, [0, 2]].astype(np.float64)
    start, cell = across.min(axis=0), float(np.ptp(across, axis=0).max()) / CELLS or 1.0
    index = ((across - start) / cell).astype(np.int64)
    blocks = (xyz[:, 1] > low) & (xyz[:, 1] < high)
    free = np.pad(_inside(index) & ~_filled(index[blocks], index), 1)
    clearance = np.asarray(distance_transform_edt(free))[1:-1, 1:-1]
    widest = float(clearance.max())
    if widest < GAPS:
        return np.zeros((0, 2))
    rows = np.argwhere(clearance >= NEAR_WALLS * widest)
    chosen = [int(clearance[tuple(rows.T)].argmax())]
    while len(chosen) < most:
        apart = np.linalg.norm(rows[:, None] - rows[chosen], axis=2).min(axis=1)
        if apart.max() < widest:  # whatever is left is seen from there already
            break
        chosen.append(int(apart.argmax()))
    found: Array = start + (rows[chosen] + 0.5) * cell
    return found


def _filled(index: Array, every: Array) -> Bool[Array, "a b"]:
    grid = np.zeros(every.max(axis=0) + 1, bool)
    grid[tuple(index.T)] = True
    return grid


def _inside(index: Array) -> Bool[Array, "a b"]:
    """Tell which cells of the floor plan the cloud lies over, holes in its floor filled."""
    padded = np.pad(_filled(index, index), GAPS)
    closed: Array = np.asarray(binary_fill_holes(binary_closing(padded, iterations=GAPS)))[GAPS:-GAPS, GAPS:-GAPS]
    return closed
