import math
from typing import Any

import numpy as np
import pytest

from s4tok.metrics.labels import (
    bootstrap,
    confusion,
    label_scores,
    part_counts,
    part_scores,
    rare_miou,
    rarest,
    summed,
)
from s4tok.shapes import Array

RNG = np.random.default_rng(7)


def labelled(n: int, n_classes: int, lowest: int = -1) -> tuple[Array, Array]:
    """True and answered classes of n points, two in three right; some have none."""
    truth = RNG.integers(lowest, n_classes, n)
    answer = np.where(RNG.random(n) < 2 / 3, truth, RNG.integers(lowest, n_classes, n))
    return truth, answer


def slow_iou(truth: Array, answer: Array, wanted: int) -> float:
    """Intersection over union of two sets of points."""
    mine, called = set(np.flatnonzero(truth == wanted)), set(np.flatnonzero(answer == wanted))
    return len(mine & called) / len(mine | called) if mine | called else math.nan


def test_right_answers_score_one_and_wrong_ones_nothing() -> None:
    truth = np.arange(12) % 4
    best, worst = label_scores(confusion(truth, truth, 4)), label_scores(confusion(truth, (truth + 1) % 4, 4))
    assert (best.accuracy, best.macc, best.miou) == (1, 1, 1)
    assert (worst.accuracy, worst.macc, worst.miou) == (0, 0, 0)


def test_order_of_points_and_names_of_classes_change_no_mean() -> None:
    truth, answer = labelled(500, 5)
    order, name = RNG.permutation(500), np.append(RNG.permutation(5), -1)
    one, other = (
        label_scores(confusion(truth, answer, 5)),
        label_scores(confusion(name[truth][order], name[answer][order], 5)),
    )
    np.testing.assert_allclose([one.accuracy, one.macc, one.miou], [other.accuracy, other.macc, other.miou])


def test_clouds_are_pooled_and_not_averaged() -> None:
    """A room of ten right points and one of a wrong point: together 10/11 and not 1/2."""
    rooms = [(np.zeros(10, int), np.zeros(10, int)), (np.zeros(1, int), np.ones(1, int))]
    counts = np.stack([confusion(truth, answer, 2) for truth, answer in rooms])
    both = label_scores(summed(counts, np.ones(2, int)))
    assert both.iou[0] == both.accuracy == 10 / 11


