import pytest

from s4tok.errors import UsageError, choose

TABLE = {"clip": 1, "dino": 2}


def test_a_name_in_the_table_is_found() -> None:
    assert choose("teacher", "dino", TABLE) == 2


def test_an_unknown_name_is_answered_with_the_names_there_are_and_the_nearest() -> None:
    with pytest.raises(UsageError, match="no teacher is called 'clpi'; there are: clip, dino") as caught:
        choose("teacher", "clpi", TABLE)
    assert caught.value.hint == "did you mean 'clip'?"


def test_a_list_of_failures_has_the_way_out_in_the_same_sentence() -> None:
    assert UsageError("it is empty.", "write something into it.").with_hint == "it is empty; write something into it."
    assert UsageError("it is empty.").with_hint == "it is empty."


def test_a_name_far_from_all_gets_no_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        choose("teacher", "zzzz", TABLE)
    assert caught.value.hint == ""
