import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.synthetic.datasets import ToyRooms
from s4tok.zero_shot.box_figures import BoxTally
from s4tok.zero_shot.labelled import Labelled

CHAIR, TABLE, WALL = (ToyRooms.classes.index(name) for name in ("chair", "table", "wall"))


def room() -> Labelled:
    """A chair and a table, each a unit cube, and a wall; every point is labelled right."""
    draw = np.random.default_rng(0)
    points = np.concatenate([draw.uniform(0, 1, (4000, 3)) + shift for shift in ([0, 0, 0], [3, 0, 0], [6, 0, 0])])
    labels = np.repeat([CHAIR, TABLE, WALL], 4000)
    things = [ToyRooms.box_classes.index(name) for name in ("chair", "table")]
    boxes = OrientedBoxes.of(things, [[0.5, 0.5, 0.5], [3.5, 0.5, 0.5]], np.ones((2, 3)))
    cloud = PointCloud.of(points, labels=labels, boxes=boxes)
    scores = np.eye(len(ToyRooms.classes), dtype=np.float32)[labels]
    return Labelled(cloud, np.arange(12_000) // 100, ToyRooms.classes, scores, labels, labels)


def test_right_labels_of_things_apart_find_every_box_and_no_wall() -> None:
    tally, done = BoxTally(ToyRooms(sizes=(1, 0, 0))), room()
    found = tally.add("room", done, has_truth=True)
    assert [done.names[label] for label in found.labels] == ["table", "chair"]
    figures = tally.figures()
    assert figures is not None
    facts = figures.facts()
    assert facts["ap25"] == facts["ap50"] == facts["ap25_of_true_labels"] == 1
    assert 0 <= facts["ap25_chance"] < 1
    assert facts["boxes_per_class"]["chair"] == {"boxes": 1, "ap25": 1, "ap50": 1}
    assert facts["boxes_per_class"]["board"]["boxes"] == 0


def test_labels_that_are_swapped_find_nothing_but_true_ones_still_would() -> None:
    tally, done = BoxTally(ToyRooms(sizes=(1, 0, 0))), room()
    swapped = np.where(done.answers == CHAIR, TABLE, np.where(done.answers == TABLE, CHAIR, done.answers))
    tally.add("room", done._replace(answers=swapped), has_truth=True)
    figures = tally.figures()
    assert figures is not None
    assert figures.found["ap25"].mean == 0
    assert figures.of_true_labels["ap25"] == pytest.approx(1)


def test_words_of_a_user_are_held_against_boxes_of_their_names_alone() -> None:
    tally, done = BoxTally(ToyRooms(sizes=(1, 0, 0))), room()
    found = tally.add("room", done._replace(truth=None), has_truth=False)
    assert {done.names[label] for label in found.labels} == {"chair", "table"}
    figures = tally.figures()
    assert figures is not None
    assert figures.found["ap25"].mean == 1
    assert figures.of_true_labels == {}
    other = BoxTally(ToyRooms(sizes=(1, 0, 0)))
    assert len(other.add("room", done._replace(names=tuple("abcdefghijklm"), truth=None), has_truth=False)) == 3
    assert other.figures() is None
