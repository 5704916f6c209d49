"""Rooms furnished with models of real things, as datasets; without the models, made furniture stands in."""

import logging
from collections.abc import Sequence
from functools import cache

from s4tok.config import WorldConfig
from s4tok.datasets.dataset import Origin
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.scannet_labels import BOX_CLASSES, CLASSES
from s4tok.shapes import Array, Int
from s4tok.synthetic import buildings
from s4tok.synthetic.capture import DEPTH_CAMERA
from s4tok.synthetic.datasets import ToyRoom, ToyRooms, ToyScans
from s4tok.synthetic.furniture import Furniture, Procedural
from s4tok.synthetic.homes import ROOMS, make_home_room
from s4tok.synthetic.models import Models
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Scene
from s4tok.synthetic.thing_names import NAMES, names_of

logger = logging.getLogger(__name__)

VERSION = 1  # of the homes; raise it whenever the same key gives another cloud, so that caches notice


class HomeRoom(ToyRoom):
    """What furnished rooms share: where their furniture comes from, and what it is."""

    furniture: FolderLayout | None
    names = NAMES

    def furniture_of(self, key: str) -> Furniture:
        """Give the libraries of a cloud's own split."""
        return Procedural() if self.furniture is None else Models(self.furniture, key.partition("-")[0])

    def origin(self, key: str) -> Origin:
        """Say which version of the homes a cloud is made of, and which furniture."""
        source = self.furniture_of(key)
        furniture = source.identity if isinstance(source, Models) else "made"
        whole = super().origin(key)
        made = f"{whole.path}/homes-{VERSION}/furniture-{furniture}"
        return Origin(made, whole.size, identity=made)

    def named(self, key: str) -> Int[Array, " n"]:
        """Give what each point is called."""
        return names_of(self.capture(key))

    def models(self, key: str) -> Sequence[str]:
        """Give the key of the model that each instance is in the furniture libraries; empty where it is made."""
        return self.capture(key).scene.sources


class HomeScans(HomeRoom, ToyScans):
    """Rooms of homes as a depth camera brings them home, in ScanNet's twenty classes, with a film of posed images."""

    name = "home-scans"
    classes = CLASSES
    scanner = DEPTH_CAMERA
    box_classes = BOX_CLASSES

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


@cache
def tell_made(name: str) -> None:
    """Say, once a process, that a dataset has no models to be furnished with."""
    logger.warning("%s: there is no sh3d, so made furniture stands in; `s4tok data fetch sh3d` gets it.", name)