def test_by_hand_with_an_ignored_label_a_missing_answer_and_two_absent_classes() -> None:
    """Classes 0 and 1 occur, 2 is only answered, 3 is nowhere."""
    truth = np.array([0, 0, 0, 0, 1, 1, -1, -1])
    answer = np.array([0, 0, 2, -1, 1, 0, 2, 1])
    counts = confusion(truth, answer, 4)
    np.testing.assert_array_equal(counts, [[2, 0, 1, 0, 1], [1, 1, 0, 0, 0], [0] * 5, [0] * 5])
    scannet = label_scores(counts, "scannet")
    np.testing.assert_allclose(scannet.iou, [2 / 5, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(scannet.recall, [2 / 4, 1 / 2, np.nan, np.nan])
    assert (scannet.accuracy, scannet.macc) == (3 / 6, 1 / 2)
    assert scannet.miou == pytest.approx((2 / 5 + 1 / 2 + 0) / 3)
    openscene = label_scores(counts, "openscene")
    np.testing.assert_allclose(openscene.iou, [2 / 4, 1 / 2, np.nan, np.nan])  # the unanswered point is gone
    assert openscene.accuracy == 3 / 6
    assert openscene.macc == pytest.approx((2 / 4 + 1 / 2) / 4)  # and here it is not
    assert openscene.miou == pytest.approx((2 / 4 + 1 / 2) / 4)


def test_where_every_class_occurs_and_every_point_is_answered_both_conventions_agree() -> None:
    truth, answer = labelled(2000, 20, lowest=0)
    one, other = (label_scores(confusion(truth, answer, 20), each) for each in ("scannet", "openscene"))
    assert (one.macc, one.miou) == pytest.approx((other.macc, other.miou))


def test_each_class_equals_its_sets_of_points() -> None:
    truth, answer = labelled(3000, 7)
    found = label_scores(confusion(truth, answer, 7))
    kept = truth >= 0
    truth, answer = truth[kept], answer[kept]
    np.testing.assert_allclose(found.iou, [slow_iou(truth, answer, each) for each in range(7)])
    np.testing.assert_allclose(found.recall, [(answer[truth == each] == each).mean() for each in range(7)])
    assert found.accuracy == pytest.approx((truth == answer).mean())
    assert found.macc == pytest.approx(found.recall.mean())


# Two categories: 0 has the parts 0 and 1, 1 has the parts 2, 3 and 4.
PARTS = [[0, 1], [2, 3, 4]]


def test_parts_by_hand_an_absent_part_counts_one_in_its_object_and_nothing_in_the_pool() -> None:
    objects = [
        (0, [0, 0, 1, 1], [0, 0, 1, 0]),  # 2/3 and 1/2
        (0, [0, 0, 0, -1], [0, 0, 0, 1]),  # 1, and 1 for the part nobody has; the unlabelled point is not counted
        (1, [2, 2, 3], [2, -1, 3]),  # 1/2, 1, and 1 for part 4
        (1, [-1, -1, -1], [2, 3, 4]),  # nothing to measure
    ]
    counts = np.stack([part_counts(np.array(truth), np.array(answer), 5) for _, truth, answer in objects])
    found = part_scores(counts, np.array([category for category, _, _ in objects]), PARTS)
    first, second = (2 / 3 + 1 / 2) / 2, (1 / 2 + 1 + 1) / 3
    np.testing.assert_allclose(found.by_category, [(first + 1) / 2, second])
    assert found.miou_i == pytest.approx((first + 1 + second) / 3)
    assert found.miou_c == pytest.approx(((first + 1) / 2 + second) / 2)
    np.testing.assert_allclose(found.by_part, [5 / 6, 1 / 2, 1 / 2, 1, np.nan])
    assert found.miou_part == pytest.approx((5 / 6 + 1 / 2 + 1 / 2 + 1) / 4)


def test_a_category_without_objects_is_left_out_of_the_mean_over_categories() -> None:
    counts = part_counts(np.array([2, 3]), np.array([2, 2]), 5)[None]
    found = part_scores(counts, np.array([1]), PARTS)
    assert math.isnan(found.by_category[0])
    assert found.miou_c == found.miou_i == pytest.approx((1 / 2 + 0 + 1) / 3)


def test_parts_equal_a_slow_twin() -> None:
    categories = RNG.integers(0, 2, 40)
    shapes = [(RNG.choice(PARTS[each], 30), RNG.choice(PARTS[each], 30)) for each in categories]
    found = part_scores(np.stack([part_counts(*shape, 5) for shape in shapes]), categories, PARTS)
    of_shape = []
    for category, (truth, answer) in zip(categories, shapes, strict=True):
        ious = [slow_iou(truth, answer, part) for part in PARTS[category]]
        of_shape.append(np.mean([1.0 if math.isnan(iou) else iou for iou in ious]))
    assert found.miou_i == pytest.approx(np.mean(of_shape))
    by_category = [np.mean([iou for iou, of in zip(of_shape, categories, strict=True) if of == c]) for c in (0, 1)]
    np.testing.assert_allclose(found.by_category, by_category)
    truth, answer = (np.concatenate(each) for each in zip(*shapes, strict=True))
    np.testing.assert_allclose(found.by_part, [slow_iou(truth, answer, part) for part in range(5)])


def test_an_object_counted_twice_counts_as_two() -> None:
    shapes = [(RNG.choice(PARTS[0], 9), RNG.choice(PARTS[0], 9)) for _ in range(3)]
    counts, of = np.stack([part_counts(*shape, 5) for shape in shapes]), np.zeros(3, int)
    weighted: Any = part_scores(counts, of, PARTS, np.array([2, 0, 1]))
    repeated: Any = part_scores(counts[[0, 0, 2]], of, PARTS)
    for one, other in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(one, other)


def test_the_bootstrap_of_an_accuracy_has_the_spread_of_a_binomial() -> None:
    hits = np.arange(400) < 300
    found = bootstrap(lambda times: float(times @ hits) / 400, 400)
    assert found.deviation == pytest.approx(math.sqrt(0.75 * 0.25 / 400), rel=0.1)
    assert 0.69 < found.low < 0.72 < 0.78 < found.high < 0.81
    assert found == bootstrap(lambda times: float(times @ hits) / 400, 400)
    assert found != bootstrap(lambda times: float(times @ hits) / 400, 400, seed=1)


def test_clouds_that_are_all_alike_have_no_spread() -> None:
    counts = np.stack([confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)] * 5)
    found = bootstrap(lambda times: label_scores(summed(counts, times)).miou, 5, draws=50)
    assert found == pytest.approx((0.5, 0.5, 0))


def test_nothing_to_measure_is_nan_and_no_error() -> None:
    nothing = label_scores(confusion(np.array([-1]), np.array([0]), 3))
    assert all(math.isnan(each) for each in (nothing.accuracy, nothing.macc, nothing.miou))


def test_rare_classes_are_the_third_with_the_fewest_points_of_those_that_occur() -> None:
    truth = np.repeat([0, 1, 3, 4], [9, 2, 1, 5])  # 2 is nowhere
    answer = truth.copy()
    answer[0] = 1
    answer[truth == 3] = 0
    counts = confusion(truth, answer, 5)
    assert rarest(counts).tolist() == [3, 1]  # two of four: a third, rounded up
    assert rare_miou(counts) == pytest.approx((0 + 2 / 3) / 2)
    assert math.isnan(rare_miou(np.zeros((3, 4), int)))
