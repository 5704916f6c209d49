import numpy as np
import pytest

from s4tok.config import BoxConfig
from s4tok.geometry.axes import upright
from s4tok.geometry.box_frames import turned
from s4tok.shapes import Array, Float64, Int
from s4tok.zero_shot.found_boxes import found_boxes

CONFIG = BoxConfig(fewest_points=30)


def scene() -> tuple[Float64[Array, "n 3"], Int[Array, " n"], Float64[Array, " n"]]:
    """Two things of label 0, half a metre apart, one of label 2 on top of the first, and a few points of label 1."""
    draw = np.random.default_rng(0)
    parts = [draw.uniform(0, 1, (4000, 3)) + shift for shift in ([0, 0, 0], [1.5, 0, 0], [0, 0, 1.0])]
    parts.append(draw.uniform(0, 0.1, (29, 3)) + [5, 5, 5])
    scores = np.concatenate([np.full(len(part), score) for part, score in zip(parts, (0.9, 0.5, 0.7, 1), strict=True)])
    return np.concatenate(parts), np.repeat([0, 0, 2, 1], [4000, 4000, 4000, 29]), scores


@pytest.mark.parametrize("up", ["x", "y", "z"])
def test_each_thing_of_a_label_has_a_box_scored_by_the_mean_of_its_points(up: str) -> None:
    points, labels, scores = scene()
    turn = upright(up).T @ upright("z")
    boxes = turned(found_boxes(points @ turn.T, labels, scores, [0, 1, 2], up, "room", CONFIG), up, "z")
    assert boxes.scores is not None
    assert boxes.labels.tolist() == [0, 0, 2]
    np.testing.assert_allclose(boxes.scores, [0.9, 0.5, 0.7])
    np.testing.assert_allclose(boxes.centers, [[0.5, 0.5, 0.5], [2, 0.5, 0.5], [0.5, 0.5, 1.5]], atol=0.02)
    np.testing.assert_allclose(boxes.sizes, np.ones((3, 3)), atol=0.05)


def test_what_is_not_wanted_or_too_small_has_none_and_what_a_larger_gap_joins_has_one() -> None:
    points, labels, scores = scene()
    assert len(found_boxes(points, labels, scores, [1], "z", "room", CONFIG)) == 0
    assert found_boxes(points, labels, scores, [2], "z", "room", CONFIG).labels.tolist() == [2]
    assert len(found_boxes(points, labels, scores, [0], "z", "room", BoxConfig(gap=0.7))) == 1
    assert len(found_boxes(points, labels, scores, [0], "z", "object", BoxConfig(gap=0.7))) == 2


def test_a_cloud_of_few_points_has_boxes_of_few_points_and_one_of_one_point_has_one() -> None:
    points = np.repeat([[0.0, 0, 0], [9, 0, 0]], 20, axis=0) + np.random.default_rng(0).uniform(0, 0.1, (40, 3))
    assert len(found_boxes(points, np.zeros(40, np.int64), np.ones(40), [0], "z", "room")) == 2
    assert len(found_boxes(points[:1], np.zeros(1, np.int64), np.ones(1), [0], "z", "room")) == 1
