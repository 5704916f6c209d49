"""Rooms turned about the vertical so that their walls lie along the axes, for training and for labelling alike."""

from dataclasses import replace

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.shapes import Array, Float, Float64

CELL = 0.05  # metres; points of a wall that lies along an axis fall into few cells of the other
MOST_POINTS = 30_000  # that are counted
ENOUGH = 0.97  # of the sharpest direction's sharpness, from which on a room is left as it is


def along_the_axes(cloud: PointCloud, up: str, scale: float = 1.0) -> PointCloud:
    """Turn a room so that its walls lie along the axes; `scale` times its coordinates are metres."""
    turn = turn_of_walls(scale * cloud.xyz, up)
    if not turn:
        return cloud
    normals = None if cloud.normals is None else turned_about(cloud.normals, turn, up)
    return replace(cloud, xyz=turned_about(cloud.xyz, turn, up), normals=normals)


def turn_of_walls(xyz: Float[Array, "n 3"], up: str) -> float:
    """Say by how many radians a room is to be turned about the vertical for its walls to lie along the axes.

    Of whole degrees the one by which coordinates crowd most: the sum of squares of the numbers of points in each cell
    of either axis. It is between -45 and 45 degrees, and 0 where the room lies about as well as it ever does.
    """
    flat = xyz[:: -(-len(xyz) // MOST_POINTS), _level(up)].astype(np.float64)
    flat -= flat.mean(axis=0)
    degrees = np.arange(-44, 46)
    sharpness = np.array([_sharpness(flat @ _rotation(each).T) for each in np.radians(degrees)])
    if sharpness[degrees == 0] >= ENOUGH * sharpness.max():
        return 0.0
    return float(np.radians(degrees[sharpness.argmax()]))


def turned_about(xyz: Float[Array, "n 3"], radians: float, up: str) -> Float[Array, "n 3"]:
    """Turn points, or directions, about the vertical."""
    found = xyz.copy()
    found[:, _level(up)] = xyz[:, _level(up)].astype(np.float64) @ _rotation(radians).T
    return found


def _level(up: str) -> list[int]:
    return ["xyz".index(axis) for axis in "xyz" if axis != up]


def _rotation(radians: float) -> Float64[Array, "2 2"]:
    return np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])


def _sharpness(flat: Float64[Array, "n 2"]) -> float:
    cells = np.floor((flat - flat.min(axis=0)) / CELL).astype(np.int64)
    counts = (np.unique(axis, return_counts=True)[1] for axis in cells.T)  # of few, however far a stray point lies
    return float(sum(np.square(of).sum() for of in counts))
