"""What a run trains on, in memory where it fits: samples of clouds, and what CLIP saw of their superpoints."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from s4tok.config import PretrainConfig
from s4tok.pretraining import Batch
from s4tok.shapes import Array, Float, Float32, Int
from s4tok_cache import CacheReader
from s4tok_pipelines.entries import seed_of
from s4tok_pipelines.report import Report, silent

MEMORY_SHARE = 0.5  # of what is free that data may take; beyond it every batch is read anew


class Cloud(NamedTuple):
    """A cloud's samples, and what CLIP saw of it."""

    points: Float32[Array, "q n 3"]
    superpoints: Int[Array, "q n"]
    original: Int[Array, "q n"]
    features: Float[Array, "s d"]
    pairs: Float32[Array, " s"]  # views that see a point of each superpoint, in the mean
    whole: Float32[Array, " d"]

    @property
    def nbytes(self) -> int:
        """Count the bytes it takes."""
        return sum(array.nbytes for array in self)


class Chosen(NamedTuple):
    """A batch and whose clouds are in it."""

    keys: list[str]
    batch: Batch


@dataclass
class TrainingData:
    """Clouds, or windows of them, by number: `keys` names them."""

    clouds: Sequence[str]
    samples: CacheReader
    features: CacheReader
    config: PretrainConfig
    windows: int = 1
    _held: dict[str, Cloud] = field(default_factory=dict)

    @cached_property
    def keys(self) -> list[str]:
        """Name what is trained on."""
        if self.windows == 1:
            return list(self.clouds)
        return [f"{cloud}#{window}" for cloud in self.clouds for window in range(self.windows)]

    def hold(self, report: Report = silent) -> bool:
        """Read everything into memory, if it fits, and say whether it does."""
        most = MEMORY_SHARE * _free_memory() / int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        for place, name in enumerate(report.steps(self.clouds, "Reading clouds")):
            cloud = self._read(name)
            if not place and cloud.nbytes * len(self.clouds) > most:
                return False
            self._held[name] = cloud
        return True

    def _read(self, name: str) -> Cloud:
        if name in self._held:
            return self._held[name]
        samples, seen = self.samples.read(name), self.features.read(name)
        whole = seen["views"].astype(np.float32).mean(axis=0)
        few = np.int16 if len(samples["sizes"]) < 2**15 else np.int32
        return Cloud(
            samples["points"],
            samples["superpoints"].astype(few),
            samples["original"].astype(few),
            seen["superpoints"],
            (seen["visible"] / np.maximum(samples["sizes"], 1)).astype(np.float32),
            whole / max(float(np.linalg.norm(whole)), 1e-12),
        )

    def batch(self, numbers: Sequence[int], epoch: int | str) -> Chosen:
        """Put clouds together, each in the sample whose turn it is, its randomness that of its key and the epoch."""
        keys = self.keys
        rows = [self._row(number, 0 if isinstance(epoch, str) else epoch % self.config.draws) for number in numbers]
        n_points, n_superpoints = (max(len(row[place]) for row in rows) for place in (0, 2))
        points = np.zeros((len(rows), n_points, 3), np.float32)
        superpoints = np.full((len(rows), n_points), -1, np.int64)
        targets = np.zeros((len(rows), n_superpoints, rows[0][2].shape[1]), np.float32)
        for place, (xyz, labels, seen, _) in enumerate(rows):
            points[place, : len(xyz)], superpoints[place, : len(xyz)] = xyz, labels
            targets[place, : len(seen)] = seen
        given = torch.from_numpy(superpoints)
        local_targets = torch.from_numpy(targets)
        batch = Batch(
            points=torch.from_numpy(points),
            superpoints=given.clamp_min(0),
            is_point=given >= 0,
            local_targets=local_targets,
            is_seen=local_targets.any(2),
            global_targets=torch.from_numpy(np.stack([row[3] for row in rows])),
            seeds=torch.tensor([seed_of(self.config.seed, epoch, keys[number]) for number in numbers]),
        )
        return Chosen([keys[number] for number in numbers], batch)

    def _row(self, number: int, draw: int) -> tuple[Array, Array, Array, Array]:
        cloud = self._read(self.clouds[number // self.windows])
        row = number % self.windows * self.config.draws + draw
        superpoints, original = cloud.superpoints[row], cloud.original[row]
        shown = superpoints >= 0
        superpoints, original = superpoints[shown].astype(np.int64), original[shown].astype(np.int64)
        targets = merged_targets(superpoints, original, cloud.features, cloud.pairs)
        return cloud.points[row][shown], superpoints, targets, cloud.whole


def _free_memory() -> float:
    """Give the bytes that can be had, what the system keeps of files counted in."""
    with Path("/proc/meminfo").open(encoding="ascii") as lines:
        return next(1024 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def merged_targets(
    superpoints: Int[Array, " n"],
    original: Int[Array, " n"],
    features: Float[Array, "p d"],
    pairs: Float32[Array, " p"],
) -> Float32[Array, "s d"]:
    """Average what CLIP saw of the whole cloud's superpoints into the sample's, as vectors of unit length, or zero.

    Remnants were merged, so one of the sample's may hold points of several. Each point counts as often as views see
    a point of its superpoint in the mean: what averaging over pairs of the sampled points and views would give.
    """
    n_merged, n_original = int(superpoints.max()) + 1, len(features)
    cells = np.bincount(superpoints * n_original + original, pairs[original], n_merged * n_original)
    total = cells.reshape(n_merged, n_original).astype(np.float32) @ features.astype(np.float32)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit: Array = np.divide(total, length, out=np.zeros_like(total), where=length > 0)
    return unit


def batches(
    data: TrainingData, size: int, steps: range, steps_per_epoch: int, *, part: slice = slice(None)
) -> Iterator[Chosen]:
    """Make the batch of each step, or this process's part of it: a function of the seed and the step alone."""
    order: Array = np.zeros(0, np.int64)
    known = -1
    for step in steps:
        epoch, place = divmod(step, steps_per_epoch)
        if epoch != known:
            known = epoch
            draw = np.random.default_rng(seed_of(data.config.seed, "order", epoch))
            order = draw.permutation(len(data.keys))
        yield data.batch(order[place * size : (place + 1) * size][part].tolist(), epoch)
