"""A point cloud, validated where it enters, so that nothing behind this door has to ask again."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from s4tok.config import Axis, Scene, Unit
from s4tok.errors import InputError
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Bool, Float32, Float64, Int, Real

# float32 squares of coordinates must neither vanish nor overflow; no real cloud in any unit lies outside.
SMALLEST_EXTENT, LARGEST_EXTENT = 1e-9, 1e9


@dataclass(frozen=True)
class Placement:
    """How an own cloud lies in its file, and what it is taken for."""

    up: Axis
    unit: Unit | None  # None for an object of any unit
    scene: Scene
    scale: float = 1.0  # numbers of a room times this are of that unit

    def __str__(self) -> str:
        """Write it in a few words."""
        times = "" if self.scale == 1 else f" times {self.scale}"
        unit = "of any unit" if self.unit is None else f"in {self.unit}{times}"
        return f"{'an' if self.scene == 'object' else 'a'} {self.scene} {unit}, {self.up} up"


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points around the centre of their bounding box, and what is known of each.

    Make one with `PointCloud.of`, which validates. `xyz + offset` are the coordinates as they came, in their own
    unit and axes, unless it was brought into the frame of own clouds (`s4tok.geometry.placement`): then `source` is
    the cloud as it came. Points keep the order they came in: index i here is line i of the file.
    """

    xyz: Float32[Array, "n 3"]
    offset: Float64[Array, "3"]
    name: str = "cloud"
    color: Float32[Array, "n 3"] | None = None  # red, green, blue in 0 .. 1
    normals: Float32[Array, "n 3"] | None = None  # unit length; zero where unknown
    labels: Int[Array, " n"] | None = None  # ground truth; -1 where there is none
    instances: Int[Array, " n"] | None = None  # the thing each point belongs to; -1 where it is no known one's
    boxes: OrientedBoxes | None = None  # of the things, whole where the points are not, in the frame of `xyz`
    exact: Float64[Array, "n 3"] | None = None  # xyz before the cast to float32, by which own clouds are placed
    source: "PointCloud | None" = None
    placement: Placement | None = None  # of the source

    @classmethod
    def of(
        cls,
        points: ArrayLike,
        *,
        name: str = "cloud",
        color: ArrayLike | None = None,
        normals: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        instances: ArrayLike | None = None,
        boxes: OrientedBoxes | None = None,
    ) -> "PointCloud":
        """Validate and centre a cloud.

        The centre is found and taken off in float64 before anything is cast to float32, whose spacing is half a
        metre at a UTM northing: a georeferenced cloud gives what the same cloud at the origin gives.

        Args:
            points: (n, 3), at least two, finite, any unit and any offset.
            name: What error messages call it.
            color: (n, 3); integers are read as 0 .. 255 (or 0 .. 65535 for uint16), floats as 0 .. 1.
            normals: (n, 3), any length; rows that are not finite count as unknown.
            labels: (n,) integers.
            instances: (n,) integers.
            boxes: In the coordinates of the points.

        Raises:
            InputError: With what is wrong, where, in one sentence.
        """
        xyz = _coordinates(points, name)
        low, high = xyz.min(axis=0), xyz.max(axis=0)
        offset = low + (high - low) / 2
        extent = float((high - low).max())
        if extent > LARGEST_EXTENT or 0 < extent < SMALLEST_EXTENT:
            raise InputError(
                f"{name}: the cloud is {extent:.3g} units across, which no unit of length explains.",
                f"scale it to between {SMALLEST_EXTENT:g} and {LARGEST_EXTENT:g} units, and look for stray points.",
            )
        centred = xyz - offset
        return cls(
            xyz=centred.astype(np.float32),
            offset=offset,
            name=name,
            color=None if color is None else _colors(color, len(xyz), name),
            normals=None if normals is None else _normals(normals, len(xyz), name),
            labels=None if labels is None else _ids(labels, "labels", len(xyz), name),
            instances=None if instances is None else _ids(instances, "instances", len(xyz), name),
            boxes=None if boxes is None else boxes.moved(-offset),
            exact=centred,
        )

    def __len__(self) -> int:
        return len(self.xyz)

    @property
    def extent(self) -> float:
        """Give the longest side of the bounding box, in the cloud's own unit."""
        return float(np.ptp(self.xyz.astype(np.float64), axis=0).max())

    def original_xyz(self) -> Float64[Array, "n 3"]:
        """Give the coordinates as they came in."""
        if self.source is not None:
            return self.source.original_xyz()
        return self.xyz.astype(np.float64) + self.offset

    def original_boxes(self) -> OrientedBoxes | None:
        """Give the boxes in the coordinates of `original_xyz`."""
        return None if self.boxes is None else self.boxes.moved(self.offset)

    def in_its_file(self, up: str) -> tuple["PointCloud", str]:
        """Give the cloud as it came, and which axis is up there: `up` where it was brought into no other frame."""
        if self.source is None or self.placement is None:
            return self, up
        return self.source, self.placement.up

    def take(self, which: Int[Array, " k"] | Bool[Array, " n"]) -> "PointCloud":
        """Keep some points, by index or by mask, in the frame of the whole, and all boxes."""

        def part(array: Array | None) -> Array | None:
            return None if array is None else array[which]

        return replace(
            self,
            xyz=self.xyz[which],
            color=part(self.color),
            normals=part(self.normals),
            labels=part(self.labels),
            instances=part(self.instances),
            exact=part(self.exact),
            source=None if self.source is None else self.source.take(which),
        )

    def draws(self, key: str) -> str:
        """Say what is drawn of it at random depends on, beside the seed: its key; for own clouds, how large it is."""
        return key if self.source is None else f"{len(self)} points"


