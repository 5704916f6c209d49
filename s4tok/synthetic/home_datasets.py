"""Rooms furnished with models of real things, as datasets; without the models, made furniture stands in."""

import logging
from functools import cache
from typing import NamedTuple

import numpy as np

from s4tok.config import WorldConfig
from s4tok.datasets.dataset import Origin
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.scannet_labels import CLASSES
from s4tok.shapes import Array, Float64, Int
from s4tok.synthetic import buildings
from s4tok.synthetic.capture import DEPTH_CAMERA
from s4tok.synthetic.datasets import ORIGIN, ToyRoom, ToyRooms, ToyScans
from s4tok.synthetic.furniture import Furniture, Procedural
from s4tok.synthetic.homes import ROOMS, make_home_room
from s4tok.synthetic.models import Models
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Scene

logger = logging.getLogger(__name__)

VERSION = 1  # of the homes; raise it whenever the same key gives another cloud, so that caches notice
FEWEST_POINTS = 20  # of a thing in the cloud, from which on it has a box


class Box(NamedTuple):
    """An upright box around a thing of a room."""

    center: tuple[float, float, float]  # in the cloud's coordinates
    size: tuple[float, float, float]  # its width, depth and height
    heading: float  # radians by which its front is turned from -y, counterclockwise seen from above
    label: int  # index into the dataset's classes
    instance: int  # as in `instances`
    name: str  # what it is
    model: str  # the key of the model it is in the furniture libraries; empty where it is made


class HomeRoom(ToyRoom):
    """What furnished rooms share: where their furniture comes from, and the boxes and instances of their things."""

    furniture: FolderLayout | None
    structure: frozenset[str]  # classes that are no things

    def furniture_of(self, key: str) -> Furniture:
        """Give the libraries of a cloud's own split."""
        return Procedural() if self.furniture is None else Models(self.furniture, key.partition("-")[0])

    def origin(self, key: str) -> Origin:
        """Say which version of the homes a cloud is made of, and which furniture."""
        source = self.furniture_of(key)
        furniture = source.identity if isinstance(source, Models) else "made"
        whole = super().origin(key)
        return Origin(f"{whole.path}/homes-{VERSION}/furniture-{furniture}", whole.size)

    def instances(self, key: str) -> Int[Array, " n"]:
        """Give the thing that each point belongs to, -1 for walls and the like and for what has no class."""
        seen = self.capture(key)
        outside = np.isin(seen.classes, [self.classes.index(name) for name in self.structure]) | (seen.classes < 0)
        things: Array = np.where(outside, -1, seen.things)
        return things

    def boxes(self, key: str) -> list[Box]:
        """Give the boxes of the things that are in the cloud, as they stand in the room, whole."""
        scene, of_point = self.room(key, self.start(key)), self.instances(key)
        kept, counts = np.unique(of_point[of_point >= 0], return_counts=True)
        corner = self.corner(key)
        return [_box_of(scene, int(thing), corner) for thing in kept[counts >= FEWEST_POINTS]]

    def start(self, key: str) -> Draw:
        """Start the stream of decisions at the room itself."""
        return self.draw(key)

    def corner(self, key: str) -> Float64[Array, "3"]:
        """Say where the room's corner lies in the cloud's coordinates."""
        return ORIGIN


class HomeScans(HomeRoom, ToyScans):
    """Rooms of homes as a depth camera brings them home, in ScanNet's twenty classes, with a film of posed images."""

    name = "home-scans"
    classes = CLASSES
    scanner = DEPTH_CAMERA
    structure = frozenset({"wall", "floor"})

    def __init__(
        self,
        split: str = "train",
        *,
        furniture: FolderLayout | None = None,
        sizes: tuple[int, int, int] = WorldConfig.home_scans,
        voxel: float = WorldConfig.scan_voxel,
        frames: int = WorldConfig.frames,
        seed: int = WorldConfig.seed,
    ) -> None:
        self.furniture = furniture
        if furniture is None:
            tell_made(self.name)
        super().__init__(split, sizes=sizes, voxel=voxel, frames=frames, seed=seed)

    def room(self, key: str, draw: Draw) -> Scene:
        """Make a room of a home."""
        kind = list(ROOMS)[int(key.rpartition("-")[2]) % len(ROOMS)]  # by turns, so that any first few are mixed
        return make_home_room(kind, draw, self.furniture_of(key))


class HomeRooms(HomeRoom, ToyRooms):
    """Rooms of an office building, furnished, in S3DIS's thirteen classes, as a surveyor's scanner sees them."""

    name = "home-rooms"
    structure = frozenset({"ceiling", "floor", "wall", "beam", "column"})

    def __init__(
        self,
        split: str = "train",
        *,
        furniture: FolderLayout | None = None,
        sizes: tuple[int, int, int] = WorldConfig.home_rooms,
        voxel: float = WorldConfig.room_voxel,
        points: int = WorldConfig.room_points,
        frames: int = WorldConfig.frames,
        seed: int = WorldConfig.seed,
    ) -> None:
        self.furniture = furniture
        if furniture is None:
            tell_made(self.name)
        super().__init__(split, sizes=sizes, voxel=voxel, points=points, frames=frames, seed=seed)

    def room(self, key: str, draw: Draw) -> Scene:
        """Make a room of an office building, its corner at the origin."""
        return buildings.make_building_room(draw, self.furniture_of(key))

    def start(self, key: str) -> Draw:
        """Start the stream of decisions at the room itself, after that of where it lies."""
        draw = self.draw(key)
        buildings.whereabouts(draw)
        return draw

    def corner(self, key: str) -> Float64[Array, "3"]:
        """Say where in the building the room's corner lies."""
        return buildings.whereabouts(self.draw(key))


@cache
def tell_made(name: str) -> None:
    """Say, once a process, that a dataset has no models to be furnished with."""
    logger.warning("%s: there is no sh3d, so made furniture stands in; `s4tok data fetch sh3d` gets it.", name)


def _box_of(scene: Scene, thing: int, corner: Float64[Array, "3"]) -> Box:
    """Measure a thing along its own front and side."""
    mine = scene.things == thing
    points, heading = scene.vertices[np.unique(scene.faces[mine])], scene.headings[thing]
    cosine, sine = np.cos(heading), np.sin(heading)
    turn = np.array([(cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)])  # into the thing's own frame
    own = points @ turn.T
    low, high = own.min(0), own.max(0)
    x, y, z = ((low + high) / 2 @ turn + corner).tolist()
    wide, deep, tall = (high - low).tolist()
    label = int(scene.classes[mine][0])
    return Box((x, y, z), (wide, deep, tall), heading, label, thing, scene.names[thing], scene.sources[thing])
