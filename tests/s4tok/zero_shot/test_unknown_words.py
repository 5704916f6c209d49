"""Labels a model was never trained on: told where some are known, refused where none is."""

from dataclasses import replace

import pytest

from s4tok.errors import UsageError
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import Prompts, load_prompts
from s4tok.zero_shot.unknown_words import tell_unknown, unknown_words


def test_unknown_words_are_told_each_once_with_one_that_is_spelt_alike(mini_clip: FrozenClip) -> None:
    found = unknown_words(["chair", "xqzvord", "sofa xqzvord", "chairs"], mini_clip, load_prompts("mini"))
    assert found == ("xqzvord", "chairs")
    assert tell_unknown(found, mini_clip) == [
        '"xqzvord" is not a word mini knows',
        '"chairs" is not a word mini knows; nearest: chair',
    ]


def test_labels_of_which_none_is_known_are_refused(mini_clip: FrozenClip) -> None:
    with pytest.raises(UsageError, match="mini knows none of the labels"):
        unknown_words(["xqzvord", "red brimmelz"], mini_clip, load_prompts("mini"))


def test_the_category_of_parts_is_asked_about_and_refuses_nothing(mini_clip: FrozenClip) -> None:
    assert unknown_words(["seat"], mini_clip, load_prompts("mini"), "xqzvord") == ("xqzvord",)


def test_a_label_is_known_by_what_prompts_call_it_and_by_sentences_of_its_own(mini_clip: FrozenClip) -> None:
    prompts = Prompts("own", ("a {}",), names={"xqz": ("xqz", "a chair")}, sentences={"vord": ("a soft sofa",)})
    assert unknown_words(["xqz", "vord"], mini_clip, prompts) == ()


def test_a_model_without_a_list_knows_everything(mini_clip: FrozenClip) -> None:
    assert unknown_words(["xqzvord"], replace(mini_clip, known_words=None), load_prompts("mini")) == ()
