"""Words of the built-in vocabulary, as far as a CLIP knows them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from s4tok.errors import UsageError
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.known_words import KnownWords
from s4tok.zero_shot.open_words import candidate_words, candidates, is_auto, with_background
from s4tok.zero_shot.prompts import load_prompts
from s4tok.zero_shot.vocabulary import Words, label_vectors

MINI = load_prompts("mini")


def test_rooms_have_things_and_objects_have_parts_that_the_clip_knows(mini_clip: FrozenClip) -> None:
    rooms = candidates(mini_clip, MINI, "room")
    assert {("wall", None), ("chair", None), ("window", None)} <= set(rooms)
    assert "bathtub" not in {each.name for each in rooms}
    objects = candidates(mini_clip, MINI, "object")
    assert {("leg", "chair"), ("leg", "table"), ("blade", "knife")} <= set(objects)
    assert "bicycle" not in {each.category for each in objects}
    everything = candidates(replace(mini_clip, known_words=None), MINI, "object")
    assert {("wheel", "bicycle"), ("dog", None)} <= set(everything)


def test_a_category_has_its_own_parts_and_one_without_a_list_any(mini_clip: FrozenClip) -> None:
    assert [each.name for each in candidates(mini_clip, MINI, "object", "chair")] == ["seat", "back", "leg", "armrest"]
    anything = replace(mini_clip, known_words=None)
    assert {"leg", "wheel", "blade"} <= {each.name for each in candidates(anything, MINI, "object", "robot")}


def test_another_name_of_a_label_is_not_proposed_beside_it(mini_clip: FrozenClip) -> None:
    prompts = MINI.also_called({"bookcase": ["bookshelf"]})
    names = {each.name for each in candidates(mini_clip, prompts, "room")}
    assert "bookcase" in names
    assert "bookshelf" not in names


def test_parts_have_the_vectors_of_parts_in_the_order_of_the_names(mini_clip: FrozenClip) -> None:
    words = candidate_words(mini_clip, MINI, "object")
    assert words.categories is not None
    row = next(
        row for row, each in enumerate(zip(words.names, words.categories, strict=True)) if each == ("leg", "chair")
    )
    wanted = label_vectors(["leg"], mini_clip, MINI, category="chair")
    torch.testing.assert_close(words.vectors[row], wanted[0])


def test_things_of_rooms_are_those_that_were_learned_or_mean_the_same(mini_clip: FrozenClip) -> None:
    learned = ("wall", "sofa", "xqzvord")
    found = candidate_words(mini_clip, MINI, "room", learned=learned)
    assert {"wall", "sofa"} <= set(found.names)
    assert len(found.names) < 8
    near = label_vectors(learned, mini_clip, MINI, scene="room") @ found.vectors.T
    assert float(near.amax(dim=0).min()) >= 0.9
    assert len(found.vectors) == len(found.names) == len(found.categories or ())
    everything = candidate_words(mini_clip, MINI, "room")
    assert candidate_words(mini_clip, MINI, "room", learned=["keyhole"]).names == everything.names  # near none of them
    assert "leg" in candidate_words(mini_clip, MINI, "object", learned=learned).names


def test_a_background_means_none_of_the_labels(mini_clip: FrozenClip) -> None:
    names = ("wall", "chair")
    words = Words(names, np.arange(2), label_vectors(names, mini_clip, MINI, scene="room"))
    found = with_background(words, mini_clip, MINI, "room")
    assert found.names == names
    assert len(found.vectors) > 10
    torch.testing.assert_close(found.vectors[:2], words.vectors)
    assert float((found.vectors[2:] @ words.vectors.T).max()) < 0.9


def test_a_clip_that_knows_none_of_them_is_refused(mini_clip: FrozenClip) -> None:
    strange = replace(mini_clip, known_words=KnownWords(frozenset(("xqz",))))
    with pytest.raises(UsageError, match="knows no word of the built-in vocabulary"):
        candidate_words(strange, MINI, "room")


def test_auto_is_the_only_label() -> None:
    assert is_auto(["auto"])
    assert not is_auto(["auto", "wall"])
    assert not is_auto([])
