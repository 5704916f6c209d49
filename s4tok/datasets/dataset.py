"""What every dataset offers, whether it reads files or makes its clouds as it goes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.errors import InputError
from s4tok.shapes import Array, Bool, Float32, Float64, Int, UInt8


@dataclass(frozen=True)
class Origin:
    """Where an entry comes from: enough to notice, later, that it has changed."""

    path: str  # relative to the dataset's root; for made clouds, what they are made of
    size: int  # bytes of the file, or points of a made cloud; also deals work evenly over shards
    mtime_ns: int = 0
    identity: str = ""  # what is made of the file, or without one, as far as that may change while size and time do not


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh in the coordinates of its file."""

    vertices: Float64[Array, "p 3"]
    faces: Int[Array, "f 3"]
    color: Float32[Array, "p 3"] | None = None  # of each vertex, 0 .. 1
    labels: Int[Array, " f"] | None = None  # ground truth of each face


@dataclass(frozen=True, eq=False)
class Frame:
    """One posed RGB-D image of a scene: a pinhole camera that looks along +z, x to the right, y down.

    Pixel (column, row) of a camera-space point is `(fx x / z + cx, fy y / z + cy)`.
    """

    name: str
    color: UInt8[Array, "hc wc 3"]
    depth: Float32[Array, "h w"]  # metres along the optical axis; 0 where nothing was measured
    color_intrinsics: Float64[Array, "3 3"]
    depth_intrinsics: Float64[Array, "3 3"]
    camera_to_world: Float64[Array, "4 4"]  # into the coordinates of the scene's file


class Credit(NamedTuple):
    """Whom a cloud is owed to."""

    key: str
    name: str  # its author's name for it
    author: str
    licence: str  # by its SPDX name
    source: str  # where it was published


class CloudDataset(ABC):
    """Named clouds of one split. Opening it touches lists, never clouds; asking for a cloud reads that cloud.

    Objects hold paths and numbers only, so that they can be sent to worker processes of any start method.
    """

    name: str
    split: str
    scene: Scene
    up: Literal["x", "y", "z"]  # the axis that points to the ceiling
    keys: Sequence[str]  # names of the clouds, sorted, unique, the same on every machine
    classes: Sequence[str] = ()  # what the points' labels mean: parts of objects, or classes of a scene
    box_classes: Sequence[str] = ()  # what the labels of a cloud's boxes mean; without them it has no boxes
    categories: Sequence[str] = ()  # what `category` means
    parts: Mapping[str, Sequence[int]] = {}  # of each category, the classes its points can have
    names: Sequence[str] = ()  # what points are called beside their classes, often more closely, where that is known
    remarks: Sequence[str] = ()  # what is worth knowing of how its source was understood
    asked_as: str = ""  # SOURCE and the options that name it on a command line, where it was opened by them
    hidden: ClassVar[Sequence[str]] = ()  # splits whose labels a benchmark keeps to itself

    @abstractmethod
    def __getitem__(self, key: str) -> PointCloud:
        """Read one cloud, its points in the file's order, labels -1 where the ground truth has none."""

    @abstractmethod
    def origin(self, key: str) -> Origin:
        """Say where a cloud comes from, without reading it."""

    def turn(self, key: str) -> float:
        """Say by how many radians, about the vertical, a cloud is turned for its walls to lie along the axes."""
        return 0.0

    def category(self, key: str) -> int | None:
        """Give the index of an object's category, where the dataset knows it."""
        return None

    def named(self, key: str) -> Int[Array, " n"] | None:
        """Give the name of each point, an index into `names`, -1 for none; None where the dataset has no names."""
        return None

    def present(self, key: str) -> Bool[Array, " r"] | None:
        """Tell which rows of a cloud's file are points, where some are holes, as in what a depth camera takes."""
        return None

    def mesh(self, key: str) -> Mesh | None:
        """Read the surface a cloud was sampled from, where there is one."""
        return None

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        """Read every `step`-th image of a scene, one at a time; a dataset without images has none."""
        return iter(())

    def frame_names(self, key: str, step: int = 1) -> Sequence[str]:
        """Name every `step`-th image of a scene, those that `frames` reads."""
        return tuple(frame.name for frame in self.frames(key, step))

    def frame(self, key: str, name: str) -> Frame:
        """Read one image of a scene.

        Raises:
            InputError: Where it has none of that name.
        """
        found = next((frame for frame in self.frames(key) if frame.name == name), None)
        if found is None:
            raise InputError(f"{key} has no frame {name}.")
        return found

    def credits(self) -> Iterator[Credit]:
        """Say who made each cloud, where the dataset says so of each."""
        return iter(())

    def segments(self, key: str) -> Int[Array, " n"] | None:
        """Read the over-segmentation a cloud was published with, ids 0 .. s-1, where there is one."""
        return None

    def __len__(self) -> int:
        return len(self.keys)
