"""Who says of each point how near it is to each word: a student by its tokens, or CLIP by what it saw."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import Scene, SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint import Means, Student
from s4tok.models.model import Model
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float, Float32, Int
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.encoded_windows import Looking
from s4tok.zero_shot.point_scores import score_points, vision_scores
from s4tok_cache import CacheReader
from s4tok_pipelines.inputs.entries import read_entry, root_of
from s4tok_pipelines.inputs.features import find_features, superpoints_under
from s4tok_pipelines.inputs.point_features import PointReader
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stamps import FEATURES_STAGE


class PointScorer(ABC):
    """Whoever scores clouds that are cut into superpoints, with all that it reads opened."""

    student: Student | None = None  # that encodes points
    mean: Float[Tensor, " c"] | None = None  # of the features of many points, where labels are calibrated
    calibrated_by: Mapping[str, str] | None = None  # the checkpoint that knows the mean, and the hash of its means

    def __init__(self, name: str, superpoints: CacheReader, config: SegmentConfig) -> None:
        """Take a configuration that leaves nothing open: one of `as_trained`, and of `calibrated`."""
        self.name, self.superpoints, self.config = name, superpoints, config

    @abstractmethod
    def scores(
        self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"], words: Float[Tensor, "t d"]
    ) -> Float32[Array, "n t"]:
        """Give the cosine of each point of a cloud with each word."""

    def _calibrating_means(self, student: Student | None, scene: Scene) -> Means | None:
        """Take the means that calibrate labels from a checkpoint; None where labels are not calibrated."""
        means = None if student is None or self.config.calibrate != "mean" else student.means_for(scene)
        if student is not None and means is not None:
            self.calibrated_by = {"checkpoint": student.name, "means": means.sha256}
        return means


class CheckpointScorer(PointScorer):
    """A student reads tokens of a sample, and every point hears what those of its superpoint say."""

    def __init__(
        self,
        student: Student,
        clouds: CloudDataset,
        superpoints: CacheReader,
        config: SegmentConfig,
        report: Report = silent,
    ) -> None:
        assert config.n_points is not None
        assert config.n_tokens is not None
        assert config.window is not None
        assert config.attend is not None
        super().__init__(f"checkpoint {student.name}", superpoints, config)
        self.student = student
        means = self._calibrating_means(student, clouds.scene)
        self.mean = None if means is None else means.features
        self.model = _changed(student.model, config.n_tokens, config.attend)
        self.up, self.scale, self.seed, self.votes = clouds.up, config.scale, config.seed, config.votes
        self.reader = PointReader(student, clouds.up, report)
        self.looking = Looking(
            n_points=config.n_points,
            window=config.window,
            overlap=config.overlap * config.window,
            smallest=config.smallest_window,
            windows=config.windows,
            gap=config.gap,
            large=config.large,
        )

    def scores(
        self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"], words: Float[Tensor, "t d"]
    ) -> Float32[Array, "n t"]:
        """Look at a cloud window by window; what is drawn of it depends on the seed and its key alone."""
        xyz: Array = self.scale * cloud.xyz
        features = self.reader.read(cloud)
        mean = np.zeros((len(xyz), len(words)), np.float32)
        for vote in range(self.votes):
            seed = seed_of(self.seed, key, vote)
            mean += score_points(
                self.model, xyz, superpoints, words, self.looking, seed=seed, up=self.up, features=features
            )
        mean /= self.votes
        return mean


class VisionScorer(PointScorer):
    """A vision model itself, by its features of each superpoint in the cache: the 2D baseline."""

    def __init__(
        self,
        model: VisionModel,
        clouds: CloudDataset,
        cache: Path,
        config: SegmentConfig,
        calibrated_by: Student | None = None,
    ) -> None:
        """Find the model's features; `calibrated_by` is the checkpoint that knows their mean."""
        self.clouds = clouds
        self.features = find_features(
            root_of(cache, clouds),
            model.name,
            model.identity,
            lambda: (
                f"s4tok {FEATURES_STAGE} on the same SOURCE makes them: --split {clouds.split} --model {model.name}."
            ),
        )
        super().__init__(f"{model.name} in 2D", superpoints_under(self.features), config)
        means = self._calibrating_means(calibrated_by, clouds.scene)
        self.mean = None if means is None else means.targets

    def scores(
        self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"], words: Float[Tensor, "t d"]
    ) -> Float32[Array, "n t"]:
        """Give each point what was seen of its superpoint."""
        entry = read_entry(self.features, self.clouds, key, "superpoints", "visible")
        return vision_scores(entry["superpoints"], entry["visible"] > 0, cloud.xyz, superpoints, words)


def _changed(model: Model, n_tokens: int, attend: float) -> Model:
    """Let the same tokenizer make so many tokens, and each attend to others so far away."""
    tokenizer = copy(model.tokenizer)
    tokenizer.config = replace(tokenizer.config, n_tokens=n_tokens)
    return Model(tokenizer, model.clip, attend, model.head).eval()
