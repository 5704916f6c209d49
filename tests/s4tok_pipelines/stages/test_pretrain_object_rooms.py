"""Training on objects and on rooms that these stand in."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from s4tok.config import VirtualConfig
from s4tok.datasets.object_rooms import ObjectRooms
from s4tok.models.checkpoint import load_trained
from s4tok.models.checkpoint_files import find_checkpoint, read_card
from s4tok.synthetic.datasets import ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache.inspect import stamps_of
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.stages.superpoints import superpoints


def test_rooms_of_objects_are_looked_at_from_inside_and_trained_on_beside_them(
    world: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    rooms = ObjectRooms(ToyShapes(sizes=(5, 0, 0), points=512), points=20_000)
    monkeypatch.setattr("s4tok_pipelines.stages.extract_features.VirtualConfig", lambda: VirtualConfig(1, 2))
    config = world.config(epochs=1, batch=2, window=2.0, windows=3)
    assert not superpoints(rooms, world.cache).failures
    assert not extract_features(rooms, world.cache, config.clip).failures
    (seen,) = stamps_of(root_of(world.cache, rooms).absolute(), "extract-clip")
    assert seen.parameters["virtual"]["around"] == 2
    run = pretrain(world.train, world.cache, config, also=[rooms], out=tmp_path / "run")
    facts = tomllib.loads((run.out / "config.toml").read_text())
    assert facts["also-toy-shapes-rooms"]["clouds"] == 1
    assert read_card(find_checkpoint(str(run.out)))["superpoints"].keys() == {"object", "room"}
    assert "by_scene" not in facts["tokenizer"]  # as in older folders

    told = replace(config, tokenizer=replace(config.tokenizer, by_scene=True))
    run = pretrain(world.train, world.cache, told, also=[rooms], out=tmp_path / "told")
    assert tomllib.loads((run.out / "config.toml").read_text())["tokenizer"]["by_scene"] is True
    assert load_trained(str(run.out), FrozenClip.load(world.clip)).model.tokenizer.adapter.rooms is not None
    longer = replace(told, checkpoint=str(run.out))
    pretrain(world.train, world.cache, longer, out=tmp_path / "longer")  # objects alone: it has met rooms
