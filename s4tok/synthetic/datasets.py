"""The procedural world as datasets: nothing is read, every cloud is made when it is asked for.

A cloud depends on the world's seed and its own key alone: neither order nor workers nor the number of clouds asked
for changes a byte of it.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import ClassVar, NamedTuple

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import WorldConfig
from s4tok.datasets.dataset import CloudDataset, Frame, Mesh, Origin
from s4tok.datasets.reader import parts_of
from s4tok.errors import InputError
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float64, Int
from s4tok.synthetic import buildings, scans
from s4tok.synthetic.capture import HAND_HELD, TRIPOD, Capture, Eye, Scanner, photograph, scan_room, thinned
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.objects import make_object, spread_points
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Scene
from s4tok.synthetic.thing_boxes import thing_boxes

VERSION = 1  # of the world; raise it whenever the same key gives another cloud, so that caches notice

NAMES = tuple(CATEGORIES)
FEWEST_POINTS = 20  # of a thing in the cloud, from which on it has a box
ORIGIN = np.zeros(3)
INTRINSICS = np.array([[288.5, 0.0, 159.5], [0.0, 288.5, 119.5], [0.0, 0.0, 1.0]])  # ScanNet's, at 320 x 240
STARTS = (0, *accumulate(len(row.all_parts) for row in CATEGORIES.values()))


class Toy(CloudDataset):
    """A made dataset: keys from sizes, origins from keys."""

    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test")

    def __init__(self, sizes: tuple[int, int, int], split: str, seed: int) -> None:
        self.split, self.seed = split, seed
        counts = dict(zip(self.splits, sizes, strict=True))
        self.keys = tuple(
            sorted(self.key(part, number) for part in parts_of(split, self.splits) for number in range(counts[part]))
        )

    def key(self, split: str, number: int) -> str:
        """Name a cloud; names sort by split and number."""
        return f"{split}-{number:06d}"

    def origin(self, key: str) -> Origin:
        """Say which version of the world a cloud is made of, and how many points it has."""
        made = f"{self.name}/version-{VERSION}/seed-{self.seed}/{key}"
        return Origin(made, self.size, identity=made)

    def draw(self, key: str) -> Draw:
        """Start the stream of decisions that makes one cloud."""
        return Draw(self.seed, self.name, key)

    @property
    @abstractmethod
    def size(self) -> int:
        """Give the points of a cloud, or about that many."""


class ToyShapes(Toy):
    """Objects of fifteen categories with named parts in the unit sphere, in turn, so that any first few are mixed."""

    name = "toy-shapes"
    scene = "object"
    up = "y"
    categories = NAMES
    classes = tuple(part for row in CATEGORIES.values() for part in row.all_parts)
    parts = MappingProxyType({name: range(*ids) for name, ids in zip(NAMES, pairwise(STARTS), strict=True)})

    def __init__(
        self,
        split: str = "train",
        *,
        sizes: tuple[int, int, int] = WorldConfig.shapes,
        points: int = WorldConfig.shape_points,
        seed: int = WorldConfig.seed,
    ) -> None:
        self.points = points
        super().__init__(sizes, split, seed)

    def key(self, split: str, number: int) -> str:
        """Name an object after its category too."""
        return f"{super().key(split, number)}-{NAMES[number % len(NAMES)]}"

    @property
    def size(self) -> int:
        """Give the points of a cloud."""
        return self.points

    def __getitem__(self, key: str) -> PointCloud:
        """Make an object and sample its surface."""
        mesh, draw = self._make(key)
        assert mesh.labels is not None
        sample = spread_points(mesh.vertices, mesh.faces, self.points, draw)
        return PointCloud.of(sample.xyz, name=key, normals=sample.normals, labels=mesh.labels[sample.faces])

    def category(self, key: str) -> int:
        """Give the index of an object's category."""
        return NAMES.index(key.rpartition("-")[2])

    def mesh(self, key: str) -> Mesh:
        """Make an object; its faces are labelled with its parts."""
        return self._make(key)[0]

    def _make(self, key: str) -> tuple[Mesh, Draw]:
        draw, category = self.draw(key), self.category(key)
        thing = make_object(NAMES[category], draw).in_unit_sphere()
        return Mesh(thing.vertices, thing.faces, labels=thing.parts + STARTS[category]), draw


class Film(NamedTuple):
    """A room, the poses that a camera takes in it, and where it lies in the cloud's coordinates."""

    room: Scene
    poses: list[Float64[Array, "4 4"]]
    corner: Float64[Array, "3"]


