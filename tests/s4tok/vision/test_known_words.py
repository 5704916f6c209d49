"""The words a model was trained on: which are known, and which known one an unknown one is like."""

from collections.abc import Callable
from pathlib import Path

import pytest

from s4tok.errors import InputError
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.known_words import FILE, KnownWords, plain


def test_a_phrase_is_known_if_it_is_or_each_of_its_words() -> None:
    known = KnownWords(frozenset(("coffee table", "lamp shade", "chair")))
    assert known.unknown_in("Coffee_Table") == []
    assert known.unknown_in("the shade of a coffee lamp") == []
    assert known.unknown_in("chair with xqzvord and brimmelz") == ["xqzvord", "brimmelz"]


def test_the_word_spelt_most_alike_is_suggested_and_none_where_none_is() -> None:
    known = KnownWords(frozenset(("chair", "curtain", "cushion")))
    assert (known.nearest("chairs"), known.nearest("kurtain"), known.nearest("xqzvord")) == ("chair", "curtain", "")


def test_names_are_compared_in_small_letters_without_hyphens() -> None:
    assert plain("  T-Shirt  on_a ") == "t shirt on a"


def test_a_list_is_written_the_same_each_time_and_read_without_its_notice(tmp_path: Path) -> None:
    known = KnownWords(frozenset(("chair", "soft seat")))
    known.write(tmp_path, "# whose it is\n")
    first = (tmp_path / FILE).read_bytes()
    known.write(tmp_path, "# whose it is\n")
    assert (tmp_path / FILE).read_bytes() == first
    read = KnownWords.beside(tmp_path)
    assert read is not None
    assert read.phrases == known.phrases
    (tmp_path / FILE).write_bytes(first[:-9])
    with pytest.raises(InputError, match="is no list of words"):
        KnownWords.beside(tmp_path)


def test_the_mini_clip_says_what_it_was_trained_on_and_other_models_know_everything(
    mini_clip: FrozenClip, make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    assert mini_clip.known_words is not None
    assert mini_clip.known_words.unknown_in("the brim of a cap") == []
    assert mini_clip.known_words.unknown_in("visor") == ["visor"]
    assert FrozenClip.load(str(make_clip(tmp_path / "tiny"))).known_words is None
