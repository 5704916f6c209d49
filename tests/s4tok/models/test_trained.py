"""What a card says of how clouds are cut for a checkpoint."""

import sys
from dataclasses import asdict, replace

import pytest

from s4tok.config import SuperpointConfig
from s4tok.models.trained import Trained


def test_clouds_are_cut_as_for_its_training_and_others_by_the_same_method() -> None:
    old = SuperpointConfig("cut-pursuit", regularization=0.2, smallest=60)
    trained = Trained.of({"superpoints": {"object": asdict(old)}})
    assert trained.cut_of("object") == old
    assert trained.cut_of("room") == SuperpointConfig.of("room", "cut-pursuit")
    assert Trained().cut_of("room") is None


def test_greedy_merging_stands_in_where_pycut_pursuit_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    old = SuperpointConfig("cut-pursuit", regularization=0.2, smallest=60)
    monkeypatch.setitem(sys.modules, "pycut_pursuit.cp_d0_dist", None)
    trained = Trained(superpoints={"object": old})
    assert trained.cut_of("object") == replace(old, method="greedy")
    assert trained.cut_of("room") == SuperpointConfig.of("room")


def test_superpoints_that_were_handed_over_say_nothing_of_other_clouds() -> None:
    masks = SuperpointConfig("masks")
    assert Trained(superpoints={"room": masks}).cut_of("object") is None
    assert Trained(superpoints={"room": masks}).cut_of("room") == masks


def test_the_default_before_differs_from_todays_by_its_method_alone() -> None:
    for scene in ("object", "room"):
        today = SuperpointConfig.of(scene)
        assert today.method == "greedy"
        assert SuperpointConfig.of(scene, "cut-pursuit") == replace(today, method="cut-pursuit")
        assert SuperpointConfig.of(scene, "paper").method == "cut-pursuit"


def test_a_card_tells_of_which_kind_a_checkpoint_has_seen_none() -> None:
    rooms = Trained.of({"window": 2.0, "superpoints": {"room": {"method": "greedy"}}})
    assert (rooms.has_none_of("object"), rooms.has_none_of("room")) == (True, False)
    assert not any(Trained.of({}).has_none_of(scene) for scene in ("object", "room"))
