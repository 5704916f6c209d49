"""Frames of scenes as clouds of their own: what one depth image measured, in the coordinates of the scene."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import FrameConfig
from s4tok.datasets.dataset import CloudDataset, Frame, Origin
from s4tok.errors import InputError, UsageError
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float64, Int, UInt8

JOINT = "@"  # between a scene and its frame, in keys
SUFFIX = "-frames"  # of the dataset's name


class FrameName(NamedTuple):
    """A frame of a scene."""

    scene: str
    frame: str

    @classmethod
    def of(cls, key: str) -> "FrameName":
        """Take a key apart."""
        scene, _, frame = key.rpartition(JOINT)
        return cls(scene, frame)


class FrameClouds(CloudDataset):
    """Clouds that single frames measured; keys are those of scene and frame, `scene0000_00@120`.

    A cloud is some of its frame's pixels, the same ones each time. Its points have the colours of their pixels, and no
    classes.
    """

    scene = "room"

    def __init__(self, scenes: CloudDataset, config: FrameConfig = FrameConfig()) -> None:  # noqa: B008 - it cannot change
        self.scenes, self.config = scenes, config
        self.name, self.split, self.up = f"{scenes.name}{SUFFIX}", scenes.split, scenes.up
        self.classes = scenes.classes
        names = ((scene, frame) for scene in scenes.keys for frame in scenes.frame_names(scene, config.step))
        self.keys = tuple(f"{scene}{JOINT}{frame}" for scene, frame in names)
        if not self.keys:
            raise UsageError(
                f"{scenes.name} has no posed RGB-D frames.", "take its clouds as they are: --clouds scenes."
            )
        self._latest: tuple[str, Frame] | None = None  # the same frame is asked for as a cloud and as an image

    def __getitem__(self, key: str) -> PointCloud:
        """Measure the cloud of a frame.

        Raises:
            InputError: Where too little of its depth was measured.
        """
        frame, pixels = self.frame_of(key), self.pixels(key)
        points = into_world(frame, pixels)
        return PointCloud.of(points, name=key, color=color_at_depth(frame)[pixels[:, 0], pixels[:, 1]])

    def pixels(self, key: str) -> Int[Array, "n 2"]:
        """Give the row and column of each point in the depth image."""
        depth = self.frame_of(key).depth
        measured = np.argwhere(depth > 0)
        if len(measured) < self.config.least_depth * depth.size:
            raise InputError(
                f"{key}: depth was measured at {len(measured) / depth.size:.0%} of its pixels, and a cloud needs "
                f"{self.config.least_depth:.0%}."
            )
        if len(measured) <= self.config.n_points:
            return measured
        draw = np.random.default_rng(seed_of(self.config.seed, "frame", key))
        return measured[np.sort(draw.choice(len(measured), self.config.n_points, replace=False))]

    def frame_of(self, key: str) -> Frame:
        """Read the frame of a cloud."""
        if self._latest is None or self._latest[0] != key:
            self._latest = key, self.scenes.frame(*FrameName.of(key))
        return self._latest[1]

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        """Give the one frame of a cloud."""
        yield self.frame_of(key)

    def frame_names(self, key: str, step: int = 1) -> tuple[str, ...]:
        """Name the one frame of a cloud."""
        return (FrameName.of(key).frame,)

    def origin(self, key: str) -> Origin:
        """Say which frame of which scene it is; a pixel weighs as much as a point."""
        scene, frame = FrameName.of(key)
        whole = self.scenes.origin(scene)
        return Origin(f"{whole.path}#{frame}", self.config.n_points, whole.mtime_ns, whole.identity)


def into_world(frame: Frame, pixels: Int[Array, "n 2"]) -> Float64[Array, "n 3"]:
    """Give the point at each pixel (row, column) of the depth image, in the coordinates of the scene."""
    rows, columns = pixels.T
    depth = frame.depth[rows, columns].astype(np.float64)
    focal, center = np.diag(frame.depth_intrinsics)[:2], frame.depth_intrinsics[:2, 2]
    seen = np.stack([(columns - center[0]) / focal[0] * depth, (rows - center[1]) / focal[1] * depth, depth], axis=1)
    placed: Array = seen @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
    return placed


def color_at_depth(frame: Frame) -> UInt8[Array, "h w 3"]:
    """Give the colour at each pixel of the depth image; the two cameras of a frame look through one lens."""
    rows, columns = (
        ((np.arange(wanted) + 0.5) * (found / wanted)).astype(np.int64)
        for found, wanted in zip(frame.color.shape[:2], frame.depth.shape, strict=True)
    )
    taken: Array = frame.color[rows[:, None], columns]
    return taken
