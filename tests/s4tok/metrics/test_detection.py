import numpy as np
import pytest
import torch

from s4tok.geometry.boxes import iou_3d
from s4tok.metrics.detection import (
    Boxes,
    area_under_envelope,
    average_precision,
    listed_for_each_class,
    with_points,
    without_overlap,
)


def boxes(*rows: tuple[float, int, float]) -> Boxes:
    """Make unit cubes at an x, with a label and a score."""
    found = torch.tensor([[x, 0, 0, 1, 1, 1, 0] for x, _, _ in rows], dtype=torch.float64).reshape(-1, 7)
    labels, scores = ([row[place] for row in rows] for place in (1, 2))
    return Boxes(found, torch.tensor(labels, dtype=torch.long), torch.tensor(scores, dtype=torch.float64))


def ap(found: Boxes, true: Boxes, threshold: float = 0.5) -> float:
    return average_precision([found], [true], 1, threshold).mean


def test_right_boxes_before_wrong_ones_have_all_precision() -> None:
    true = boxes((0, 0, 1), (5, 0, 1))
    assert ap(boxes((0, 0, 0.9), (5, 0, 0.8), (9, 0, 0.7)), true) == 1
    assert ap(boxes((9, 0, 0.9), (0, 0, 0.8), (5, 0, 0.7)), true) == pytest.approx(2 / 3)
    assert ap(boxes((0, 0, 0.9), (9, 0, 0.8), (5, 0, 0.7)), true) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert ap(boxes((0, 0, 0.9)), true) == 0.5


def test_an_overlap_that_equals_the_threshold_is_not_enough() -> None:
    true, third = boxes((0, 0, 1)), boxes((0.5, 0, 1))
    overlap = float(iou_3d(third.boxes, true.boxes))
    assert overlap == pytest.approx(1 / 3)
    assert ap(third, true, overlap) == 0
    assert ap(third, true, np.nextafter(overlap, 0)) == 1


def test_a_second_box_on_a_true_one_is_wrong_and_does_not_go_to_another() -> None:
    assert ap(boxes((0, 0, 0.9), (0, 0, 0.8)), boxes((0, 0, 1))) == 1  # the double comes after all recall
    true = boxes((0, 0, 1), (0.4, 0, 1))
    # The second overlaps the first true box most, which is taken; it would reach 0.43 of the other.
    assert ap(boxes((0, 0, 0.9), (0, 0, 0.8)), true, 0.25) == 0.5


def test_a_class_without_found_boxes_counts_nothing_and_one_without_true_ones_is_left_out() -> None:
    true = boxes((0, 0, 1), (5, 1, 1))
    scores = average_precision([boxes((0, 0, 0.9), (7, 2, 0.9))], [true], 3, 0.5)
    assert scores.mean == 0.5
    assert scores.of_classes[:2].tolist() == [1, 0]
    assert np.isnan(scores.of_classes[2])
    assert scores.recalls[:2].tolist() == [1, 0]


def test_clouds_share_one_ranking_and_may_be_empty() -> None:
    true = [boxes((0, 0, 1)), boxes(), boxes((0, 0, 1))]
    found = [boxes((0, 0, 0.2)), boxes((0, 0, 0.9)), boxes()]
    assert average_precision(found, true, 1, 0.5).mean == pytest.approx(0.25)
    assert np.isnan(average_precision([boxes()], [boxes()], 1, 0.5).mean)


def test_it_equals_a_slow_twin_on_random_clouds() -> None:
    random = np.random.default_rng(0)
    for _ in range(67):  # 201 clouds
        true = [_random_boxes(random, 6) for _ in range(3)]
        found = [_random_boxes(random, 12) for _ in range(3)]
        for threshold in (0.25, 0.5):
            fast = average_precision(found, true, 2, threshold).of_classes
            slow = [_slow_ap(found, true, label, threshold) for label in range(2)]
            assert np.allclose(fast, slow, equal_nan=True)


