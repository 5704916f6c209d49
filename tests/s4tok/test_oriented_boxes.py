import numpy as np
import pytest

from s4tok.errors import InputError
from s4tok.oriented_boxes import OrientedBoxes


def two() -> OrientedBoxes:
    return OrientedBoxes.of(
        [3, 1], [[0, 0, 0], [5, 2, 1]], [[2, 1, 1], [4, 2, 3]], [0.5, -4.0], instances=[7, 9], scores=[0.9, 0.2]
    )


def test_yaws_are_brought_above_minus_pi_and_to_at_most_pi() -> None:
    boxes = OrientedBoxes.of([0] * 4, np.zeros((4, 3)), np.ones((4, 3)), [-np.pi, np.pi, 4.0, -4.0])
    np.testing.assert_allclose(boxes.yaws, [np.pi, np.pi, 4 - 2 * np.pi, 2 * np.pi - 4])


def test_rows_give_the_boxes_back() -> None:
    boxes = two()
    again = OrientedBoxes.of_rows(boxes.rows(), boxes.labels, boxes.scores)
    np.testing.assert_allclose(again.rows(), boxes.rows())
    assert again.labels.tolist() == [3, 1]


def test_a_part_has_all_that_is_known_of_it() -> None:
    part = two().take(np.array([False, True]))
    assert len(part) == 1
    assert part.instances is not None
    assert part.instances.tolist() == [9]
    assert part.centers.tolist() == [[5, 2, 1]]
    assert len(two().take(np.array([], np.int64))) == len(OrientedBoxes.none()) == 0


def test_moving_shifts_centres_alone() -> None:
    moved = two().moved(np.array([1.0, 2.0, 3.0]))
    assert moved.centers[1].tolist() == [6, 4, 4]
    assert moved.sizes.tolist() == two().sizes.tolist()


def test_odd_boxes_are_told_in_a_sentence() -> None:
    with pytest.raises(InputError, match="1 labels, 2 centers"):
        OrientedBoxes.of([0], np.zeros((2, 3)), np.ones((1, 3)))
    with pytest.raises(InputError, match="sizes of at least 0"):
        OrientedBoxes.of([0], np.zeros((1, 3)), [[1, -1, 1]])
    with pytest.raises(InputError, match="finite"):
        OrientedBoxes.of([0], np.zeros((1, 3)), np.ones((1, 3)), [np.nan])
