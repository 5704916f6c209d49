"""Clouds of several objects on a floor, before a wall: what a tokenizer of single objects has never met.

Tokens trained in clouds of one object let the frozen transformer answer with the mean of all it sees; in a room that
is one answer for everything. Objects are put together here from clouds of one: no labels and no scans of rooms.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from s4tok.geometry.walls import turned_about
from s4tok.shapes import Array, Float, Float32, Float64, Int

SIZES = (0.6, 1.4)  # of an object beside its own size
GAP = (0.05, 0.5)  # between the circles around two objects, in the mean object's radius
BACKGROUND = 0.35  # share of points on floor and wall
WALL = 0.7  # how often there is a wall
ROUGHNESS = 0.004  # of floor and wall, in the mean object's radius
ATTEMPTS = 30  # at a free place, before the next is looked for further out


class Part(NamedTuple):
    """A sample of one object, +y up, and the 2D model's feature of each of its superpoints."""

    points: Float32[Array, "n 3"]
    superpoints: Int[Array, " n"]  # 0 .. s-1
    targets: Float[Array, "s d"]  # zeros for one that no view has seen
    features: Float32[Array, "n c"] | None = None  # of points, as of `PointFeatures.read`


def mix(parts: Sequence[Part], n_points: int, seed: int, normals: slice | None = None) -> Part:
    """Stand objects on a floor, each turned and resized at random, none inside another, mostly before a wall.

    Points are thinned to about `n_points` in all, evenly by area. Floor and wall are superpoints without a target, and
    nothing is known of their points. `normals` are the channels of features that turn with their object.
    """
    draw = np.random.default_rng(seed)
    turns = [(draw.uniform(0, 2 * np.pi), draw.uniform(*SIZES)) for _ in parts]
    things = [_standing(part.points, angle, size) for part, (angle, size) in zip(parts, turns, strict=True)]
    unit = float(np.mean([_reach(thing) for thing in things]))
    moved = _side_by_side(things, unit, draw)
    areas = np.array([_reach(thing) ** 2 for thing in things])
    shares = np.ceil((1 - BACKGROUND) * n_points * areas / areas.sum()).astype(int)
    points, superpoints, targets, features, first = [], [], [], list[Float32[Array, "_ c"]](), 0
    for part, thing, share, (angle, _) in zip(parts, moved, shares, turns, strict=True):
        kept = np.sort(draw.choice(len(thing), min(share, len(thing)), replace=False))
        points.append(thing[kept])
        superpoints.append(part.superpoints[kept].astype(np.int64) + first)
        targets.append(part.targets)
        if part.features is not None:
            features.append(_turned_features(part.features[kept], angle, normals))
        first += len(part.targets)
    planes = _planes(np.concatenate(moved), unit, max(n_points - sum(map(len, points)), 1), draw)
    superpoints += [np.full(len(plane), first + number) for number, plane in enumerate(planes)]
    targets.append(np.zeros((len(planes), targets[0].shape[1]), targets[0].dtype))
    xyz = np.concatenate([*points, *planes])
    low, high = xyz.min(axis=0), xyz.max(axis=0)
    known = None
    if features:
        n_on_planes = sum(map(len, planes))
        known = np.concatenate([*features, np.zeros((n_on_planes, features[0].shape[1]), np.float32)])
    centered = (xyz - (low + high) / 2).astype(np.float32)
    return Part(centered, np.concatenate(superpoints), np.concatenate(targets), known)


def _turned_features(features: Float32[Array, "n c"], angle: float, normals: slice | None) -> Float32[Array, "n c"]:
    """Turn the normals among the features of an object's points with it."""
    if normals is None:
        return features
    turned = features.copy()
    turned[:, normals] = turned_about(features[:, normals].astype(np.float64), -angle, "y")
    return turned


def _standing(points: Float32[Array, "n 3"], angle: float, size: float) -> Float64[Array, "n 3"]:
    """Turn an object about the vertical, resize it, and stand it on y = 0 around the origin."""
    turned = turned_about(size * points.astype(np.float64), -angle, "y")
    turned[:, 1] -= turned[:, 1].min()
    turned[:, ::2] -= (turned[:, ::2].min(axis=0) + turned[:, ::2].max(axis=0)) / 2
    return turned


def _reach(thing: Float64[Array, "n 3"]) -> float:
    """Measure the circle an object stands in, seen from above; one that coincides with its centre gets a little."""
    return max(float(np.hypot(thing[:, 0], thing[:, 2]).max()), 1e-3 * max(float(np.ptp(thing[:, 1])), 1e-6))


def _side_by_side(
    things: Sequence[Float64[Array, "_ 3"]], unit: float, draw: np.random.Generator
) -> list[Float64[Array, "_ 3"]]:
    """Move objects apart: the first stays, each further one comes as near as chance lets it."""
    places: list[tuple[float, float, float]] = []
    for thing in things:
        reach, away = _reach(thing), 0.0
        gap = draw.uniform(*GAP) * unit
        for attempt in range(1_000_000 if places else 0):
            away = reach + gap + attempt // ATTEMPTS * unit / 4
            angle = draw.uniform(0, 2 * np.pi)
            x, z = away * np.cos(angle), away * np.sin(angle)
            if all(np.hypot(x - u, z - v) >= reach + other + gap for u, v, other in places):
                break
        else:
            x, z = 0.0, 0.0
        places.append((x, z, reach))
    return [thing + np.array([x, 0.0, z]) for thing, (x, z, _) in zip(things, places, strict=True)]


def _planes(
    xyz: Float64[Array, "n 3"], unit: float, n_points: int, draw: np.random.Generator
) -> list[Float64[Array, "_ 3"]]:
    """Lay a floor under everything and, mostly, put a wall behind it; points on both are as dense."""
    margin = draw.uniform(0.2, 0.8, 4) * unit
    low, high = xyz.min(axis=0), xyz.max(axis=0)
    left, right, back, front = low[0] - margin[0], high[0] + margin[1], low[2] - margin[2], high[2] + margin[3]
    top = high[1] * draw.uniform(0.8, 1.6)
    areas = np.array([(right - left) * (front - back), (right - left) * top * (draw.uniform() < WALL)])
    on_floor = max(round(n_points * areas[0] / areas.sum()), 1)
    first, second, rough = draw.uniform(size=(3, n_points))
    across, rough = left + (right - left) * first, ROUGHNESS * unit * (2 * rough - 1)
    floor = np.stack([across, rough, back + (front - back) * second], axis=1)[:on_floor]
    wall = np.stack([across, top * second, back + rough], axis=1)[on_floor:]
    return [floor, wall] if len(wall) else [floor]
