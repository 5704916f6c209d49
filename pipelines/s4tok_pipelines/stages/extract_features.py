"""Encode the views with a frozen 2D model, and keep the mean feature of each superpoint."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from s4tok.config import SuperpointConfig, ViewConfig, VirtualConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.frame_clouds import FrameClouds
from s4tok.datasets.object_rooms import ObjectRooms
from s4tok.datasets.own_files import OwnFiles
from s4tok.device import visible
from s4tok.errors import InputError
from s4tok.shapes import Array, Float
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.lifting import Highest, Lifted, lift, lift_highest
from s4tok.vision.table import load_vision_model
from s4tok.vision.vision_model import Capability, VisionModel
from s4tok_cache import Fingerprint, Shard, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprints, root_of
from s4tok_pipelines.inputs.features import LAYOUTS, open_features
from s4tok_pipelines.inputs.find_superpoints import open_superpoints
from s4tok_pipelines.inputs.views import Broken, Sources, ViewBatch, drawn_views
from s4tok_pipelines.outputs.feature_sheets import write_sheets
from s4tok_pipelines.prefetch import Timed
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.stages.auto import make_superpoints, make_views
from s4tok_pipelines.stamps import CLIP_STAGE, FEATURES_STAGE
from s4tok_pipelines.workers import Done, cores, side_by_side

ALGORITHM = 1
Pool: TypeAlias = Literal["mean", "max"]
Lift: TypeAlias = Callable[..., Any]  # `lift`, or what takes its arguments and gives something to add up likewise
LIFTS: Mapping[Pool, Lift] = {"mean": lift, "max": lift_highest}
FRAME_FIELDS = (
    "size",
    "image",
    "frame_step",
    "zoom",
    "border",
    "occlusion",
    "occlusion_relative",
    "occlusion_absolute",
)  # fmt: skip - what views of posed frames depend on


def extract_features(
    clouds: CloudDataset,
    cache: Path,
    config: VisionConfig | VisionModel = VisionConfig(),  # noqa: B008 - it cannot change
    views: ViewConfig | None = None,
    *,
    superpoints: SuperpointConfig | None = None,
    frames: bool | None = None,
    virtual: VirtualConfig | None = None,
    pool: Pool = "mean",
    batch: int = 64,
    auto: bool = False,
    workers: int = 1,
    devices: Sequence[str] = ("cpu",),
    shard: Shard = Shard(),  # noqa: B008 - as above
    overwrite: bool = False,
    preview: Path | None = None,
    prompts: Sequence[str] = (),
    report: Report = silent,
) -> Outcome:
    """Look at every cloud's views and keep the mean feature of each superpoint, and each view's own.

    Reads superpoints, and views or a scene's posed frames; fills the cache, laid out as `FEATURES`. Clouds that
    are in it already are passed over, so a run that was stopped can be started again.

    Args:
        clouds: The dataset whose superpoints (and views) are in the cache.
        cache: The folder of all caches.
        config: The 2D model, or how to load it.
        views: How frames are encoded, as suits the model where None; for drawn views, which of several to take.
        superpoints: Which cut, where there are several.
        frames: Whether to look at posed frames; those of rooms where None.
        virtual: Take frames of virtual cameras in place of the scene's own; a user's own rooms have no others.
        pool: What is kept of a superpoint's points and views: their mean, or the largest of each number.
        batch: Pictures that go through the model at once.
        auto: Make superpoints and views that are missing.
        workers: Processes that make these and look at clouds, each with a model of its own; beside one GPU, or where
            the model is given, they read frames for it. 0 takes one a core.
        devices: Where the model computes; on several at once, each with processes of its own, at least one.
        shard: This task's share.
        overwrite: Make entries anew that are there.
        preview: A folder for contact sheets of the first clouds.
        prompts: What their points may be called; the dataset's own names where there are none.
        report: Who listens.
    """
    needed: tuple[Capability, ...] = ("dense", "text") if preview else ("dense",)
    device = devices[0]  # of this process, which looks itself where there is one cloud
    model = load_vision_model(config, device, *needed) if isinstance(config, VisionConfig) else config
    root = root_of(cache, clouds)
    frames = clouds.scene == "room" if frames is None else frames
    if frames and virtual is None and isinstance(clouds, OwnFiles | ObjectRooms):
        virtual = VirtualConfig()
    if auto:
        make_superpoints(clouds, cache, superpoints, shard=shard, workers=workers, report=report)
        if not frames:
            make_views(clouds, cache, views, shard=shard, workers=workers, device=devices[0], report=report)
    seen = views or ViewConfig.of_frames(config.model if isinstance(config, VisionConfig) else config.name)
    if isinstance(clouds, FrameClouds):
        seen = replace(seen, frame_step=1)  # whichever frames there are, each cloud has one
    sources = Sources(
        clouds,
        open_superpoints(clouds, cache, superpoints),
        None if frames else drawn_views(clouds, cache, views),
        seen,
        virtual if frames else None,
    )
    expected = fingerprints(clouds, sources.superpoints)
    stamp = stamp_of_features(model, sources, pool)
    store = Store.resume(root, LAYOUTS[stamp.stage], stamp, shard=shard, overwrite=overwrite)
    n_images, began, pieces = 0, time.monotonic(), Timed[ViewBatch | Broken](iter(()))

    def look(keys: list[str]) -> Generator[Done[str, _Seen]]:
        is_alone = len(devices) == 1 and (device != "cpu" or workers == 1)
        if isinstance(config, VisionConfig) and not is_alone and len(keys) > 1:
            gpus = [] if "cpu" in devices else [visible(each) for each in devices]
            there = partial(_look_alone, sources, expected, config, batch, pool, "cuda" if gpus else "cpu")
            return side_by_side(there, keys, min(max(workers or cores(), len(devices)), len(keys)), gpus=gpus)
        pieces.items = sources.ahead(keys, expected, batch, workers)
        return _look(pieces, model, batch, torch.device(device), LIFTS[pool])

    def keep(seen: _Seen) -> Content:
        nonlocal n_images
        n_images += len(seen.arrays["views"])
        sources.skipped += seen.skipped
        passed = max(time.monotonic() - began, 1e-9)
        report.gauge(images_per_second=n_images / passed, share_reading=round(pieces.waited / passed, 2))
        return Content(seen.arrays)

    outcome = run_stage(store, expected, Work("Looking at views", look, keep), report)
    if preview:
        write_sheets(preview, clouds, sources.superpoints, open_features(root, stamp), model, prompts, report)
    if sources.skipped:
        report.note(f"{sources.skipped} frames have no pose and were passed over")
    outcome.figures = {"images": n_images, "frames_without_pose": sources.skipped}
    return outcome


def stamp_of_features(model: VisionModel, sources: Sources, pool: Pool = "mean") -> Stamp:
    """Stamp the model by its weights, its preprocessing and its kind of features, and what it encodes."""
    parameters = dict(model.stamp)
    if sources.views is None:
        parameters["frames"] = {name: value for name, value in asdict(sources.config).items() if name in FRAME_FIELDS}
    if sources.virtual is not None:
        parameters["virtual"] = asdict(sources.virtual)
    if pool != "mean":  # caches from before there was a choice do not name it
        parameters["pool"] = pool
    stage = CLIP_STAGE if isinstance(model, FrozenClip) else FEATURES_STAGE
    return Stamp(stage, parameters, ALGORITHM, sources.stamps)


class _Seen(NamedTuple):
    """What the cache keeps of a cloud, and how many frames without a pose a worker passed over."""

    arrays: dict[str, Array]
    skipped: int = 0


def _look_alone(
    sources: Sources,
    expected: dict[str, Fingerprint],
    config: VisionConfig,
    batch: int,
    pool: Pool,
    device: str,
    key: str,
) -> _Seen:
    """Look at one cloud; runs in a worker process."""
    mine = replace(sources, skipped=0)
    pieces = Timed(mine.pieces([key], expected, batch))
    (done,) = _look(pieces, _model(config, device), batch, torch.device(device), LIFTS[pool])
    if done.result is None:
        raise InputError(done.reason)
    return done.result._replace(skipped=mine.skipped)


@lru_cache(maxsize=1)
def _model(config: VisionConfig, device: str) -> VisionModel:
    return load_vision_model(config, device, "dense")


@dataclass
class _Looked:
    """What has been seen of one cloud so far."""

    key: str
    sums: Lifted | Highest | None = None
    whole: list[Array] = field(default_factory=list)

    def seen(self) -> _Seen:
        assert self.sums is not None
        return _Seen(
            {
                "superpoints": self.sums.feature().to("cpu", torch.float16).numpy(),
                "visible": self.sums.pairs.cpu().numpy().astype(np.int32),
                "views": np.concatenate(self.whole),
            }
        )


def _look(
    pieces: Timed[ViewBatch | Broken], model: VisionModel, batch: int, device: torch.device, lift: Lift
) -> Generator[Done[str, _Seen]]:
    """Encode piece after piece, and hand on each cloud as it is finished."""
    cloud: _Looked | None = None
    # On the CPU nothing is gained by joining clouds, and one cloud's features do not depend on its neighbours.
    at_once = batch if device.type == "cuda" else 0
    with closing(pieces):
        for group in _groups(pieces, at_once):
            if isinstance(group, Broken):
                cloud = None
                yield Done(group.key, reason=group.reason)
                continue
            seen = [model.encode(part) for part in torch.split(torch.cat([piece.images for piece in group]), batch)]
            whole, patches = torch.cat([each.whole for each in seen]), torch.cat([each.patches for each in seen])
            first = 0
            for piece in group:
                part = slice(first, first + len(piece.images))
                first = part.stop
                if cloud is None or cloud.key != piece.key:
                    cloud = _Looked(piece.key)
                _add(cloud, piece, whole[part], patches[part], device, lift)
                if piece.is_last:
                    yield Done(cloud.key, cloud.seen())
                    cloud = None


def _add(
    cloud: _Looked,
    piece: ViewBatch,
    whole: Float[Tensor, "v d"],
    patches: Float[Tensor, "v gh gw d"],
    device: torch.device,
    lift: Lift,
) -> None:
    labels = piece.labels.to(device)
    n_superpoints = int(labels.max()) + 1
    size = piece.images.shape[-1]
    sums = lift(patches, piece.pixels.to(device), piece.visible.to(device), labels, n_superpoints, size)
    cloud.sums = sums if cloud.sums is None else cloud.sums.plus(sums)  # of one kind
    cloud.whole.append(whole.to("cpu", torch.float16).numpy())


def _groups(pieces: Iterator[ViewBatch | Broken], at_once: int) -> Iterator[list[ViewBatch] | Broken]:
    """Join pieces until they hold `at_once` pictures, those of one kind; a broken cloud comes in its place."""
    waiting: list[ViewBatch] = []
    for piece in pieces:
        if isinstance(piece, Broken):
            if waiting:
                yield waiting
                waiting = []
            yield piece
            continue
        if waiting and waiting[0].images.shape[1:] != piece.images.shape[1:]:
            yield waiting
            waiting = []
        waiting.append(piece)
        if sum(len(each.images) for each in waiting) >= at_once:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
