"""Chance: what random labels score, the level below which a figure says nothing."""

import numpy as np

from s4tok.config import ReproduceConfig
from s4tok.metrics.labels import label_scores
from s4tok.shapes import Array, Int


def chance(
    points: Int[Array, " c"], *, draws: int = ReproduceConfig.guesses, seed: int = ReproduceConfig.seed
) -> float:
    """Give the mIoU of naming each point by a class drawn at random, all alike.

    Measured as a method would be: labels are drawn for every point, counted into one confusion matrix, and classes
    that no point is of count as the convention has it. NaN where there are no points.

    Args:
        points: How many points are of each class.
        draws: How often everything is guessed; the mean is taken.
        seed: Of the random labels.
    """
    generator = np.random.default_rng(seed)
    even = np.full(len(points), 1 / len(points)) if len(points) else np.zeros(0)
    found = []
    for _ in range(draws if points.sum() else 0):
        answers = generator.multinomial(points, even)  # a row a class: how its points were called
        found.append(label_scores(np.pad(answers, ((0, 0), (0, 1)))).miou)
    return float(np.mean(found)) if found else float("nan")
