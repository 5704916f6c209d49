"""What a vision model encodes: a cloud's views or posed frames, with its superpoints, in pieces that fit a batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import ViewConfig, VirtualConfig
from s4tok.datasets.dataset import CloudDataset, Frame
from s4tok.errors import InputError
from s4tok.rendering.scene_frames import is_posed, scene_views
from s4tok.rendering.virtual_frames import virtual_frames
from s4tok.shapes import Array, Bool, Float, Float32, Int
from s4tok_cache import CacheMissing, CacheReader, Fingerprint, Stamp
from s4tok_pipelines.inputs.entries import read_entry, root_of, way_out
from s4tok_pipelines.layouts import VIEWS
from s4tok_pipelines.prefetch import ahead
from s4tok_pipelines.stamps import VIEWS_STAGE, views_stamp
from s4tok_pipelines.workers import cores, side_by_side

READ_AHEAD = 4  # pieces; each holds at most a batch of pictures


class ViewBatch(NamedTuple):
    """Views of one cloud that are encoded together: all of an object's, or some of a scene's."""

    key: str
    images: Float[Tensor, "v c h w"]
    pixels: Int[Tensor, "v n 2"]
    visible: Bool[Tensor, "v n"]
    labels: Int[Tensor, " n"]
    is_last: bool


class Broken(NamedTuple):
    """A cloud whose views or superpoints cannot be had, and why."""

    key: str
    reason: str


class Packed(NamedTuple):
    """A piece as it comes from a worker: arrays, pixels in int16, and no labels."""

    images: Float32[Array, "v c h w"]
    pixels: Int[Array, "v n 2"]
    visible: Bool[Array, "v n"]
    is_last: bool


class Read(NamedTuple):
    """All pieces of one cloud, read by a worker, and how many frames had no pose."""

    pieces: Sequence[Packed]
    labels: Int[Array, " n"]
    skipped: int


@dataclass
class Sources:
    """Where the pictures and the superpoints of each cloud come from."""

    clouds: CloudDataset
    superpoints: CacheReader
    views: CacheReader | None  # None takes the scene's own frames
    config: ViewConfig
    virtual: VirtualConfig | None = None  # takes frames of virtual cameras in place of the scene's own
    skipped: int = 0  # frames without a pose

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """Say what the features are made from."""
        return (self.superpoints.stamp, *([self.views.stamp] if self.views else []))

    def ahead(
        self, keys: list[str], expected: dict[str, Fingerprint], batch: int, workers: int = 1
    ) -> Iterator[ViewBatch | Broken]:
        """Read what `pieces` gives, ahead of whoever takes it: in a thread, or frames of several clouds in processes.

        A process holds one cloud's pictures until they are taken; clouds come in the order in which they are read.
        """
        if self.views is not None or workers == 1 or len(keys) < 2:
            yield from ahead(self.pieces(keys, expected, batch), READ_AHEAD)
            return
        for done in side_by_side(partial(_read, self, batch), keys, min(workers or cores(), max(len(keys), 1))):
            if done.result is None:
                yield Broken(done.item, done.reason)
                continue
            self.skipped += done.result.skipped
            labels = torch.from_numpy(done.result.labels)
            for images, pixels, visible, is_last in done.result.pieces:
                where = torch.from_numpy(pixels.astype(np.int64))
                seen = torch.from_numpy(images), where, torch.from_numpy(visible)
                yield ViewBatch(done.item, *seen, labels, is_last)

    def pieces(self, keys: list[str], expected: dict[str, Fingerprint], batch: int) -> Iterator[ViewBatch | Broken]:
        """Read cloud after cloud, each in pieces of at most a batch of pictures."""
        for key in keys:
            try:
                cut = read_entry(self.superpoints, self.clouds, key, "labels")
                labels = torch.from_numpy(cut["labels"].astype(np.int64))
                yield from self._drawn(key, expected[key], labels) if self.views else self._seen(key, labels, batch)
            except InputError as error:
                yield Broken(key, str(error))

    def _drawn(self, key: str, origin: Fingerprint, labels: Int[Tensor, " n"]) -> Iterator[ViewBatch]:
        assert self.views is not None
        if key not in self.views:
            raise InputError("it has no views; s4tok render-views makes them, or says why not.")
        if not self.views.fingerprint(key).same(origin.without_entries()):
            raise InputError("its views were made before it changed; run s4tok render-views.")
        drawn = self.views.read(key, ("images", "pixels"))
        images = torch.from_numpy(drawn["images"].astype(np.float32))
        pixels = torch.from_numpy(drawn["pixels"].astype(np.int64))
        _same_points(labels, pixels.shape[1])
        yield ViewBatch(key, images.permute(0, 3, 1, 2), pixels, pixels[..., 0] >= 0, labels, True)

    def _seen(self, key: str, labels: Int[Tensor, " n"], batch: int) -> Iterator[ViewBatch]:
        cloud = self.clouds[key]
        points = cloud.original_xyz()
        _same_points(labels, len(points))
        waiting: list[ViewBatch] = []
        found = False
        for frame in self._frames(key, cloud):
            if not is_posed(frame):
                self.skipped += 1
                continue
            found = True
            views = scene_views(points, frame, self.config)
            if waiting and sum(len(each.images) for each in waiting) + len(views.images) > batch:
                yield _joined(waiting, False)
                waiting = []
            waiting.append(ViewBatch(key, views.images, views.pixels, views.visible, labels, False))
        if not found:
            raise InputError("it has no posed images; --virtual makes some, and --no-frames encodes drawn views.")
        yield _joined(waiting, True)

    def _frames(self, key: str, cloud: PointCloud) -> Iterator[Frame]:
        if self.virtual is None:
            return self.clouds.frames(key, self.config.frame_step)
        clouds = self.clouds
        return virtual_frames(cloud, clouds.mesh(key), clouds.up, clouds.scene, self.virtual)


def drawn_views(clouds: CloudDataset, cache: Path, config: ViewConfig | None) -> CacheReader:
    """Open the views that were drawn with this axis up: as the config says, or the only ones there are."""
    root = root_of(cache, clouds)
    try:
        if config is None:
            return CacheReader.find(root, VIEWS, VIEWS_STAGE, up=clouds.up)
        return CacheReader(root, VIEWS, views_stamp(config, clouds.up))
    except CacheMissing as error:
        raise CacheMissing(str(error), way_out(clouds, cache, VIEWS_STAGE)) from error


def _read(sources: Sources, batch: int, key: str) -> Read:
    """Read, project and resize one cloud's frames; runs in a worker process."""
    mine, packed = replace(sources, skipped=0), list[Packed]()
    labels = torch.empty(0, dtype=torch.int64)
    for piece in mine.pieces([key], {}, batch):
        if isinstance(piece, Broken):
            raise InputError(piece.reason)
        labels = piece.labels
        pixels = piece.pixels.numpy().astype(np.int16)  # of pictures of some hundred pixels
        packed.append(Packed(piece.images.numpy(), pixels, piece.visible.numpy(), piece.is_last))
    return Read(packed, labels.numpy(), mine.skipped)


def _joined(pieces: list[ViewBatch], is_last: bool) -> ViewBatch:
    first = pieces[0]
    images, pixels, visible = (
        torch.cat([getattr(piece, name) for piece in pieces]) for name in ("images", "pixels", "visible")
    )
    return ViewBatch(first.key, images, pixels, visible, first.labels, is_last)


def _same_points(labels: Int[Tensor, " n"], n_points: int) -> None:
    if len(labels) != n_points:
        raise InputError(
            f"it has {n_points} points and its superpoints are of {len(labels)}; s4tok superpoints --overwrite."
        )
