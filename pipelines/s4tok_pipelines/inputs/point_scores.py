"""Who scores each point against each label: a checkpoint by its tokens, or a vision model by its features of views."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.inference.as_trained import calibrating_means
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.models.checkpoint import Means, TrainedModel
from s4tok.shapes import Array, Float, Float32, Int
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.point_scores import vision_scores
from s4tok.zero_shot.vocabulary import Words
from s4tok_cache import CacheReader
from s4tok_pipelines.inputs.entries import read_entry, root_of, way_out
from s4tok_pipelines.inputs.features import find_features, superpoints_under
from s4tok_pipelines.stamps import FEATURES_STAGE


class PointScorer(ABC):
    """Whoever scores clouds that are cut into superpoints, with all that it reads opened."""

    checkpoint: TrainedModel | None = None  # that encodes points
    mean: Float[Tensor, " c"] | None = None  # of the features of many points, where labels are calibrated
    calibrated_by: Mapping[str, str] | None = None  # the checkpoint that knows the mean, and the hash of its means

    def __init__(self, name: str, superpoints: CacheReader, config: SegmentConfig) -> None:
        """Take a configuration that leaves nothing open: one of `as_trained`, and of `calibrated`."""
        self.name, self.superpoints, self.config = name, superpoints, config

    @abstractmethod
    def scores(self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"], words: Words) -> Float32[Array, "n t"]:
        """Give the cosine of each point of a cloud with each word, or a head's probability."""

    def calibrate(self, mean: Float[Tensor, " c"], checkpoint: TrainedModel, means: Means) -> None:
        """Calibrate labels by a mean feature, one of the means that a checkpoint knows."""
        self.mean, self.calibrated_by = mean, {"checkpoint": checkpoint.name, "means": means.sha256}


class CheckpointScorer(PointScorer):
    """A checkpoint encodes tokens of a sample, and every point has the features of those of its superpoint."""

    def __init__(self, encoder: CloudEncoder, superpoints: CacheReader) -> None:
        super().__init__(f"checkpoint {encoder.checkpoint.name}", superpoints, encoder.config)
        self.checkpoint, self.encoder = encoder.checkpoint, encoder
        if encoder.means is not None:
            self.calibrate(encoder.means.features, encoder.checkpoint, encoder.means)

    def scores(self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"], words: Words) -> Float32[Array, "n t"]:
        """Encode a cloud window by window."""
        return self.encoder.scores(key, cloud, superpoints, words)


class VisionScorer(PointScorer):
    """A vision model itself, by its features of each superpoint in the cache: the 2D baseline."""

    def __init__(
        self,
        model: VisionModel,
        clouds: CloudDataset,
        cache: Path,
        config: SegmentConfig,
        calibrated_by: TrainedModel | None = None,
        features: CacheReader | None = None,
    ) -> None:
        """Find the model's features unless they are given; `calibrated_by` is the checkpoint that knows their mean."""
        self.clouds = clouds
        self.features = features or find_features(
            root_of(cache, clouds),
            model.name,
            model.identity,
            lambda: way_out(clouds, cache, f"{FEATURES_STAGE} --model {model.name}", auto=False),
            clouds=clouds,
        )
        super().__init__(f"{model.name} in 2D", superpoints_under(self.features), config)
        means = calibrating_means(config, calibrated_by, clouds.scene)
        if calibrated_by is not None and means is not None:
            self.calibrate(means.targets, calibrated_by, means)

    def scores(self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"], words: Words) -> Float32[Array, "n t"]:
        """Give each point what was seen of its superpoint."""
        entry = read_entry(self.features, self.clouds, key, "superpoints", "visible", superpoints=self.superpoints)
        return vision_scores(entry["superpoints"], entry["visible"] > 0, cloud.xyz, superpoints, words.vectors)
