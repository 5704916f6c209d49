"""A cloud whose points have labels: how these come from scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import SegmentConfig
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float, Float32, Int
from s4tok.zero_shot.classifier import mean_scores
from s4tok.zero_shot.vocabulary import Words

UNKNOWN_NAME = "unknown"  # of label -1


class Labelled(NamedTuple):
    """A cloud with a label a point."""

    cloud: PointCloud
    superpoints: Int[Array, " n"]
    names: Sequence[str]
    scores: Float32[Array, "n t"]  # by which points are named: cosines, less what calibration subtracts
    answers: Int[Array, " n"]  # index into names; -1 for unknown
    truth: Int[Array, " n"] | None = None  # as above, where it is known
    subtracted: Float32[Array, " t"] | None = None  # by calibration, from each name's cosines
    uncalibrated: Int[Array, " n"] | None = None  # what the answers would be without
    boxes: OrientedBoxes | None = None  # around things of one name, in the frame of the cloud


def labelled(
    cloud: PointCloud,
    superpoints: Int[Array, " n"],
    words: Words,
    scores: Float32[Array, "n t"],
    config: SegmentConfig,
    *,
    truth: Int[Array, " n"] | None = None,
    mean: Float[Tensor, " c"] | None = None,
) -> Labelled:
    """Label each point by its best word, pooled and calibrated as the configuration says.

    Args:
        cloud: The cloud.
        superpoints: Of its points.
        words: What they may be.
        scores: The cosine of each point with each word.
        config: Whether to pool, what to call unknown, and the share that calibration subtracts.
        truth: The true word of each point, where it is known.
        mean: The mean feature that calibrates; None leaves labels as they are.
    """
    if config.pool:
        scores = superpoint_means(scores, superpoints)[superpoints]
    named = answers(scores, config.unknown)
    if mean is None:
        return Labelled(cloud, superpoints, words.names, scores, named, truth)
    means: Array = mean_scores(mean, words.vectors).cpu().numpy()
    subtracted = np.float32(config.calibration_share or 0.0) * means
    scores = scores - subtracted
    return Labelled(
        cloud,
        superpoints,
        words.names,
        scores,
        answers(scores, config.unknown, subtracted),
        truth,
        subtracted,
        uncalibrated=named,
    )


def superpoint_means(values: Float32[Array, "n t"], superpoints: Int[Array, " n"]) -> Float32[Array, "s t"]:
    """Give each superpoint the mean of its points' values."""
    sizes = np.bincount(superpoints)
    means = np.stack([np.bincount(superpoints, column) for column in values.T], axis=1) / np.maximum(sizes, 1)[:, None]
    rounded: Array = means.astype(np.float32)
    return rounded


def answers(
    scores: Float32[Array, "n t"], unknown: float | None = None, subtracted: Float32[Array, " t"] | None = None
) -> Int[Array, " n"]:
    """Name each point by its best class; -1 where even that one's cosine is below `unknown`.

    `subtracted` is what calibration took off each class's cosines; the cosine is that before calibration.
    """
    best: Array = scores.argmax(axis=1)
    if unknown is None:
        return best
    return np.where(best_cosines(scores, subtracted) >= unknown, best, -1)


def best_cosines(scores: Float32[Array, "n t"], subtracted: Float32[Array, " t"] | None = None) -> Float32[Array, " n"]:
    """Give each point's cosine with its best class, before calibration."""
    best = scores.argmax(axis=1)
    cosines: Array = scores[np.arange(len(scores)), best]
    return cosines if subtracted is None else cosines + subtracted[best]