class ToyRoom(Toy):
    """What made rooms share: metres, z up, classes of the points, and which thing and part each point is of."""

    scene = "room"
    up = "z"
    scanner: ClassVar[Scanner]
    structure: ClassVar[frozenset[str]]  # classes that are no things
    n_frames: int  # of the film

    @abstractmethod
    def room(self, key: str, draw: Draw) -> Scene:
        """Make a room."""

    @abstractmethod
    def capture(self, key: str) -> Capture:
        """Make a room and scan it."""

    def __getitem__(self, key: str) -> PointCloud:
        """Make a room and scan it."""
        seen = self.capture(key)
        things, boxes = self._things_and_boxes(seen)
        return PointCloud.of(seen.xyz, name=key, color=seen.color, labels=seen.classes, instances=things, boxes=boxes)

    def _things_and_boxes(self, seen: Capture) -> tuple[Int[Array, " n"], OrientedBoxes]:
        """Give the thing of each point, -1 for walls and what has no class, and the boxes of things that were seen."""
        has_name = np.array([name not in self.structure for name in self.classes] + [False])
        things = np.where(has_name[seen.classes], seen.things, -1)
        kept, first, counts = np.unique(things, return_index=True, return_counts=True)
        names = [self.classes[label] for label in seen.classes[first].tolist()]
        chosen = [
            (int(thing), self.box_classes.index(name))
            for thing, name, count in zip(kept, names, counts, strict=True)
            if thing >= 0 and count >= FEWEST_POINTS and name in self.box_classes
        ]
        boxes = thing_boxes(seen.scene, [thing for thing, _ in chosen], [label for _, label in chosen])
        return things, boxes.moved(seen.corner)

    @abstractmethod
    def film(self, key: str) -> Film:
        """Make a room, and say how it is filmed."""

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        """Make every `step`-th image of a room's film; each is the same whichever others are made."""
        return self._shots(key, range(0, self.n_frames, step))

    def frame_names(self, key: str, step: int = 1) -> tuple[str, ...]:
        """Name every `step`-th image by its number."""
        return tuple(map(str, range(0, self.n_frames, step)))

    def frame(self, key: str, name: str) -> Frame:
        """Make one image of a room's film."""
        if name not in self.frame_names(key):
            raise InputError(f"{key} has no frame {name}.")
        return next(self._shots(key, [int(name)]))

    def _shots(self, key: str, numbers: Iterable[int]) -> Iterator[Frame]:
        film = _latest_film(self, key)
        eye = Eye(film.room)
        for number in numbers:
            draw, has_holes = self.draw(f"{key}/film/{number}"), self.scanner.has_holes
            pose = film.poses[number]
            color, depth = photograph(eye, draw, pose, (240, 320), INTRINSICS, has_holes)
            moved = pose.copy()
            moved[:3, 3] += film.corner
            yield Frame(str(number), color, depth, INTRINSICS, INTRINSICS, moved)

    def things(self, key: str) -> tuple[Int[Array, " n"], Int[Array, " n"]]:
        """Tell of each point which thing of the room it belongs to, and which part of its category, -1 for walls."""
        seen = self.capture(key)
        return seen.things, seen.parts


class ToyScans(ToyRoom):
    """Rooms of homes as a hand-held depth camera brings them home: partial, noisy, with a film of posed images."""

    name = "toy-scans"
    classes: Sequence[str] = scans.CLASSES
    box_classes: Sequence[str] = tuple(name for name in scans.CLASSES if name not in scans.STRUCTURE)
    structure = scans.STRUCTURE
    scanner = HAND_HELD

    def __init__(
        self,
        split: str = "train",
        *,
        sizes: tuple[int, int, int] = WorldConfig.scans,
        voxel: float = WorldConfig.scan_voxel,
        frames: int = WorldConfig.frames,
        seed: int = WorldConfig.seed,
    ) -> None:
        self.voxel, self.n_frames = voxel, frames
        super().__init__(sizes, split, seed)

    @property
    def size(self) -> int:
        """Give about the points of a scan."""
        return int(80_000 * (0.03 / self.voxel) ** 1.5)

    def room(self, key: str, draw: Draw) -> Scene:
        """Make a room of a home."""
        return scans.make_scan_room(draw)

    def capture(self, key: str) -> Capture:
        """Make a room and scan it; points are a mesh's vertices, one a voxel."""
        draw = self.draw(key)
        eye = Eye(self.room(key, draw))
        return thinned(scan_room(eye, draw, self.scanner, triangulated=True), self.voxel)

    def mesh(self, key: str) -> Mesh:
        """Make a scan's mesh, whose vertices are the cloud's points."""
        seen = self.capture(key)
        color = (seen.color / 255).astype(np.float32)
        return Mesh(seen.xyz, seen.faces, color=color, labels=seen.classes[seen.faces[:, 0]])

    def film(self, key: str) -> Film:
        """Walk a hand-held camera through the room."""
        room = self.room(key, self.draw(key))
        return Film(room, scans.camera_path(self.draw(f"{key}/film"), room, self.n_frames), ORIGIN)


class ToyRooms(ToyRoom):
    """Rooms of an office building as a surveyor's scanner sees them: ceilings too, in the building's coordinates."""

    name = "toy-rooms"
    classes = buildings.CLASSES
    box_classes = buildings.BOX_CLASSES
    structure = buildings.STRUCTURE
    scanner = TRIPOD

    def __init__(
        self,
        split: str = "train",
        *,
        sizes: tuple[int, int, int] = WorldConfig.rooms,
        voxel: float = WorldConfig.room_voxel,
        points: int = WorldConfig.room_points,
        frames: int = WorldConfig.frames,
        seed: int = WorldConfig.seed,
    ) -> None:
        self.voxel, self.points, self.n_frames = voxel, points, frames
        super().__init__(sizes, split, seed)

    @property
    def size(self) -> int:
        """Give the points of a room."""
        return self.points

    def room(self, key: str, draw: Draw) -> Scene:
        """Make a room of an office building, its corner at the origin."""
        return buildings.make_building_room(draw)

    def capture(self, key: str) -> Capture:
        """Make a room, scan it and keep some points of all."""
        draw = self.draw(key)
        corner = buildings.whereabouts(draw)
        eye = Eye(self.room(key, draw))
        everything = thinned(scan_room(eye, draw, self.scanner, triangulated=False), self.voxel)
        some = draw.generator.choice(len(everything.xyz), min(self.points, len(everything.xyz)), replace=False)
        return everything.take(np.sort(some)).moved(corner)

    def film(self, key: str) -> Film:
        """Tour the room with a camera."""
        draw = self.draw(key)
        corner = buildings.whereabouts(draw)
        room = self.room(key, draw)
        return Film(room, buildings.photo_tour(room, self.n_frames), corner)


@lru_cache(maxsize=1)
def _latest_film(clouds: ToyRoom, key: str) -> Film:
    """Keep the room that was filmed last, which takes longer to make than a frame, and of which more are asked for."""
    return clouds.film(key)
