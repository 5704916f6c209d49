"""Lines and outlines that solids are swept along and cut out of."""

from collections.abc import Sequence

import numpy as np

from s4tok.shapes import Array, Float64


def superellipse(points: int, squareness: int | float = 0) -> Float64[Array, "m 2"]:
    """Give a circle of radius 1, counterclockwise, that nears a square as it grows squarer."""
    angle = angles(points)
    power = 1 - squareness
    return np.stack([signed_power(np.cos(angle), power), signed_power(np.sin(angle), power)], 1)


def rounded_rectangle(width: int | float, height: int | float, radius: int | float) -> Float64[Array, "m 2"]:
    """Give the outline of a rectangle with round corners, counterclockwise."""
    quarter = np.linspace(0, np.pi / 2, 7)
    radius = min(radius, 0.499 * min(width, height))
    corners = []
    for turn, (x, y) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        angle = quarter + turn * np.pi / 2
        middle = np.array([x * (width / 2 - radius), y * (height / 2 - radius)])
        corners.append(middle + radius * np.stack([np.cos(angle), np.sin(angle)], 1))
    return np.concatenate(corners)


def curve(
    knots: Sequence[Sequence[int | float]] | Float64[Array, "k d"], points: int = 24, closed: bool = False
) -> Array:
    """Draw a smooth line through knots (Catmull-Rom, evenly spread over the knots)."""
    knot = np.asarray(knots, float)
    if closed:
        knot = np.concatenate([knot[-1:], knot, knot[:2]])
        place = np.linspace(0, len(knot) - 3, points, endpoint=False)
    else:
        knot = np.concatenate([2 * knot[:1] - knot[1:2], knot, 2 * knot[-1:] - knot[-2:-1]])
        place = np.linspace(0, len(knot) - 3, points)
    index = np.minimum(place.astype(int), len(knot) - 4)
    t = (place - index)[:, None]
    before, start, end, after = (knot[index + k] for k in range(4))
    slope, curvature = end - before, 2 * before - 5 * start + 4 * end - after
    line: Array = start + 0.5 * t * (slope + t * (curvature + t * (3 * (start - end) + after - before)))
    return line


def arc(radius: int | float, start: int | float, end: int | float, points: int = 16) -> Float64[Array, "k 2"]:
    """Give points on a circle about the origin, from one angle to another."""
    angle = np.linspace(start, end, points)
    circle: Array = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    return circle


def rounded_path(knots: Sequence[Sequence[int | float]], cut: int | float = 0.25) -> Float64[Array, "k 3"]:
    """Round the corners of a broken line, by a share of their shorter side."""
    corners = np.asarray(knots, float)
    t = np.linspace(0, 1, 6)[:, None]
    points = [corners[:1]]
    for before, corner, after in zip(corners[:-2], corners[1:-1], corners[2:], strict=True):
        to, away = before - corner, after - corner
        reach = cut * min(np.linalg.norm(to), np.linalg.norm(away))
        start, end = corner + reach * to / np.linalg.norm(to), corner + reach * away / np.linalg.norm(away)
        points.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    return np.concatenate([*points, corners[-1:]])


def angles(points: int) -> Float64[Array, " m"]:
    """Give the angles of a full turn, the last short of the first."""
    return np.linspace(0, 2 * np.pi, points, endpoint=False)


def signed_power(values: Float64[Array, " m"], power: int | float) -> Float64[Array, " m"]:
    """Raise the size of numbers to a power and keep their signs."""
    raised: Array = np.sign(values) * np.abs(values) ** power
    return raised
