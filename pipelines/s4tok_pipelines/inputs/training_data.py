"""What a run trains on, in memory where it fits: samples of clouds, and 2D features of their superpoints."""

import os
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.augmentations.mixing import Part, mix
from s4tok.config import PretrainConfig, Scene
from s4tok.objectives.training_clouds import NO_TEXT, TrainingCloud
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float, Float32, Int
from s4tok.superpoints.quality import most_frequent
from s4tok.superpoints.samples import merged_targets
from s4tok.tokenizers import NO_FEATURES, PointFeatures
from s4tok_cache import CacheReader
from s4tok_pipelines.report import Report, silent

MEMORY_SHARE = 0.5  # of what is free that data may take; beyond it every batch is read anew


class Cloud(NamedTuple):
    """A cloud's samples, and the vision model's features of it."""

    points: Float32[Array, "q n 3"]
    superpoints: Int[Array, "q n"]
    original: Int[Array, "q n"]
    features: Float[Array, "s d"]
    pairs: Float32[Array, " s"]  # views that see a point of each superpoint, in the mean
    whole: Float32[Array, " d"]
    of_points: Float[Array, "q n c"] | None  # colours and normals, where the tokenizer reads any
    learned: Sequence[Int[Array, "q n"]]  # class and name of each point, as far as they are learned
    is_full: bool  # no sample has fewer points than the others

    @property
    def nbytes(self) -> int:
        """Count the bytes it takes."""
        return sum(each.nbytes for each in (*self, *self.learned) if isinstance(each, np.ndarray))


