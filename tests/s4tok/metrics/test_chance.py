import math

import numpy as np
import pytest

from s4tok.metrics.chance import PartPoints, chance, chance_of_parts
from s4tok.metrics.labels import confusion, label_scores, part_counts, part_scores


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


def test_chance_of_parts_equals_labels_drawn_point_by_point_among_the_categorys_own() -> None:
    parts, draw = [(0, 1), (2, 3, 4)], np.random.default_rng(3)
    objects = [np.repeat([0, 1], [700, 300]), np.repeat([2, 3], [500, 200]), np.repeat([4, 2, -1], [400, 600, 50])]
    found = PartPoints(parts)
    for labels in [*objects, np.full(9, -1), None]:  # the last two say nothing, and are left out
        found.add(labels)
    assert found.categories == [0, 1, 1]
    drawn = []
    for _ in range(200):
        of = [
            part_counts(each, draw.choice(parts[owner], len(each)), 5)
            for each, owner in zip(objects, (0, 1, 1), strict=True)
        ]
        drawn.append(part_scores(np.stack(of), np.array([0, 1, 1]), parts))
    random = chance_of_parts(found, draws=200)
    for name in ("miou_i", "miou_c", "miou_part"):
        assert random[name] == pytest.approx(np.mean([getattr(each, name) for each in drawn]), abs=3e-3)
    assert chance_of_parts(PartPoints(parts), draws=5) == {}
