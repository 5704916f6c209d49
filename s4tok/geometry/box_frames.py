"""Boxes in other frames: with another axis up, or back in the file of an own cloud; and their corners."""

from dataclasses import replace
from itertools import product

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.geometry.axes import upright
from s4tok.geometry.placement import UP, factor
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float64

SIDES = np.array(list(product((-1, 1), repeat=3))) / 2  # of each corner, in its box's width, depth and height
# Pairs of corners that differ in one side.
EDGES = np.array([(a, b) for a in range(8) for b in range(a, 8) if np.abs(SIDES[a] - SIDES[b]).sum() == 1])


def turned(boxes: OrientedBoxes, up: str, to: str) -> OrientedBoxes:
    """Turn boxes so that the axis `to` is up where `up` was, as `upright` turns points."""
    return replace(boxes, centers=boxes.centers @ upright(up).T @ upright(to))


def as_it_came(boxes: OrientedBoxes, cloud: PointCloud) -> OrientedBoxes:
    """Bring boxes in the frame of a cloud's `xyz` to the coordinates, axes and unit that it came in."""
    if cloud.source is None or cloud.placement is None:
        return boxes.moved(cloud.offset)
    ratio = factor(cloud.source, cloud.placement)
    smaller = replace(boxes, centers=boxes.centers / ratio, sizes=boxes.sizes / ratio)
    return turned(smaller, UP, cloud.placement.up).moved(cloud.source.offset)


def box_corners(boxes: OrientedBoxes, up: str = "z") -> Float64[Array, "o 8 3"]:
    """Give the eight corners of boxes, whose axis `up` is up; `EDGES` says which are joined."""
    flat = turned(boxes, up, "z")
    cosine, sine = np.cos(boxes.yaws)[:, None], np.sin(boxes.yaws)[:, None]
    wide, deep, tall = np.moveaxis(SIDES * boxes.sizes[:, None], -1, 0)
    there = np.stack([cosine * wide - sine * deep, sine * wide + cosine * deep, tall], axis=-1)
    placed: Array = (there + flat.centers[:, None]) @ upright("z").T @ upright(up)
    return placed
