"""Changes of scenes that their boxes go along with, each a function of a seed alone; 3DETR's."""

import math
from typing import NamedTuple

import numpy as np
import torch

from s4tok.geometry.boxes import hulls
from s4tok.shapes import Array, Bool, Float, Float32, Int

TRIES = 100  # at a crop
FEWEST_POINTS = 0.75  # of a sample's points, that a crop must keep; 30,000 of 40,000


class BoxedScene(NamedTuple):
    """Points, +z up, and boxes as `s4tok.geometry.boxes` has them."""

    points: Float32[Array, "n 3"]
    boxes: Float[Array, "o 7"]
    labels: Int[Array, " o"]


def crop(
    scene: BoxedScene, shares: tuple[float, float], likeness: float, fewest: int, draw: np.random.Generator
) -> tuple[Bool[Array, " n"], Bool[Array, " o"]]:
    """Tell which points lie in a random box, and which boxes have their centre among these; all where none is found.

    Args:
        scene: The scene.
        shares: Of its extent, between which the box's are drawn along each axis.
        likeness: Least ratio of the shares that one pair of axes must have.
        fewest: Points that are kept at least; and one box is.
        draw: What is drawn from.
    """
    points, boxes = scene.points, scene.boxes
    extent = np.ptp(points, axis=0)
    for _ in range(TRIES):
        share = draw.uniform(*shares, 3)
        if max(min(a, b) / max(a, b) for a, b in (share[[0, 1]], share[[0, 2]], share[[1, 2]])) < likeness:
            continue
        middle = points[draw.integers(len(points))]
        inside = (np.abs(points - middle) <= extent * share / 2).all(axis=1)
        if inside.sum() < fewest:
            continue
        kept = points[inside]
        centers = boxes[:, :3]
        has_center = ((centers >= kept.min(axis=0)) & (centers <= kept.max(axis=0))).all(axis=1)
        if has_center.any():
            return inside, has_center
    return np.ones(len(points), bool), np.ones(len(boxes), bool)


def turned(scene: BoxedScene, degrees: float, flip: tuple[float, float], draw: np.random.Generator) -> BoxedScene:
    """Mirror x and y so often, then turn everything about the vertical by at most so many degrees."""
    points, boxes = scene.points.astype(np.float64), scene.boxes.astype(np.float64)
    for axis, share in enumerate(flip):
        if draw.random() < share:
            points[:, axis] *= -1
            boxes[:, axis] *= -1
            boxes[:, 6] = (0 if axis else np.pi) - boxes[:, 6]
    angle = math.radians(degrees) * draw.uniform(-1, 1)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points[:, :2] = points[:, :2] @ turn.T
    boxes[:, :2] = boxes[:, :2] @ turn.T
    boxes[:, 6] += angle
    return scene._replace(points=points.astype(np.float32), boxes=boxes)


def scaled(scene: BoxedScene, scale_range: tuple[float, float], shift: float, draw: np.random.Generator) -> BoxedScene:
    """Scale everything by one factor, and shift it by at most so much along each axis."""
    factor, move = draw.uniform(*scale_range), shift * draw.uniform(-1, 1, 3)
    boxes = scene.boxes.copy()
    boxes[:, :6] *= factor
    boxes[:, :3] += move
    return scene._replace(points=(factor * scene.points + move).astype(np.float32), boxes=boxes)


def along_axes(boxes: Float[Array, "o 7"]) -> Float[Array, "o 7"]:
    """Give the boxes along the axes around boxes."""
    return np.asarray(hulls(torch.from_numpy(boxes.copy())))
