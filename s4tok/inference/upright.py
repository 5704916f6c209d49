"""Own clouds brought upright: by their shape, and where it leaves doubt, by trying a sample with a checkpoint."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.geometry.placement import Guess, placed
from s4tok.inference.as_trained import superpoints_of
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.whole_encoder import WholeEncoder
from s4tok.models.checkpoint import TrainedModel
from s4tok.shapes import Float
from s4tok.superpoints.methods import partition
from s4tok.zero_shot.classifier import cosines
from s4tok.zero_shot.vocabulary import Words

POINTS = 4096  # of a sample
SHARPNESS = 50.0  # what a cosine is worth, as a logarithm of odds; chosen on 75 toy shapes to validate on

Score = Callable[[PointCloud], float]  # how near a placed cloud comes to the labels: a cosine


def settled(guess: Guess, cloud: PointCloud, score: Score) -> Guess:
    """Choose between axes that a cloud's shape leaves in doubt: that with which it comes nearest to the labels.

    Args:
        guess: What the cloud is taken for.
        cloud: As it came.
        score: Of a placed cloud.
    """
    doubtful = guess.doubtful()
    if len(doubtful) < 2:
        return guess
    some = np.sort(np.random.default_rng(len(cloud)).permutation(len(cloud))[:POINTS])
    sample = cloud.take(some)
    odds = dict(guess.odds)
    for axis in doubtful:
        odds[axis] += SHARPNESS * score(placed(sample, replace(guess.placement, up=axis)))
    best = max(doubtful, key=odds.__getitem__)
    return Guess(replace(guess.placement, up=best), odds, guess.downward)


def nearness_of_points(encoder: CloudEncoder, words: Words) -> Score:
    """Score a cloud by the mean cosine of its points with their labels, or the probability that a head gives them."""

    def score(cloud: PointCloud) -> float:
        cut = partition(cloud, superpoints_of(encoder.checkpoint, encoder.scene)).astype(np.int64)
        return float(encoder.scores(cloud.name, cloud, cut, words)[:, : len(words.names)].max(axis=1).mean())

    return score


def nearness_of_whole(
    encoder: WholeEncoder, checkpoint: TrainedModel, scene: Scene, words: Float[Tensor, "t d"]
) -> Score:
    """Score a cloud by the cosine of its whole with its label."""

    def score(cloud: PointCloud) -> float:
        cut = partition(cloud, superpoints_of(checkpoint, scene)).astype(np.int64)
        seen = encoder.encode([encoder.draw(cloud.name, cloud, cut)])
        return float((cosines(seen, words) if checkpoint.labeller is None else seen @ words.T).max())

    return score
