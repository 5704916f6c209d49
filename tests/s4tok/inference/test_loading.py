import json
from pathlib import Path

import numpy as np
import pytest
import torch

import s4tok
from s4tok.config import DEFAULT_CHECKPOINT, Scene, SuperpointConfig
from s4tok.errors import InputError, MissingError, UsageError
from s4tok.inference.loading import Checkpoint
from s4tok.models.checkpoint import TrainedModel, load_trained, save_trained
from s4tok.models.trained import Trained
from s4tok.tokenizers import build_tokenizer


def test_checkpoints_that_come_with_s4tok_are_listed_and_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = s4tok.list_checkpoints()
    assert {DEFAULT_CHECKPOINT, "knn", "s4token"} <= set(names)
    assert names == sorted(names)
    loaded = s4tok.load("s4token-scans", device="cpu")
    assert (loaded.name, loaded.texts.name, loaded.prompts.name) == ("s4token-scans", "mini", "mini")
    assert s4tok.load(device="cpu").name == DEFAULT_CHECKPOINT
    monkeypatch.setattr("s4tok.models.checkpoint_files.SHIPPED_FOLDER", Path("nowhere"))
    assert s4tok.list_checkpoints() == []


def test_a_name_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint is called that; there are: ball"):
        s4tok.load("s4tokn")
    with pytest.raises(InputError, match="holds no checkpoint"):
        s4tok.load(tmp_path)
    with pytest.raises(UsageError, match="no device is called 'gpu'"):
        s4tok.load(device="gpu")


def test_what_is_saved_is_what_was_loaded_with_a_card_for_a_hub(tmp_path: Path) -> None:
    loaded = s4tok.load("s4token", device="cpu")
    loaded.save_pretrained(tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [
        "README.md", "config.json", "model.safetensors",
    ]  # fmt: skip
    again = s4tok.load(tmp_path / "a" / "b", device="cpu")
    assert again.trained_model.sha256 == loaded.trained_model.sha256
    assert json.loads((tmp_path / "a" / "b" / "config.json").read_text()) == dict(loaded.trained_model.card)
    points = torch.rand(500, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(s4tok.embed(points, again).points, s4tok.embed(points, loaded).points, rtol=0, atol=0)


def test_a_checkpoint_that_tells_rooms_from_objects_encodes_each_as_what_it_is(
    checkpoint: TrainedModel, tmp_path: Path
) -> None:
    clip = checkpoint.model.clip
    assert clip is not None
    torch.manual_seed(0)
    told = build_tokenizer(
        width=32, n_points=256, n_tokens=16, patch_size=4, adapter_widths=(4, 8, 8), by_scene=True
    ).eval()
    assert told.adapter.rooms is not None
    torch.nn.init.normal_(told.adapter.rooms[2].get_parameter("shift"))
    save_trained(tmp_path, told, {"clip": {"name": clip.name, "weights": clip.sha256}})
    loaded = Checkpoint(load_trained(tmp_path, clip))
    points = torch.rand(600, 3, generator=torch.Generator().manual_seed(0))
    scenes: tuple[Scene, ...] = ("object", "room")
    found = {scene: s4tok.embed(points, loaded, scene=scene, up="y", unit="m") for scene in scenes}
    torch.nn.init.zeros_(told.adapter.rooms[2].get_parameter("shift"))
    save_trained(tmp_path, told, {"clip": {"name": clip.name, "weights": clip.sha256}})
    alike = Checkpoint(load_trained(tmp_path, clip))
    for scene, is_same in zip(scenes, (True, False), strict=True):
        again = s4tok.embed(points, alike, scene=scene, up="y", unit="m")
        assert np.allclose(again.whole, found[scene].whole) == is_same
        assert np.allclose(again.tokens, found[scene].tokens) == is_same


def test_a_cut_that_only_its_owner_can_make_is_replaced_by_the_usual(checkpoint: TrainedModel) -> None:
    grid = SuperpointConfig(method="grid")
    trained = Trained(superpoints={"object": grid, "room": SuperpointConfig(method="scannet-segments")})
    loaded = Checkpoint(checkpoint._replace(trained=trained))
    assert loaded.superpoints_of("object") == grid
    assert loaded.superpoints_of("room") == SuperpointConfig.of("room")
    assert Checkpoint(checkpoint).superpoints_of("room") == SuperpointConfig.of("room")


def kept_by_the_hub(cache: Path, files: dict[str, bytes]) -> None:
    """Leave a repository as the hub's own client does once it has fetched it."""
    repository, commit = cache / "models--owner--name", "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit).mkdir(parents=True)
    for name, content in files.items():
        (repository / "snapshots" / commit / name).write_bytes(content)


def test_a_checkpoint_of_a_hub_is_loaded_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("s4tok.vision.hub.reachable", lambda: False)
    s4tok.load("s4token", device="cpu").save_pretrained(tmp_path / "mine")
    kept_by_the_hub(tmp_path / "hub", {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()})
    loaded = s4tok.load("hf-hub:owner/name", device="cpu")
    assert (loaded.name, loaded.trained_model.sha256) == (
        "hf-hub:owner/name",
        s4tok.load("s4token").trained_model.sha256,
    )


def test_a_hub_out_of_reach_a_repository_of_something_else_and_no_address_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("s4tok.vision.hub.reachable", lambda: False)
    with pytest.raises(MissingError, match="hf-hub:owner/name is not on this machine, and cannot") as caught:
        s4tok.load("hf-hub:owner/name")
    assert "s4tok.load('hf-hub:owner/name')" in caught.value.hint
    with pytest.raises(UsageError, match="hf-hub:name is no address on a hub"):
        s4tok.load("hf-hub:name")
    monkeypatch.setattr("s4tok.vision.hub.reachable", lambda: True)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tmp_path))
    with pytest.raises(InputError, match=r"hf-hub:owner/name holds no trained tokenizer: no config\.json"):
        s4tok.load("hf-hub:owner/name")


def test_a_card_whose_clip_has_no_name_of_its_own_asks_for_its_folder(tmp_path: Path) -> None:
    s4tok.load("knn", device="cpu").save_pretrained(tmp_path / "mine")
    card = json.loads((tmp_path / "mine" / "config.json").read_text())
    card["clip"]["name"] = "tiny"
    (tmp_path / "mine" / "config.json").write_text(json.dumps(card))
    with pytest.raises(UsageError, match="trained for a CLIP called tiny, which is not found") as found:
        s4tok.load(tmp_path / "mine", device="cpu")
    assert "--clip" in found.value.hint
