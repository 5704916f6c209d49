"""A cloud whose points have labels: how these come from scores."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import SegmentConfig
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float, Float32, Int
from s4tok.zero_shot.classifier import mean_scores
from s4tok.zero_shot.found_names import found_names, same_names
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
    scores: Float32[Array, "n w"],
    config: SegmentConfig,
    *,
    truth: Int[Array, " n"] | None = None,
    mean: Float[Tensor, " c"] | None = None,
) -> Labelled:
    """Label each point by its best word, pooled and calibrated as the configuration says.

    Args:
        cloud: The cloud.
        superpoints: Of its points.
        words: What they may be; where they are only proposed, the few that are found keep their place.
        scores: The cosine of each point with each row of the words' vectors.
        config: Whether to pool, what to call unknown, how many proposed names to keep, the share that calibration
            subtracts.
        truth: The true word of each point, where it is known.
        mean: The mean feature that calibrates; None leaves labels as they are.
    """
    if config.pool:
        scores = superpoint_means(scores, superpoints)[superpoints]
    subtracted = None
    if mean is not None:
        means: Array = mean_scores(mean, words.vectors).cpu().numpy()
        subtracted = np.float32(config.calibration_share or 0.0) * means
    calibrated = scores if subtracted is None else scores - subtracted
    kept = np.arange(len(words.names))
    if words.categories is not None:  # by the cosines themselves: calibration lifts words of things that are nowhere
        kept = found_names(words, superpoint_means(scores, superpoints), np.bincount(superpoints), config.top)
    others = np.setdiff1d(np.arange(scores.shape[1]), same_names(words, kept))
    taken_off = None if subtracted is None else subtracted[kept]
    return Labelled(
        cloud,
        superpoints,
        tuple(words.names[each] for each in kept),
        calibrated[:, kept],
        answers(calibrated[:, kept], config.unknown, taken_off, calibrated[:, others]),
        truth,
        taken_off,
        uncalibrated=None if mean is None else answers(scores[:, kept], config.unknown, None, scores[:, others]),
    )


def superpoint_means(values: Float32[Array, "n t"], superpoints: Int[Array, " n"]) -> Float32[Array, "s t"]:
    """Give each superpoint the mean of its points' values."""
    sizes = np.bincount(superpoints)
    means = np.stack([np.bincount(superpoints, column) for column in values.T], axis=1) / np.maximum(sizes, 1)[:, None]
    rounded: Array = means.astype(np.float32)
    return rounded


def answers(
    scores: Float32[Array, "n t"],
    unknown: float | Literal["auto"] | None = None,
    subtracted: Float32[Array, " t"] | None = None,
    others: Float32[Array, "n o"] | None = None,
) -> Int[Array, " n"]:
    """Name each point by its best class; -1 where even that one is too far away.

    Args:
        scores: Of the classes.
        unknown: Too far is a cosine below this, or with "auto" whatever another word is nearer to.
        subtracted: What calibration took off each class's cosines; the cosine is that before calibration.
        others: Scores of words that mean none of the classes.
    """
    best: Array = scores.argmax(axis=1)
    if unknown is None:
        return best
    if unknown != "auto":
        return np.where(best_cosines(scores, subtracted) >= unknown, best, -1)
    if others is None or not others.shape[1]:
        return best
    return np.where(scores.max(axis=1) >= others.max(axis=1), best, -1)


def best_cosines(scores: Float32[Array, "n t"], subtracted: Float32[Array, " t"] | None = None) -> Float32[Array, " n"]:
    """Give each point's cosine with its best class, before calibration."""
    best = scores.argmax(axis=1)
    cosines: Array = scores[np.arange(len(scores)), best]
    return cosines if subtracted is None else cosines + subtracted[best]
