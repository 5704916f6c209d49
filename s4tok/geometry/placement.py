"""The frame in which own clouds are computed: y up, rooms in metres, objects one unit long, rounded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf, log, log2
from typing import Any, get_args

import numpy as np

from s4tok.clouds import Placement, PointCloud
from s4tok.config import Axis, Scene, Unit
from s4tok.errors import UsageError, choose
from s4tok.geometry.axes import upright
from s4tok.geometry.gravity import STRAY, Measured, measured, up_odds
from s4tok.geometry.rooms import METRES, USUAL, Taken, likeness_to_a_room, taken_for
from s4tok.shapes import Array, Float32, Float64

AXES: tuple[Axis, ...] = get_args(Axis)
UP: Axis = "y"  # in that frame
# Coordinates are rounded to about this share of the extent, so that no other unit or offset shows in them. Nearly no
# point of a file in single precision falls to another side in another unit: examples/own_clouds/compare_rounding.py.
STEP = 2.5e-4
COARSEST = 2.0**-9  # metres in a large room; superpoints are cut from voxels of ten times that
# Where a step ends: no simple fraction of it, on which coordinates of a file often lie and would fall to either side.
BORDER = 0.6180339887
SURE = 10.0  # odds from which on a cloud is said to be upside down
DOUBT = 0.01  # an axis that is less likely than this is none to try
# Which axis files have up, as odds before their shape is looked at: scans and prints z, a modeller's y.
CONVENTION: Mapping[Axis, float] = {"x": 0.2, "y": 0.7, "z": 1.0}


def require_scale(scale: float) -> None:
    """Refuse a scale that makes no cloud."""
    if not 0 < scale < inf:
        raise UsageError(f"--scale must be positive and finite, and is {scale:g}.")


@dataclass(frozen=True)
class Said:
    """What a user says of own clouds; what is None is assumed."""

    up: Axis | None = None
    unit: Unit | None = None
    scene: Scene | None = None
    scale: float = 1.0  # with another one, numbers times this are metres, or of the unit where that is said

    def __post_init__(self) -> None:
        """Refuse a scale that makes no cloud."""
        require_scale(self.scale)

    @classmethod
    def of(cls, up: str | None, unit: str | None, scene: str | None, scale: float = scale) -> "Said":
        """Check what was said in words; "auto" says nothing.

        Raises:
            UsageError: For an axis, a unit or a kind of scene that there is not, and a scale that makes no cloud.
        """
        said = {"axis": (up, Axis), "unit": (unit, Unit), "kind of scene": (scene, Scene)}
        axis, length, kind_of_scene = (_chosen(kind, word, names) for kind, (word, names) in said.items())
        return cls(axis, length, kind_of_scene, scale)


@dataclass(frozen=True)
class Guess:
    """What a cloud is taken for, and how sure that is."""

    placement: Placement
    odds: Mapping[Axis, float]  # the logarithm of how likely each axis points up; only those that may
    downward: Axis | None = None  # which points down by the shape, where that is sure; the cloud is not turned round

    def doubtful(self) -> list[Axis]:
        """Give the axes that may well point up, the most likely first; one alone is sure."""
        best = max(self.odds.values())
        likely: list[Axis] = [axis for axis, odds in self.odds.items() if odds > best + log(DOUBT)]
        return sorted(likely, key=lambda axis: -self.odds[axis])


def guessed(cloud: PointCloud, said: Said = Said(), convention: Mapping[Axis, float] | None = None) -> Guess:
    """Tell how a cloud lies in its file from its shape and size, where nobody says so.

    Args:
        cloud: As it came.
        said: What is known of it.
        convention: Which axis its file's format has up, as odds.
    """
    unit = "m" if said.unit is None and said.scale != 1 else said.unit
    if said.up and said.scene == "object":
        return Guess(Placement(said.up, said.unit, said.scene), {said.up: 0.0})
    shape = measured(cloud.xyz)
    of_directions = up_odds(shape)
    odds: Mapping[Axis, float] = {said.up: 0.0} if said.up else _odds(of_directions, convention or CONVENTION)
    up = max(odds, key=lambda axis: odds[axis])
    scene, found = _taken_for(cloud, shape, up, said, unit)
    where = Placement(up, unit or found, scene, said.scale)
    if scene == "object":
        where = Placement(up, said.unit, scene)  # which has one size, whatever its numbers
    return Guess(where, odds, _downward(of_directions))


def placed(cloud: PointCloud, placement: Placement) -> PointCloud:
    """Bring a cloud into the frame, where the same thing in another unit, place or orientation is the same cloud.

    `source` is the cloud as it came.
    """
    turn = upright(placement.up)
    return replace(
        cloud,
        xyz=rounded((_exact(cloud) @ turn.T) * factor(cloud, placement)),
        offset=np.zeros(3),
        exact=None,
        normals=None if cloud.normals is None else (cloud.normals @ turn.T).astype(np.float32),
        boxes=None,  # no file has any; found ones go back by `box_frames.as_it_came`
        source=cloud,
        placement=placement,
    )


def rounded(xyz: Float64[Array, "n 3"], step: float = STEP) -> Float32[Array, "n 3"]:
    """Round points to about this share of their extent: to a power of two, which float32 holds exactly."""
    width = min(2.0 ** round(log2(step * (float(np.ptp(xyz, axis=0).max()) or 1.0))), COARSEST)
    on_grid: Array = np.floor(xyz / width + BORDER) * width
    return on_grid.astype(np.float32)


def factor(cloud: PointCloud, placement: Placement) -> float:
    """Give what the lengths of a cloud, as it came, are multiplied by in that frame."""
    if placement.scene == "room" and placement.unit is not None:
        return METRES[placement.unit] * placement.scale
    return 1 / (float(np.ptp(_exact(cloud), axis=0).max()) or 1.0)


def left_to_scale(cloud: PointCloud, scale: float) -> float:
    """Give what the `xyz` of a cloud are still to be multiplied by; those of an own cloud have their scale."""
    return scale if cloud.placement is None else Said.scale


def _exact(cloud: PointCloud) -> Float64[Array, "n 3"]:
    return cloud.xyz.astype(np.float64) if cloud.exact is None else cloud.exact


def _odds(of_directions: Float64[Array, "6"], convention: Mapping[Axis, float]) -> dict[Axis, float]:
    """Take the directions that may be up, those along the axes, with what formats have up."""
    return {axis: float(odds) + log(convention[axis]) for axis, odds in zip(AXES, of_directions, strict=False)}


def _downward(of_directions: Float64[Array, "6"]) -> Axis | None:
    """Give the axis whose reverse is up for sure: of clouds that stand to validate on, none had one."""
    *_, second, best = np.argsort(of_directions)
    is_sure = of_directions[best] > of_directions[second] + log(SURE)
    return AXES[best - len(AXES)] if best >= len(AXES) and is_sure else None


def _taken_for(cloud: PointCloud, shape: Measured, up: Axis, said: Said, unit: Unit | None) -> Taken:
    place = AXES.index(up)
    sides = np.ptp(np.percentile(cloud.xyz.astype(np.float64), STRAY, axis=0), axis=0) * said.scale
    return taken_for(
        likeness_to_a_room(shape, place),
        float(np.delete(sides, place).max()),
        float(sides[place]),
        scene=said.scene,
        units=USUAL if unit is None else {unit: 0.0},
    )


def _chosen(kind: str, word: str | None, names: Any) -> Any:
    if word in (None, "auto"):
        return None
    return choose(kind, word, {name: name for name in get_args(names)})
