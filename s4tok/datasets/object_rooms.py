"""Rooms that objects of a dataset stand in: what a tokenizer of single objects has never met; no scans, no labels.

A vision model that looks into such a room names its floor, walls and ceiling, which no object has, and sees things as
they stand in rooms.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.errors import UsageError
from s4tok.geometry.axes import upright
from s4tok.geometry.walls import turned_about
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float, Float64

SUFFIX = "-rooms"  # of the dataset's name
VERSION = 1  # raise it whenever the same key gives another room, so that caches notice
EACH = 20  # objects of the dataset to a room
OBJECTS = (5, 10)  # in a room
RADIUS = (0.35, 0.95)  # metres, of the sphere around an object
SIDES = (3.0, 6.0)  # metres, of the floor
HEIGHT = (2.3, 3.0)  # metres
CEILING = 0.5  # how often there is one
WALL = 0.85  # how often there is each of four
AT_WALL = 0.5  # how often an object stands at one
GAP = 0.05  # metres between objects, and to walls
ATTEMPTS = 60  # at a free place; an object that finds none is left out
POINTS = 60_000  # of a room: evenly by area
NOISE = 0.003  # metres, standard deviation


class ObjectRooms(CloudDataset):
    """Rooms in which some objects of a dataset, each turned and resized at random, stand on the floor; metres, y up.

    A room depends on its key and on the objects that there are alone. There is one for every twenty objects.
    """

    scene = "room"
    up = "y"

    def __init__(self, objects: CloudDataset, points: int = POINTS) -> None:
        if objects.scene != "object":
            raise UsageError(
                f"{objects.name} is of rooms, and --clouds rooms puts objects together.",
                "take its clouds as they are: --clouds scenes.",
            )
        self.objects, self.points = objects, points
        self.name, self.split = f"{objects.name}{SUFFIX}", objects.split
        self.keys = tuple(f"room-{number:06d}" for number in range(-(-len(objects.keys) // EACH)))

    def __getitem__(self, key: str) -> PointCloud:
        """Furnish a room."""
        draw, chosen = self._drawn(key)
        things = [self.objects[name].xyz @ upright(self.objects.up).T for name in chosen]
        return PointCloud.of(furnished(things, self.points, draw), name=key)

    def origin(self, key: str) -> Origin:
        """Say which objects a room is furnished with."""
        objects = [self.objects.origin(name) for name in self._drawn(key)[1]]
        made_of = ", ".join(f"{each.path} {each.size} {each.mtime_ns} {each.identity}" for each in objects)
        return Origin(f"{self.name}/version-{VERSION}/{self.split}/{key}", self.points, identity=made_of)

    def _drawn(self, key: str) -> tuple[np.random.Generator, list[str]]:
        """Choose the objects of a room, and give what goes on to draw."""
        draw = np.random.default_rng(seed_of(0, self.name, self.split, key))
        numbers = draw.integers(len(self.objects.keys), size=draw.integers(OBJECTS[0], OBJECTS[1] + 1))
        return draw, [self.objects.keys[int(number)] for number in numbers]


class Footprint(NamedTuple):
    """The rectangle of the floor that an object takes."""

    middle: Float64[Array, "2"]
    half: Float64[Array, "2"]  # of its sides

    def is_clear_of(self, other: "Footprint") -> bool:
        """Tell whether there is a gap between them."""
        return bool((np.abs(self.middle - other.middle) > self.half + other.half + GAP).any())


def furnished(things: Sequence[Float[Array, "_ 3"]], n_points: int, draw: np.random.Generator) -> Float64[Array, "n 3"]:
    """Stand things with +y up in a room of random size, none inside another; what finds no place is left out.

    There are about as many points as asked for, fewer where things have too few.
    """
    width, depth = draw.uniform(*SIDES, 2)
    height = draw.uniform(*HEIGHT)
    room, taken = np.array([width, height, depth]), list[Footprint]()
    pieces, areas = list[Float64[Array, "_ 3"]](), list[float]()
    for thing in things:
        standing = _standing(thing, draw)
        size = np.ptp(standing, axis=0)
        place = free_place(size, room, taken, draw)
        if place is None:
            continue
        taken.append(place)
        pieces.append(standing + [place.middle[0], 0.0, place.middle[1]])
        areas.append(2 * float(size[0] * size[1] + size[1] * size[2] + size[2] * size[0]))
    density = n_points / (sum(areas) + 2 * float(width * depth) + 2 * float((width + depth) * height))
    kept = [min(max(round(density * area), 1), len(piece)) for piece, area in zip(pieces, areas, strict=True)]
    thinned = [draw.choice(piece, count, replace=False) for piece, count in zip(pieces, kept, strict=True)]
    xyz = np.concatenate([*thinned, *_shell(room, density, draw)])
    noisy: Array = xyz + draw.normal(0, NOISE, xyz.shape)
    return noisy


def _standing(thing: Float[Array, "n 3"], draw: np.random.Generator) -> Float64[Array, "n 3"]:
    """Turn a thing about the vertical, resize it, and stand it on y = 0 around the origin."""
    points = thing.astype(np.float64) - (thing.min(axis=0) + thing.max(axis=0)) / 2
    points *= draw.uniform(*RADIUS) / max(float(np.linalg.norm(points, axis=1).max()), 1e-6)
    turned = turned_about(points, -draw.uniform(0, 2 * np.pi), "y")
    low, high = turned.min(axis=0), turned.max(axis=0)
    standing: Array = turned - [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2]
    return standing


def free_place(
    size: Float64[Array, "3"], room: Float64[Array, "3"], taken: Sequence[Footprint], draw: np.random.Generator
) -> Footprint | None:
    """Look for a place on the floor, often at a wall, that keeps its distance from those that are taken."""
    half = size[::2] / 2
    low, high = half + GAP, room[::2] - half - GAP
    if (low > high).any() or size[1] > room[1]:
        return None
    for _ in range(ATTEMPTS):
        middle = draw.uniform(low, high)
        if draw.uniform() < AT_WALL:
            axis = draw.integers(2)
            middle[axis] = (low, high)[draw.integers(2)][axis]
        place = Footprint(middle, half)
        if all(place.is_clear_of(other) for other in taken):
            return place
    return None


def _shell(room: Float64[Array, "3"], density: float, draw: np.random.Generator) -> list[Float64[Array, "_ 3"]]:
    """Sample the floor, and the ceiling and walls that there are."""
    planes = [(1, 0.0, 1.0), (1, room[1], CEILING)]
    planes += [(axis, place, WALL) for axis in (0, 2) for place in (0.0, room[axis])]
    found = []
    for axis, place, chance in planes:
        if draw.uniform() < chance:
            area = room.prod() / room[axis]
            points = draw.uniform(0, room, (max(round(density * area), 1), 3))
            points[:, axis] = place
            found.append(points)
    return found
