"""A checkpoint that encodes every point of a cloud: near which texts a point is, or its features themselves."""

from copy import copy
from dataclasses import replace

import numpy as np
from scipy.spatial import KDTree

from s4tok.clouds import PointCloud
from s4tok.config import Scene, SegmentConfig, ZeroShotConfig
from s4tok.geometry.placement import left_to_scale
from s4tok.geometry.walls import along_the_axes
from s4tok.inference.as_trained import as_trained, calibrated, calibrating_means
from s4tok.inference.point_reader import PointReader
from s4tok.inference.results import Embedding
from s4tok.inference.whole_encoder import WholeEncoder
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.labelling_model import LabellingModel
from s4tok.models.model import Model
from s4tok.notes import Note, log
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float32, Float64, Int
from s4tok.zero_shot.encoded_windows import Looking
from s4tok.zero_shot.point_scores import embed_points, score_points
from s4tok.zero_shot.vocabulary import Words


class CloudEncoder:
    """Encodes clouds of one kind of scene; what the configuration leaves open is as the checkpoint was trained.

    A cloud is encoded window by window. What is drawn of it depends on the seed and its key alone; of an own cloud,
    which has no key that it would keep under another name, on its number of points.
    """

    def __init__(
        self, checkpoint: TrainedModel, config: SegmentConfig, scene: Scene, up: str, note: Note = log
    ) -> None:
        config = as_trained(calibrated(config, checkpoint, scene), checkpoint, scene, note)
        assert config.n_points is not None
        assert config.n_tokens is not None
        assert config.window is not None
        assert config.attend is not None
        self.scene: Scene = scene
        self.checkpoint, self.config, self.up = checkpoint, config, up
        self.means = calibrating_means(config, checkpoint, scene)
        self.model = _changed(checkpoint.model.of_scene(scene), config.n_tokens, config.attend)
        self.reader = PointReader(checkpoint, up, note)
        self.looking = Looking(
            n_points=config.n_points,
            window=config.window,
            overlap=config.overlap * config.window,
            smallest=config.smallest_window,
            windows=config.windows,
            gap=config.gap,
            large=config.large,
        )

    def scores(self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"], words: Words) -> Float32[Array, "n t"]:
        """Give the cosine of each point with each word, or of a fine-tuned checkpoint the probability."""
        labeller, model = self.checkpoint.labeller, self.model
        by = model if labeller is None else LabellingModel(model, labeller, words.category)
        cloud = self._aligned(cloud)
        xyz: Array = left_to_scale(cloud, self.config.scale) * cloud.xyz
        features = self.reader.read(cloud)
        mean = np.zeros((len(xyz), len(words.vectors)), np.float32)
        for vote in range(self.config.votes):
            seed = seed_of(self.config.seed, cloud.draws(key), vote)
            mean += score_points(
                by, xyz, superpoints, words.vectors, self.looking, seed=seed, up=self.up, features=features
            )
        mean /= self.config.votes
        return mean

    def embed(self, key: str, cloud: PointCloud, superpoints: Int[Array, " n"]) -> Embedding:
        """Give features of its tokens, which are those of the first vote, of its points, and of the whole."""
        scale, votes, seed = left_to_scale(cloud, self.config.scale), self.config.votes, self.config.seed
        aligned = self._aligned(cloud)
        xyz: Array = scale * aligned.xyz
        features = self.reader.read(aligned)
        embedded = [
            embed_points(
                self.model,
                xyz,
                superpoints,
                self.looking,
                seed=seed_of(seed, cloud.draws(key), vote),
                up=self.up,
                features=features,
            )
            for vote in range(votes)
        ]
        points: Array = np.mean([each.points for each in embedded], axis=0, dtype=np.float32)
        bare = self.checkpoint._replace(labeller=None)
        config = ZeroShotConfig(votes=votes, scale=self.config.scale, seed=seed)
        whole = WholeEncoder(bare, config, self.reader, self.scene)
        return Embedding(
            tokens=embedded[0].tokens,
            centers=_in_the_file(embedded[0].centers / scale, aligned, cloud),
            points=points,
            superpoints=superpoints,
            whole=whole.encode([whole.draw(key, cloud, superpoints)])[0].numpy(),
            checkpoint=self.checkpoint.name,
            scene=self.scene,
        )

    def _aligned(self, cloud: PointCloud) -> PointCloud:
        """Turn a room so that its walls lie along the axes."""
        is_turned = self.scene == "room" and self.config.align
        return along_the_axes(cloud, self.up, left_to_scale(cloud, self.config.scale)) if is_turned else cloud


def _in_the_file(centers: Float64[Array, "m 3"], seen: PointCloud, cloud: PointCloud) -> Float64[Array, "m 3"]:
    """Give the coordinates that centres, which are points of the cloud as it was seen, came with."""
    if seen is cloud and cloud.source is None:
        return centers + cloud.offset
    own: Array = cloud.original_xyz()[KDTree(seen.xyz).query(centers)[1]]
    return own


def _changed(model: Model, n_tokens: int, attend: float) -> Model:
    """Let the same tokenizer make so many tokens, and each attend to others so far away."""
    tokenizer = copy(model.tokenizer)
    tokenizer.config = replace(tokenizer.config, n_tokens=n_tokens)
    return Model(tokenizer, model.clip, attend, model.head, model.encoder).eval()
