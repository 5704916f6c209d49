"""Whether a cloud is a room or an object, and the unit of its numbers: by what it looks like and how large that is."""

from collections.abc import Mapping
from math import log
from typing import NamedTuple

import numpy as np

from s4tok.config import LARGEST_IN_METRES, ROOM_FROM, Scene, Unit
from s4tok.geometry.gravity import Measured
from s4tok.shapes import Array, Float64

METRES: Mapping[Unit, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}
USUAL: Mapping[Unit, float] = {"m": 0.0, "cm": -1.5, "mm": -1.5, "inch": -2.5}  # how likely, as a logarithm
# Usual lengths in metres, of rooms and of objects, and how much their logarithms spread.
HEIGHT, LENGTH, OBJECT = (2.6, 0.3), (6.0, 0.9), (0.7, 1.0)
MARGIN = 0.05  # of the extent: as thick are floor and walls
CELLS = 16  # of a footprint, along each side
# Weights of `room_cues` and a constant, that give the logarithm of odds: about twice those of a logistic regression on
# toy rooms, toy shapes and models of sh3d to train on. `examples/own_clouds/measure_rooms.py --fit` fits such anew;
# with its penalty they are 7.1, 1.7, 6.8, -10.1, 6.1, -4.7, with ten times that 3.9, 1.2, 2.7, -4.2, 2.0, -2.1.
# Real rooms are less tidy, so that size decides where the odds are below MOST.
WEIGHTS, CONSTANT, MOST = (5.0, 2.5, 5.0, -6.0, 3.3), -3.9, 5.0


class Taken(NamedTuple):
    """What a cloud is taken for; no unit is an object of any."""

    scene: Scene
    unit: Unit | None


def taken_for(
    likeness: float, length: float, height: float, scene: Scene | None = None, units: Mapping[Unit, float] = USUAL
) -> Taken:
    """Choose object or room, and the unit, so that the size is likely.

    Args:
        likeness: How much it looks like a room, as a logarithm of odds.
        length: The longer side of its footprint, in its own unit.
        height: Its height, as above.
        scene: Object or room, where that is known.
        units: Those it may be in, and how likely each is, as a logarithm.
    """
    if scene == "object":
        return Taken("object", None)
    rooms: dict[Unit, float] = {
        unit: likely + _near(height * METRES[unit], *HEIGHT) + _near(length * METRES[unit], *LENGTH)
        for unit, likely in units.items()
        if unit != "m" or length <= LARGEST_IN_METRES or len(units) == 1
    }
    best = max(rooms, key=rooms.__getitem__)
    if scene == "room":
        return Taken("room", best)
    as_object = max(likely + _near(length * METRES[unit], *OBJECT) for unit, likely in units.items())
    is_room = max(length, height) * METRES[best] >= ROOM_FROM and likeness + rooms[best] > as_object
    return Taken("room", best) if is_room else Taken("object", None)


def likeness_to_a_room(cloud: Measured, axis: int) -> float:
    """Say how much a cloud looks like a room, `axis` up: the logarithm of odds."""
    return float(np.clip(np.dot(WEIGHTS, room_cues(cloud, axis)) + CONSTANT, -MOST, MOST))


def room_cues(cloud: Measured, axis: int) -> Float64[Array, "5"]:
    """Measure what tells a room, `axis` up.

    A room has a floor under all of its footprint, of which much lies open, walls around, and a level bottom; an object
    has most of its points in between.
    """
    flat = [each for each in range(3) if each != axis]
    height, across, steep = cloud.xyz[:, axis], cloud.xyz[:, flat], np.abs(cloud.normals[:, axis])
    top, low, high = float(height.max()), across.min(axis=0), across.max(axis=0)
    margin = MARGIN * (high - low)
    at_edge = ((across < low + margin) | (across > high - margin)).any(axis=1)
    at_bottom = height < MARGIN * top
    lowest, highest = _ends_of_columns(height, (across - low) / np.where(high > low, high - low, 1))
    cues = (
        lowest < MARGIN * top,
        highest < 3 * MARGIN * top,
        at_edge & (steep < 0.2),
        ~at_edge & ~at_bottom & (height < top - MARGIN * top),
        at_bottom & (steep > 0.9),
    )
    return np.array([cue.mean() for cue in cues])


def _ends_of_columns(
    height: Float64[Array, " m"], across: Float64[Array, "m 2"]
) -> tuple[Float64[Array, " c"], Float64[Array, " c"]]:
    """Give the lowest and the highest point of each column that holds any."""
    cell = np.minimum(across * CELLS, CELLS - 1).astype(np.int64) @ [CELLS, 1]
    lowest, highest = np.full(CELLS**2, np.inf), np.full(CELLS**2, -np.inf)
    np.minimum.at(lowest, cell, height)
    np.maximum.at(highest, cell, height)
    return lowest[np.isfinite(lowest)], highest[np.isfinite(highest)]


def _near(length: float, usual: float, spread: float) -> float:
    """Give the logarithm of how likely a length is, one that spreads around the usual one as many products do."""
    return -0.5 * (log(max(length, 1e-12) / usual) / spread) ** 2 - log(spread)