def test_it_depends_on_the_order_of_neither_clouds_nor_boxes() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        true = [_random_boxes(random, 6) for _ in range(4)]
        found = [_random_boxes(random, 12) for _ in range(4)]
        order = random.permutation(4)
        again = [[_shuffled(each[place], random) for place in order] for each in (found, true)]
        one, other = average_precision(found, true, 2, 0.25), average_precision(again[0], again[1], 2, 0.25)
        np.testing.assert_allclose(one.of_classes, other.of_classes, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(one.recalls, other.recalls)


def _shuffled(given: Boxes, random: np.random.Generator) -> Boxes:
    order = torch.from_numpy(random.permutation(len(given.scores)))
    return Boxes(*(part[order] for part in given))


def _random_boxes(random: np.random.Generator, most: int) -> Boxes:
    count = int(random.integers(0, most))
    numbers = np.concatenate(
        [random.uniform(0, 2, (count, 3)), random.uniform(0.8, 1.5, (count, 3)), random.uniform(-3, 3, (count, 1))], 1
    )
    labels, scores = random.integers(0, 2, count), random.permutation(count) / 100 + random.random() / 1000
    return Boxes(torch.from_numpy(numbers), torch.from_numpy(labels), torch.from_numpy(scores))


def _slow_ap(found: list[Boxes], true: list[Boxes], label: int, threshold: float) -> float:
    """Walk down the list, and take the highest precision at each recall or beyond."""
    total = sum(int((each.labels == label).sum()) for each in true)
    if not total:
        return float("nan")
    every = sorted(
        (-float(here.scores[place]), cloud, place)
        for cloud, here in enumerate(found)
        for place in range(len(here.scores))
        if here.labels[place] == label
    )
    overlaps = [iou_3d(here.boxes, there.boxes).tolist() for here, there in zip(found, true, strict=True)]
    taken, points, right = set[tuple[int, int]](), list[tuple[float, float]](), 0
    for rank, (_, cloud, place) in enumerate(every, start=1):
        candidates = [
            (overlaps[cloud][place][other], -other)
            for other in range(len(true[cloud].labels))
            if true[cloud].labels[other] == label
        ]
        if candidates:
            overlap, other = max(candidates)
            if overlap > threshold and (cloud, -other) not in taken:
                taken.add((cloud, -other))
                right += 1
        points.append((right / total, right / rank))
    return sum(
        max((precision for recall, precision in points if recall >= number / total - 1e-12), default=0) / total
        for number in range(1, total + 1)
    )


def test_the_envelope_falls() -> None:
    assert area_under_envelope(np.array([False, True, True]), 2) == pytest.approx(2 / 3)
    assert area_under_envelope(np.array([], dtype=bool), 2) == 0


def test_of_boxes_on_each_other_the_best_of_a_class_is_kept() -> None:
    found = boxes((0, 0, 0.8), (0.1, 0, 0.9), (0.1, 1, 0.5), (3, 0, 0.1))
    assert without_overlap(found).scores.tolist() == [0.9, 0.5, 0.1]
    assert without_overlap(found, across_classes=True).scores.tolist() == [0.9, 0.1]
    assert without_overlap(found, overlap=0.99).scores.tolist() == [0.8, 0.9, 0.5, 0.1]


def test_hulls_of_diagonal_boxes_drop_neighbours_that_they_do_not_touch() -> None:
    turned = torch.tensor([[0, 0, 0, 4, 0.5, 1, np.pi / 4], [0.7, -0.7, 0, 4, 0.5, 1, np.pi / 4]], dtype=torch.float64)
    found = Boxes(turned, torch.zeros(2, dtype=torch.long), torch.tensor([0.9, 0.8]))
    assert float(iou_3d(turned[:1], turned[1:])) == pytest.approx(0, abs=1e-6)
    assert len(without_overlap(found).scores) == 1
    assert len(without_overlap(found, by="boxes").scores) == 2


def test_boxes_of_four_points_are_dropped_and_of_five_kept() -> None:
    xyz = torch.tensor([[0.0, 0, 0]] * 5 + [[5.0, 0, 0]] * 4)
    assert with_points(boxes((0, 0, 1), (5, 0, 1)), xyz).boxes[:, 0].tolist() == [0]


def test_every_class_is_listed_by_probability_times_objectness() -> None:
    probabilities = torch.tensor([[0.75, 0.25], [0.5, 0.5]], dtype=torch.float64)
    listed = listed_for_each_class(boxes((0, 0, 0.5), (5, 0, 0.05)), probabilities)
    assert listed.labels.tolist() == [0, 1]
    assert listed.scores.tolist() == [0.375, 0.125]
