from collections import Counter
from copy import copy
from typing import Any

import numpy as np
import pytest

from s4tok_cache import CacheReader
from s4tok_pipelines.inputs.find_superpoints import open_superpoints
from s4tok_pipelines.inputs.labelled_data import LabelledData, balanced, few
from s4tok_pipelines.inputs.training_samples import Draws, training_samples
from tests.notes import Warnings

KEYS = [f"cloud-{number}" for number in range(40)]
CATEGORIES = {key: number % 4 if number < 36 else 3 for number, key in enumerate(KEYS)}


def counts(keys: list[str]) -> list[int]:
    return [Counter(CATEGORIES[key] for key in keys)[category] for category in range(4)]


def test_shots_are_so_many_of_each_category_and_more_of_them_hold_the_fewer() -> None:
    one, three = (few(KEYS, CATEGORIES, 0, shots, None) for shots in (1, 3))
    assert (counts(one), counts(three)) == ([1] * 4, [3] * 4)
    assert set(one) < set(three)
    assert few(KEYS[::-1], CATEGORIES, 0, 3, None) == three
    assert few(KEYS, CATEGORIES, 1, 3, None) != three
    assert counts(few(KEYS, CATEGORIES, 0, 99, None)) == counts(KEYS)


def test_a_fraction_is_a_share_of_each_category_and_one_at_least() -> None:
    assert counts(few(KEYS, CATEGORIES, 0, None, 0.5)) == [5, 5, 5, 7]
    assert counts(few(KEYS, CATEGORIES, 0, None, 0.01)) == [1] * 4
    assert few(KEYS, CATEGORIES, 0, None, None) == KEYS


def test_rooms_are_counted_in_all() -> None:
    assert len(few(KEYS, {}, 0, 10, None)) == 10


def test_balanced_categories_come_equally_often_and_no_cloud_is_left_out() -> None:
    found = balanced(KEYS, CATEGORIES)
    assert counts(found) == [13] * 4
    assert set(found) == set(KEYS)


@pytest.fixture(scope="module")
def samples(world: Any) -> CacheReader:
    cut = open_superpoints(world.train, world.cache)
    return training_samples(world.train, world.train.keys, cut, Draws(2, 0, 0.0, 1), 100, labelled=True)


def test_an_entry_is_a_sample_with_its_own_labels(world: Any, samples: CacheReader) -> None:
    key = world.train.keys[3]
    data = LabelledData(samples, [key], {key: 7}, 2, 1, 5)
    (entry,) = data.entries([0], 0)
    cloud = world.train[key]
    nearest = np.linalg.norm(cloud.xyz[None] - entry.points[:, None], axis=2).argmin(1)
    assert (cloud.labels[nearest] == entry.labels).all()
    assert (entry.category, len(entry.points)) == (7, 100)
    held = LabelledData(samples, [key], {key: 7}, 2, 1, 5)
    assert held.hold()
    for one, other in zip(held.entries([0], 0)[0], entry, strict=True):
        assert np.array_equal(one, other)  # type: ignore[arg-type]


def test_epochs_take_draws_in_turn_and_a_repeated_cloud_is_an_entry_of_its_own(
    world: Any, samples: CacheReader
) -> None:
    key = world.train.keys[0]
    data = LabelledData(samples, [key, key], {}, 2, 1, 0)
    assert data.keys == [key, f"{key}~1"]
    first, again = data.entries([0, 1], 0)
    assert first.seed != again.seed
    assert not np.array_equal(first.points, again.points)
    assert np.array_equal(data.entries([0], 1)[0].points, again.points)
    assert np.array_equal(data.entries([0], "validation")[0].points, first.points)
    assert data.counts(len(world.train.classes)).sum() == 100


def test_clouds_of_each_category_are_counted_where_objects_are_labelled(world: Any) -> None:
    cut, (one, other, unknown) = open_superpoints(world.train, world.cache), world.train.keys[:3]
    without = training_samples(world.train, [one, other, unknown], cut, Draws(2, 0, 0.0, 1), 100)
    data = LabelledData(without, [one, one, other, unknown], {one: 1, other: 2}, 2, 1, 0)
    assert data.counts(4).tolist() == [0, 1, 1, 0]


def test_a_label_that_is_no_class_is_told_and_its_cloud_left_out(world: Any) -> None:
    less, said = copy(world.train), Warnings()
    less.classes = world.train.classes[:3]
    cut = open_superpoints(world.train, world.cache)
    found = training_samples(less, less.keys[:2], cut, Draws(1, 0, 0.0, 1), 50, labelled=True, report=said)
    assert not [key for key in less.keys[:2] if key in found and less[key].labels.max() >= 3]
    assert any("and there are 3 classes, from 0 on" in each for each in said.said)
