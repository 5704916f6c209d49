"""Samples of every cloud to train on, taken once and shared by all runs: taking them costs more than a step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import PointKind, PretrainConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.geometry.walls import along_the_axes
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Int
from s4tok.superpoints.samples import Sample, column, sample
from s4tok.tokenizers import NO_FEATURES, PointFeatures
from s4tok_cache import CacheReader, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprint, read_entry
from s4tok_pipelines.layouts import LABELLED, NAMED, SAMPLES, SAMPLES_WITH_FEATURES
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.workers import here_or_side_by_side

STAGE = "samples"
ALGORITHM = 1
NO_POINT = -1  # where a sample has fewer points than another


@dataclass(frozen=True)
class Draws:
    """How samples are drawn, where no `PretrainConfig` says it; the fields are its."""

    draws: int
    draw_seed: int
    window: float
    windows: int


def training_samples(
    clouds: CloudDataset,
    keys: Sequence[str],
    superpoints: CacheReader,
    config: PretrainConfig | Draws,
    n_points: int,
    point_features: PointFeatures = NO_FEATURES,
    *,
    labelled: bool = False,
    named: bool = False,
    workers: int = 1,
    report: Report = silent,
) -> CacheReader:
    """Take `config.draws` samples of each cloud named, or of each of its windows, and keep them.

    Reads superpoints; fills the cache beside them, laid out as `SAMPLES`, or `SAMPLES_WITH_FEATURES` where something
    else is read of points; with the labels of points where they are `labelled`, and their names where they are `named`.
    What is there already is passed over.
    """
    layout = SAMPLES_WITH_FEATURES if point_features.kinds else SAMPLES
    stamp = stamp_of_samples(clouds, superpoints, config, n_points, point_features.kinds)
    if labelled:
        maker = "pretrain" if isinstance(config, PretrainConfig) else "finetune"
        layout = replace(layout, name=f"labelled-{layout.name}", arrays={**layout.arrays, **LABELLED}, made_by=maker)
        stamp = replace(stamp, parameters={**stamp.parameters, "labels": list(clouds.classes)})
    if named:
        layout = replace(layout, name=f"named-{layout.name}", arrays={**layout.arrays, **NAMED}, made_by="pretrain")
        stamp = replace(stamp, parameters={**stamp.parameters, "names": list(clouds.names)})
    expected = {key: fingerprint(clouds, key, superpoints) for key in keys}
    take = partial(_take, clouds, superpoints, config, n_points, point_features, labelled, named)
    work = Work("Sampling clouds", lambda missing: here_or_side_by_side(take, missing, workers), Content)
    outcome = run_stage(Store.resume(superpoints.root, layout, stamp), expected, work, report)
    for failure in outcome.failures:
        report.warn(f"{failure.key}: {failure.reason}")
    return CacheReader(superpoints.root, layout, stamp)


def stamp_of_samples(
    clouds: CloudDataset,
    superpoints: CacheReader,
    config: PretrainConfig | Draws,
    n_points: int,
    kinds: Sequence[PointKind] = (),
) -> Stamp:
    """Stamp what samples depend on."""
    parameters: dict[str, object] = {
        "n_points": n_points,
        "draws": config.draws,
        "seed": config.draw_seed,
        "up": clouds.up,
    }
    if _has_windows(clouds, config):
        parameters |= {"window": config.window, "windows": config.windows}
    if clouds.scene == "room":
        parameters["walls"] = "along the axes"  # as rooms are labelled
    if kinds:
        parameters["point_features"] = list(kinds)
    return Stamp(STAGE, parameters, ALGORITHM, (superpoints.stamp,))


def windows_of(clouds: CloudDataset, config: PretrainConfig | Draws) -> int:
    """Say into how many clouds each one is divided."""
    return config.windows if _has_windows(clouds, config) else 1


def _has_windows(clouds: CloudDataset, config: PretrainConfig | Draws) -> bool:
    return clouds.scene == "room" and config.window > 0


def _take(
    clouds: CloudDataset,
    superpoints: CacheReader,
    config: PretrainConfig | Draws,
    n_points: int,
    point_features: PointFeatures,
    labelled: bool,
    named: bool,
    key: str,
) -> dict[str, Array]:
    """Take one cloud's samples, window after window, with labels and names if asked for. Runs in a worker process."""
    cloud = along_the_axes(clouds[key], clouds.up) if clouds.scene == "room" else clouds[key]
    truths = _truths(clouds, key, cloud, labelled, named)
    xyz, labels = cloud.xyz, read_entry(superpoints, clouds, key, "labels")["labels"]
    if len(labels) != len(xyz):
        raise InputError(
            f"it has {len(xyz)} points and its superpoints are of {len(labels)}; s4tok superpoints --overwrite."
        )
    known = point_features.read(cloud, clouds.up)
    samples, features = list[Sample](), []
    beside: dict[str, list[Array]] = {name: [] for name in truths}
    for window in range(windows_of(clouds, config)):
        seed = seed_of(config.draw_seed, key, window)
        inside = column(xyz, config.window, seed, clouds.up) if _has_windows(clouds, config) else slice(None)
        drawn = [
            sample(xyz[inside], labels[inside], n_points, seed_of(seed, draw), clouds.up)
            for draw in range(config.draws)
        ]
        samples += drawn
        features += [known[inside][each.index] for each in drawn]
        for name, truth in truths.items():
            beside[name] += [truth[inside][each.index] for each in drawn]
    found = {**_stacked(samples), "sizes": np.bincount(labels).astype(np.int32)}
    if point_features.kinds:
        found["features"] = _filled_up(features).astype(np.float16)
    return {**found, **{name: _filled_up(rows).astype(np.int16) for name, rows in beside.items()}}


def _truths(
    clouds: CloudDataset, key: str, cloud: PointCloud, labelled: bool, named: bool
) -> dict[str, Int[Array, " n"]]:
    """Give the classes and names of a cloud's points, as far as they are asked for."""
    found: dict[str, Array] = {"labels": _labels(cloud, len(clouds.classes))} if labelled else {}
    if named:
        names = clouds.named(key)
        assert names is not None
        found["names"] = names
    return found


def _labels(cloud: PointCloud, n_classes: int) -> Int[Array, " n"]:
    if cloud.labels is None or (cloud.labels < 0).all():
        raise InputError("none of its points has a label.")
    if int(cloud.labels.max()) >= n_classes:
        raise InputError(
            f"a point has the label {int(cloud.labels.max())}, and there are {n_classes} classes, from 0 on."
        )
    return cloud.labels


def _stacked(samples: Sequence[Sample]) -> dict[str, Array]:
    """Put samples on top of each other, the smaller ones filled up."""
    n_most = max(len(each.points) for each in samples)
    points = np.zeros((len(samples), n_most, 3), np.float32)
    superpoints, original = (np.full((len(samples), n_most), NO_POINT, np.int32) for _ in range(2))
    for row, each in enumerate(samples):
        n = len(each.points)
        points[row, :n], superpoints[row, :n], original[row, :n] = each.points, each.superpoints, each.original
    return {"points": points, "superpoints": superpoints, "original": original}


def _filled_up(rows: Sequence[Array]) -> Array:
    """Put what is known of each sample's points on top of each other, the smaller ones filled up with zeros."""
    filled = np.zeros((len(rows), max(map(len, rows)), *rows[0].shape[1:]), rows[0].dtype)
    for row, each in enumerate(rows):
        filled[row, : len(each)] = each
    return filled
