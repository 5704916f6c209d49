"""The stage `extract-masks`: cut every frame of a dataset's scenes into masks, by a 2D model or from files."""

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from s4tok.config import FrameConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.frame_clouds import FrameClouds, FrameName, color_at_depth
from s4tok.datasets.mask_files import MaskFiles
from s4tok.errors import InputError
from s4tok.geometry.masks import to_runs
from s4tok.shapes import Array, Int32
from s4tok.vision.table import load_vision_model
from s4tok.vision.vision_model import DepthImage, VisionModel
from s4tok_cache import CacheReader, Fingerprint, Shard, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprint, root_of
from s4tok_pipelines.inputs.masks import PointMasks, frames_of
from s4tok_pipelines.layouts import MASKS
from s4tok_pipelines.outputs.mask_sheets import beside, spread, write_mask_sheet
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.stamps import MASKS_STAGE, name_of_masks
from s4tok_pipelines.workers import Done, here_or_side_by_side

ALGORITHM = 1


def extract_masks(
    clouds: CloudDataset,
    cache: Path,
    model: str,
    *,
    pretrained: str | None = None,
    step: int = FrameConfig.step,
    workers: int = 1,
    device: str = "cpu",
    shard: Shard = Shard(),  # noqa: B008 - it cannot change
    overwrite: bool = False,
    preview: Path | None = None,
    report: Report = silent,
) -> Outcome:
    """Cut every frame into masks and keep the mask of each pixel.

    Fills `cache`/<dataset>-frames/<split>/extract-masks-<parameters>, laid out as `MASKS`, an entry a frame;
    frames that are in it already are passed over.

    Args:
        clouds: A dataset of scenes with posed RGB-D frames, or `FrameClouds` of one.
        cache: The folder of all caches.
        model: A 2D model that makes masks, or a folder of files.
        pretrained: Its weights: a tag or a file; the usual ones where None.
        step: Take every n-th frame.
        workers: Processes; 0 takes one a core.
        device: Where the model computes.
        shard: This task's share of the frames.
        overwrite: Make entries anew that are there already.
        preview: A folder for a contact sheet of the first frames.
        report: Who listens.
    """
    frames = frames_of(clouds, step)
    source: MaskFiles | VisionModel
    identity: Mapping[str, Any]
    if Path(model).is_dir():
        source, identity = MaskFiles(Path(model)), {"masks": name_of_masks(model)}
    else:
        source = load_vision_model(VisionConfig(model, pretrained), device, "masks")
        identity = source.stamp
    stamp = Stamp(MASKS_STAGE, identity, ALGORITHM)
    root = root_of(cache, frames)
    store = Store.resume(root, MASKS, stamp, shard=shard, overwrite=overwrite)
    expected = {key: _made_from(frames, source, key) for key in frames.keys}
    counts: list[int] = []

    def make(keys: list[str]) -> Generator[Done[str, Int32[Array, "h w"]]]:
        return here_or_side_by_side(partial(_masks, frames, source), keys, workers)

    def keep(ids: Int32[Array, "h w"]) -> Content:
        counts.append(len(np.unique(ids[ids > 0])))
        runs = to_runs(ids)
        return Content(runs._asdict(), {"height": ids.shape[0], "width": ids.shape[1], "n_masks": counts[-1]})

    outcome = run_stage(store, expected, Work("Cutting frames into masks", make, keep), report)
    if counts:
        outcome.figures = {"masks_median": float(median(counts)), "masks_most": float(max(counts))}
    if preview is not None:
        masks = PointMasks(frames, CacheReader(root, MASKS, stamp))
        shown = spread([key for key in frames.keys if key in masks.cached])
        pictures = [beside(color_at_depth(frames.frame_of(key)), masks.of_frame(key)) for key in shown]
        write_mask_sheet(preview, pictures)
    return outcome


def _masks(frames: FrameClouds, source: MaskFiles | VisionModel, key: str) -> Int32[Array, "h w"]:
    """Cut one frame; runs in a worker process."""
    frame = frames.frame_of(key)
    if isinstance(source, MaskFiles):
        return source.read(*FrameName.of(key), frame.depth.shape)
    return source.masks(DepthImage(color_at_depth(frame), frame.depth, frame.depth_intrinsics))


def _made_from(frames: FrameClouds, source: MaskFiles | VisionModel, key: str) -> Fingerprint:
    """Say what the masks of a frame are made from: the frame, or the file they lie in."""
    if not isinstance(source, MaskFiles):
        return fingerprint(frames, key)
    try:
        file = source.file_of(*FrameName.of(key))
        status = file.stat()
    except (InputError, OSError):
        return Fingerprint(key, 0)  # what is wrong is told when it is read
    return Fingerprint(file.relative_to(source.folder).as_posix(), status.st_size, status.st_mtime_ns)
