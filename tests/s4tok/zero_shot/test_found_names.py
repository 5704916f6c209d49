"""Proposed names that a cloud keeps, worked by hand."""

import numpy as np
import torch

from s4tok.shapes import Array
from s4tok.zero_shot.found_names import found_names, same_names
from s4tok.zero_shot.vocabulary import Words

SIZES = np.array([50, 30, 20, 1])


def proposed(names: list[str], categories: list[str | None]) -> Words:
    return Words(tuple(names), np.arange(len(names)), torch.eye(len(names)), categories=tuple(categories))


def near(choices: list[int], count: int) -> Array:
    """Scores of superpoints, each nearest to one word."""
    return np.eye(count, dtype=np.float32)[choices]


def test_things_of_a_room_are_kept_by_the_points_of_their_superpoints_and_few_points_propose_nothing() -> None:
    words = proposed(["wall", "floor", "chair", "lamp"], [None] * 4)
    sizes = np.array([5000, 3000, 2000, 10])
    assert found_names(words, near([2, 0, 2, 3], 4), sizes, 12).tolist() == [2, 0]
    assert found_names(words, near([2, 0, 1, 3], 4), sizes, 2).tolist() == [2, 0]


def test_of_names_that_mean_the_same_the_one_with_more_points_is_kept() -> None:
    words = proposed(["bookcase", "wall", "bookshelf"], [None] * 3)
    vectors = words.vectors.clone()
    vectors[2] = torch.tensor([0.99, 0.0, 0.14])
    words = words._replace(vectors=vectors)
    assert found_names(words, near([2, 1, 0, 0], 3), SIZES, 12).tolist() == [2, 1]
    assert found_names(words, near([0, 1, 2, 1], 3), SIZES, 2).tolist() == [0, 1]


def test_an_object_is_of_the_category_that_most_points_vote_for_and_others_parts_go_to_its_own() -> None:
    words = proposed(["seat", "leg", "top", "leg", "ball"], ["chair", "chair", "table", "table", None])
    scores = np.array(
        [[0.5, 0.1, 0, 0, 0], [0, 0.3, 0, 0.4, 0], [0.2, 0.3, 0, 0, 0.1], [0, 0.2, 0, 0, 0.9]], np.float32
    )
    assert found_names(words, scores, SIZES, 12).tolist() == [1, 0]


def test_an_object_may_be_a_thing_without_parts() -> None:
    words = proposed(["seat", "leg", "ball"], ["chair", "chair", None])
    assert found_names(words, near([2, 0, 2, 1], 3), SIZES, 12).tolist() == [2]


def test_parts_of_one_category_are_chosen_among() -> None:
    words = proposed(["seat", "leg", "back"], ["chair"] * 3)
    assert found_names(words, near([2, 0, 2, 2], 3), SIZES, 12).tolist() == [2, 0]


def test_legs_of_other_things_are_called_legs_too() -> None:
    words = proposed(["seat", "leg", "top", "leg"], ["chair", "chair", "table", "table"])
    assert same_names(words, np.array([1])).tolist() == [1, 3]