def _coordinates(points: ArrayLike, name: str) -> Float64[Array, "n 3"]:
    xyz = _numbers(points, "points", name)
    if xyz.ndim != 2 or xyz.shape[1] != 3:
        raise InputError(
            f"{name}: points must be an (n, 3) array, and these are {xyz.shape}.",
            "pass x, y, z as three columns; colours and normals are arguments of their own.",
        )
    if len(xyz) < 2:
        raise InputError(f"{name}: a cloud needs at least 2 points, and this one has {len(xyz)}.")
    xyz = xyz.astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(xyz).all(axis=1))
    if len(broken):
        raise InputError(
            f"{name}: {len(broken)} of {len(xyz)} points are not finite, the first at index {broken[0]}: "
            f"{tuple(xyz[broken[0]].tolist())}.",
            "remove them before, for example with points[numpy.isfinite(points).all(axis=1)].",
        )
    return xyz


def _colors(color: ArrayLike, n_points: int, name: str) -> Float32[Array, "n 3"]:
    rgb = _rows(color, "color", n_points, name)
    if rgb.dtype.kind in "iu":
        top = 65535.0 if rgb.dtype == np.uint16 else 255.0
        rgb = rgb / top
    if not np.isfinite(rgb).all() or rgb.min() < 0 or rgb.max() > 1:
        raise InputError(
            f"{name}: colours must lie in 0 .. 1 as floats or 0 .. 255 as integers, "
            f"and these run from {rgb.min():g} to {rgb.max():g}.",
            "if they are 0 .. 255, pass them as uint8.",
        )
    return rgb.astype(np.float32)


def _normals(normals: ArrayLike, n_points: int, name: str) -> Float32[Array, "n 3"]:
    rows = _rows(normals, "normals", n_points, name).astype(np.float64)
    rows[~np.isfinite(rows).all(axis=1)] = 0
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Array = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return unit.astype(np.float32)


def _ids(values: ArrayLike, what: str, n_points: int, name: str) -> Int[Array, " n"]:
    ids = np.asarray(values)
    if ids.shape != (n_points,) or ids.dtype.kind not in "iu":
        raise InputError(
            f"{name}: {what} must be {n_points} integers, one a point, and these are {ids.dtype} {ids.shape}."
        )
    return ids.astype(np.int64)


def _rows(values: ArrayLike, what: str, n_points: int, name: str) -> Real[Array, "n 3"]:
    rows = _numbers(values, what, name)
    if rows.shape != (n_points, 3):
        raise InputError(f"{name}: {what} must be ({n_points}, 3), one row a point, and these are {rows.shape}.")
    return rows


def _numbers(values: ArrayLike, what: str, name: str) -> Array:
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise InputError(f"{name}: {what} are not one rectangular array of numbers ({error}).") from error
    if array.dtype.kind not in "iuf":
        raise InputError(
            f"{name}: {what} must be real numbers, and these have dtype {array.dtype}.",
            "convert them first, for example with numpy.asarray(values, dtype=numpy.float64).",
        )
    return array
