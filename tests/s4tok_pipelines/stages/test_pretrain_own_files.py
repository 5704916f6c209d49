"""Training on a user's own files: objects and rooms are told apart, as every command does."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok.errors import UsageError
from s4tok.models.checkpoint_files import find_checkpoint, read_card
from s4tok.synthetic.datasets import ToyShapes
from s4tok_cache import CacheMismatch, CacheMissing
from s4tok_pipelines.inputs.own_clouds import parted
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.stages.superpoints import superpoints
from tests.notes import Notes
from tests.own_files import chairs_and_a_hall


def test_objects_and_rooms_of_a_folder_are_trained_on_each_as_what_they_are(world: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    clouds, notes = open_dataset(chairs_and_a_hall(tmp_path / "mine")), Notes()
    config = world.config(epochs=1, batch=2, window=2.0, windows=3)
    out = pretrain(clouds, tmp_path / "cache", config, out=tmp_path / "run", auto=True, report=notes).out
    card = read_card(find_checkpoint(str(out)))
    assert card["superpoints"].keys() == {"object", "room"}
    assert [note.partition(" (else")[0] for note in notes.said if "taken for" in note] == [
        "a-chair.npy, b-chair.npy: taken for objects", "hall.npy: taken for a room",
    ]  # fmt: skip
    facts = tomllib.loads((out / "config.toml").read_text())
    assert (facts["source"]["clouds"], facts[f"also-{clouds.name}"]["clouds"]) == (1, 1)  # one chair is held out
    assert any("4 clouds" in note for note in notes.said)  # a chair, and three columns of the hall


def test_features_of_a_folder_are_found_whichever_cut_lies_there_for_its_objects_and_rooms(
    world: Any, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    clouds = open_dataset(chairs_and_a_hall(tmp_path / "mine"))
    for part in parted(clouds):  # as segment leaves them, for a checkpoint that was trained with another cut
        superpoints(part, tmp_path / "cache", SuperpointConfig.of(part.scene, "cut-pursuit"))
    config = world.config(epochs=1, batch=2, window=2.0, windows=3)
    out = pretrain(clouds, tmp_path / "cache", config, out=tmp_path / "run", auto=True).out
    cuts = read_card(find_checkpoint(str(out)))["superpoints"]
    assert {scene: cut["method"] for scene, cut in cuts.items()} == {"object": "cut-pursuit", "room": "cut-pursuit"}


def test_the_commands_for_a_file_that_is_new_or_has_changed_are_all_that_it_needs(world: Any, tmp_path: Path) -> None:
    mine, cache = tmp_path / "mine", tmp_path / "cache"
    mine.mkdir()
    shapes = ToyShapes("val")

    def put(name: str, number: int) -> None:
        np.save(mine / f"{name}.npy", shapes[shapes.keys[number]].xyz)

    def train(**options: Any) -> None:
        config = world.config(epochs=1, batch=1)
        pretrain(open_dataset(mine, scene="object"), cache, config, out=tmp_path / "run", overwrite=True, **options)

    for name in "ab":
        put(name, 6)
    train(auto=True)
    stages = ("superpoints", "render-views", "extract-clip")
    wanted = "; ".join(f"s4tok {name} {mine} --split all --object --cache {cache}" for name in stages)
    put("a", 7)
    with pytest.raises(CacheMismatch, match=r"1 of 2 clouds have features in .* made before") as changed:
        train()
    assert f"run `{wanted} --clip" in changed.value.hint
    train(auto=True)
    put("c", 8)
    with pytest.raises(CacheMissing, match="lacks an entry: c") as new:
        train()
    assert new.value.hint == changed.value.hint
    superpoints(open_dataset(mine, scene="object"), cache)
    with pytest.raises(CacheMissing) as cut:
        train()
    assert "superpoints" not in cut.value.hint


def test_both_parts_of_a_folder_beside_another_are_in_the_runs_configuration(world: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    mine = open_dataset(chairs_and_a_hall(tmp_path / "mine"))
    first = open_dataset(tmp_path / "mine" / "a-chair.npy")
    config = world.config(epochs=1, batch=1)
    run = pretrain(first, tmp_path / "cache", config, also=[mine], out=tmp_path / "run", auto=True)
    facts = tomllib.loads((run.out / "config.toml").read_text())
    assert {"source", f"also-{mine.name}", f"also-{mine.name}-room"} <= facts.keys()


def test_columns_of_rooms_are_refused_where_all_clouds_are_objects(world: Any, tmp_path: Path) -> None:
    config = world.config(window=2.0)
    with pytest.raises(UsageError, match="--window 2 cuts rooms into columns, and toy-shapes has objects") as caught:
        pretrain(world.train, world.cache, config)
    assert "--room" not in caught.value.hint
    (tmp_path / "mine").mkdir()
    mine = open_dataset(chairs_and_a_hall(tmp_path / "mine"), scene="object")
    with pytest.raises(UsageError, match="--window 2 cuts rooms into columns") as caught:
        pretrain(mine, tmp_path / "cache", config, auto=True)
    assert "--room" in caught.value.hint
