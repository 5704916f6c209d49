"""The feature of each cloud as a whole, by a checkpoint that encodes samples of its points."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from s4tok.clouds import PointCloud
from s4tok.config import Scene, ZeroShotConfig
from s4tok.geometry.placement import left_to_scale
from s4tok.inference.point_reader import PointReader
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.labelling_model import LabellingModel
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float, Float32, Int
from s4tok.superpoints.samples import Sample, sample


class Drawn(NamedTuple):
    """Some of a cloud's points, and what its tokens are drawn by."""

    sample: Sample
    seed: int
    scale: float  # its points are multiplied by
    features: Float32[Array, "n c"] | None  # of the sample's points, for a checkpoint that reads any


class WholeEncoder:
    """Encodes clouds of one kind of scene as wholes. Which points are drawn depends on the seed and the cloud alone."""

    def __init__(
        self, checkpoint: TrainedModel, config: ZeroShotConfig, reader: PointReader, scene: Scene = "object"
    ) -> None:
        self.model, self.config, self.reader = checkpoint.model.of_scene(scene), config, reader
        self.labelling = None if checkpoint.labeller is None else LabellingModel(self.model, checkpoint.labeller)

    def draw(self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"] | None = None) -> list[Drawn]:
        """Draw a cloud's samples, as many as there are votes; a tokenizer that knows no superpoints does without."""
        known, n_points = self.reader.read(cloud), self.model.tokenizer.config.n_points
        labels: Array = np.zeros(len(cloud), np.int64) if superpoints is None else superpoints
        seeds = [seed_of(self.config.seed, cloud.draws(key), vote) for vote in range(self.config.votes)]
        samples = [sample(cloud.xyz, labels, n_points, seed, self.reader.up) for seed in seeds]
        scales = [left_to_scale(cloud, self.config.scale)] * self.config.votes
        features = [None if known is None else known[each.index] for each in samples]
        return list(map(Drawn, samples, seeds, scales, features))

    @torch.inference_mode()
    def encode(self, clouds: Sequence[Sequence[Drawn]]) -> Float[Tensor, "b d"]:
        """Encode several clouds together, one sample of each after the other; their mean features, of unit length.

        Of a fine-tuned checkpoint these are its head's mean probabilities.
        """
        votes = zip(*clouds, strict=True)
        if self.labelling is not None:
            return torch.stack([self._whole(vote) for vote in votes]).mean(0).cpu()
        whole = [functional.normalize(self._whole(vote), dim=-1) for vote in votes]
        return functional.normalize(torch.stack(whole).mean(0), dim=-1).cpu()

    def _whole(self, drawn: Sequence[Drawn]) -> Float[Tensor, "b d"]:
        device, longest = self.model.device, max(len(each.sample.points) for each in drawn)
        points = torch.zeros(len(drawn), longest, 3)
        superpoints = torch.zeros(len(drawn), longest, dtype=torch.int64)
        is_point = torch.zeros(len(drawn), longest, dtype=torch.bool)
        width = self.model.tokenizer.point_features.width
        features = torch.zeros(len(drawn), longest, width) if width else None
        for row, (of_cloud, _, scale, known) in enumerate(drawn):
            n_points = len(of_cloud.points)
            points[row, :n_points] = torch.from_numpy(of_cloud.points) * scale
            superpoints[row, :n_points] = torch.from_numpy(of_cloud.superpoints)
            is_point[row, :n_points] = True
            if features is not None and known is not None:
                features[row, :n_points] = torch.from_numpy(known)
        seeds = torch.tensor([each.seed for each in drawn], device=device)
        found = (self.labelling or self.model)(
            points.to(device), superpoints.to(device), features=None if features is None else features.to(device),
            is_point=is_point.to(device), seeds=seeds,
        )  # fmt: skip
        whole: Tensor = found.whole.float() if self.labelling is None else self.labelling.of_clouds(found)
        return whole
