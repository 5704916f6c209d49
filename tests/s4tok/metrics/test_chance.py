import math

import numpy as np
import pytest

from s4tok.metrics.chance import chance
from s4tok.metrics.labels import confusion, label_scores


@pytest.mark.parametrize("n_classes", [2, 5, 13])
def test_guessing_gets_one_in_2c_minus_1_where_classes_are_equally_large(n_classes: int) -> None:
    # n points of each class: n/c are right, and n/c of every other class are taken for it
    assert chance(np.full(n_classes, 100_000)) == pytest.approx(1 / (2 * n_classes - 1), rel=2e-3)


def test_a_class_without_points_counts_as_wrong_because_a_guess_names_it_too() -> None:
    # a third of each class is right, and they share a third of all points: 1/3 / (1 + 2/3 - 1/3) = 1/4, 1/4 and 0
    assert chance(np.array([90_000, 90_000, 0])) == pytest.approx(1 / 6, rel=2e-3)


def test_guesses_equal_labels_drawn_point_by_point() -> None:
    points, draw = np.array([900, 80, 400, 0]), np.random.default_rng(7)
    truth = np.repeat(np.arange(4), points)
    drawn = [label_scores(confusion(truth, draw.integers(0, 4, len(truth)), 4)).miou for _ in range(200)]
    assert chance(points) == pytest.approx(np.mean(drawn), abs=5 * float(np.std(drawn)) / math.sqrt(200))
    assert chance(points, draws=3) == chance(points, draws=3) != chance(points, draws=3, seed=1)


def test_of_nothing_there_is_no_chance() -> None:
    assert math.isnan(chance(np.zeros(3, np.int64)))
    assert math.isnan(chance(np.zeros(0, np.int64)))