@dataclass
class Source:
    """The clouds of one dataset to train on, or windows of them, by number: `keys` names them."""

    name: str  # of the dataset
    scene: Scene
    clouds: list[str]
    samples: CacheReader
    features: CacheReader
    config: PretrainConfig
    windows: int = 1
    point_features: PointFeatures = NO_FEATURES
    texts: Sequence[Int[Array, " _"]] = ()  # where labels are learned, the text of each class and name; -1 for none
    _held: dict[str, Cloud] = field(default_factory=dict)
    _keeps_targets: bool = False
    _targets: dict[tuple[str, int], Float32[Array, "s d"]] = field(default_factory=dict)  # of each sample

    @cached_property
    def keys(self) -> list[str]:
        """Name what is trained on."""
        if self.windows == 1:
            return list(self.clouds)
        return [f"{cloud}#{window}" for cloud in self.clouds for window in range(self.windows)]

    @property
    def target_width(self) -> int:
        """Give the length of the features."""
        return int(self.read(self.clouds[0]).features.shape[1])

    def hold(self, most: float, report: Report = silent) -> float | None:
        """Read everything into memory, if it fits into so many bytes, and give those left; None if it does not."""
        for place, name in enumerate(report.steps(self.clouds, "Reading clouds")):
            cloud = self.read(name)
            if not place and cloud.nbytes * len(self.clouds) > most:
                return None
            self._held[name] = cloud
        return most - sum(cloud.nbytes for cloud in self._held.values())

    def keep_targets(self, most: float) -> float:
        """Keep the targets of each sample once they are known, if all fit into so many bytes, and give those left."""
        width = np.dtype(np.float32).itemsize
        taken = sum(width * len(each.points) * each.features.size for each in self._held.values())
        self._keeps_targets = taken <= most
        return most - taken * self._keeps_targets

    def read(self, name: str) -> Cloud:
        """Give one cloud's samples and features."""
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
            samples.arrays.get("features"),
            [samples[name] for name in ("labels", "names")[: len(self.texts)]],
            bool((samples["superpoints"] >= 0).all()),
        )

    def point_features_of(self, name: str) -> Float[Array, "q n c"]:
        """Read what is known of the points of one cloud's samples."""
        return self.samples.read(name, ("features",))["features"]

    def facts(self) -> dict[str, object]:
        """Say what is trained on in a run's configuration: how many clouds, which, and by which features."""
        keys = f"{seed_of(len(self.clouds), *sorted(self.clouds)):016x}"
        return {"clouds": len(self.clouds), "keys": keys, "features": self.features.stamp.folder}

    def entry(self, number: int, epoch: int | str, seed: int) -> TrainingCloud:
        """Give one cloud in the sample whose turn it is; some objects stand among others."""
        part, whole = self._alone(number, epoch), self.read(self.clouds[number // self.windows]).whole
        if self.config.mix and self.scene == "object":
            draw = np.random.default_rng(seed_of(self.config.seed, "mix", epoch, self.keys[number]))
            if draw.uniform() < self.config.mix:
                others = draw.integers(len(self.keys), size=draw.integers(1, self.config.mix_objects))
                parts = [part, *(self._alone(int(other), epoch) for other in others)]
                normals = self.point_features.columns("normals")
                part = mix(parts, len(part.points), int(draw.integers(2**62)), normals)
                whole = np.zeros_like(whole)  # no view has seen them together
        return TrainingCloud(
            part.points, part.superpoints, part.targets, whole, self.scene, seed, part.features,
            self._labels(number, epoch, part.superpoints),
        )  # fmt: skip

    def _row(self, number: int, epoch: int | str) -> int:
        """Say which of its cloud's samples has its turn."""
        draw = 0 if isinstance(epoch, str) else epoch % self.config.draws
        return number % self.windows * self.config.draws + draw

    def _labels(self, number: int, epoch: int | str, superpoints: Int[Array, " n"]) -> Int[Array, "s v"] | None:
        """Give the texts of each superpoint's most frequent class and name, where labels are learned."""
        if not self.texts:
            return None
        found = []
        learned = self.read(self.clouds[number // self.windows]).learned
        for texts, of_clouds in zip(self.texts, learned, strict=True):
            of_points = of_clouds[self._row(number, epoch)][: len(superpoints)].astype(np.int64)
            most = most_frequent(superpoints, of_points)
            found.append(np.where(most < 0, NO_TEXT, texts[most]))
        return np.column_stack(found)

    def _alone(self, number: int, epoch: int | str) -> Part:
        name = self.clouds[number // self.windows]
        cloud, row = self.read(name), self._row(number, epoch)
        shown: Any = slice(None) if cloud.is_full else cloud.superpoints[row] >= 0
        superpoints = cloud.superpoints[row][shown]
        known = None if cloud.of_points is None else cloud.of_points[row][shown].astype(np.float32)
        targets = self._targets.get((name, row))
        if targets is None:
            original = cloud.original[row][shown].astype(np.int64)
            targets = merged_targets(superpoints.astype(np.int64), original, cloud.features, cloud.pairs)
            targets.flags.writeable = False
            if self._keeps_targets:
                self._targets[name, row] = targets
        return Part(cloud.points[row][shown], superpoints, targets, known)


class TrainingData:
    """What one run trains on: the clouds of one dataset, or of several together."""

    def __init__(self, sources: Sequence[Source], config: PretrainConfig) -> None:
        self.sources, self.config = sources, config
        first = sources[0].keys
        self.keys = first if len(sources) == 1 else [f"{each.name}/{key}" for each in sources for key in each.keys]
        self.starts = list(accumulate((len(each.keys) for each in sources), initial=0))

    def hold(self, report: Report = silent) -> bool:
        """Read everything into memory, if it fits, and say whether it does."""
        left: float | None = memory_for_data()
        for each in self.sources:
            left = None if left is None else each.hold(left, report)
        for each in self.sources:
            left = None if left is None else each.keep_targets(left)
        return left is not None

    def entries(self, numbers: Sequence[int], epoch: int | str) -> list[TrainingCloud]:
        """Give clouds, each with randomness of its key and the epoch."""
        found = []
        for number in numbers:
            source, place = self._find(number)
            found.append(source.entry(place, epoch, seed_of(self.config.seed, epoch, self.keys[number])))
        return found

    def _find(self, number: int) -> tuple[Source, int]:
        place = bisect(self.starts, number) - 1
        return self.sources[place], number - self.starts[place]


def memory_for_data() -> float:
    """Give the bytes that this process's data may take, of those that can be had."""
    return MEMORY_SHARE * _free_memory() / int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def _free_memory() -> float:
    """Give the bytes that can be had, what the system keeps of files counted in."""
    with Path("/proc/meminfo").open(encoding="ascii") as lines:
        return next(1024 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
