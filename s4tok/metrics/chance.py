"""Chance: what random labels score, the level below which a figure says nothing."""

from collections.abc import Sequence

import numpy as np

from s4tok.config import ReproduceConfig
from s4tok.metrics.labels import label_scores, part_scores
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


class PartPoints:
    """Counts how many points of each part every object has, as objects of known category are labelled."""

    def __init__(self, parts: Sequence[Sequence[int]]) -> None:
        """Take the parts of each category."""
        self.parts = [tuple(members) for members in parts]
        self.owner = {part: category for category, members in enumerate(self.parts) for part in members}
        self.points: list[Int[Array, " p"]] = []
        self.categories: list[int] = []

    def add(self, labels: Int[Array, " n"] | None) -> None:
        """Count one object; one without any labelled point is left out."""
        known = None if labels is None else labels[labels >= 0]
        if known is not None and len(known):
            self.points.append(np.bincount(known, minlength=len(self.owner)))
            self.categories.append(self.owner[int(known[0])])


def chance_of_parts(found: PartPoints, *, draws: int, seed: int = ReproduceConfig.seed) -> dict[str, float]:
    """Give the three means of naming each point by a part of its object's category drawn at random, all alike.

    Args:
        found: The points of each part, object by object.
        draws: How often everything is drawn; the mean is taken.
        seed: Of the random labels.
    """
    generator, means = np.random.default_rng(seed), []
    for _ in range(draws if found.points else 0):
        counts = np.zeros((len(found.points), len(found.owner), 3), np.int64)
        for place, (points, category) in enumerate(zip(found.points, found.categories, strict=True)):
            members = list(found.parts[category])
            answers = generator.multinomial(points[members], np.full(len(members), 1 / len(members)))
            counts[place, members] = np.stack([answers.diagonal(), points[members], answers.sum(axis=0)], axis=1)
        scores = part_scores(counts, np.array(found.categories), found.parts)
        means.append((scores.miou_i, scores.miou_c, scores.miou_part))
    names = ("miou_i", "miou_c", "miou_part")
    return {name: float(value) for name, value in zip(names, np.mean(means, axis=0), strict=True)} if means else {}
