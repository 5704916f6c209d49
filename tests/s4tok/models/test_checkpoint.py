import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from s4tok.config import SuperpointConfig
from s4tok.errors import InputError, MissingError, UsageError
from s4tok.models.checkpoint import Means, load_trained, read_weights, save_trained
from s4tok.models.model import Model
from s4tok.models.trained import Trained
from s4tok.tokenizers import Tokenizer, build_tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.network import sha256_of_weights


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> FrozenClip:
    return FrozenClip.load(str(make_clip(tmp_path_factory.mktemp("models") / "tiny")))


def trained() -> Tokenizer:
    torch.manual_seed(0)
    tokenizer = build_tokenizer("s4token", width=32, n_tokens=8, patch_size=4, adapter_widths=(4, 8, 8))
    tokenizer(torch.randn(2, 50, 3), torch.zeros(2, 50, dtype=torch.int64))  # moves the running statistics
    return tokenizer


def saved(folder: Path, clip: FrozenClip, **card: Any) -> Path:
    folder.mkdir(parents=True)
    save_trained(folder, trained(), {"clip": {"name": clip.name, "weights": clip.sha256}, "steps": 7, **card})
    return folder


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path: Path, clip: FrozenClip) -> None:
    folder = saved(tmp_path / "one", clip)
    checkpoint = load_trained(folder, clip)
    points, labels = torch.randn(1, 60, 3), torch.arange(60)[None] // 20
    expected = Model(trained(), clip).eval()(points, labels)
    torch.testing.assert_close(checkpoint.model(points, labels).whole, expected.whole)
    assert (checkpoint.card["steps"], checkpoint.name) == (7, str(folder))
    assert not checkpoint.model.training
    assert not any(weight.requires_grad for weight in checkpoint.model.parameters())


def test_means_lie_beside_the_weights_and_are_none_of_them(tmp_path: Path, clip: FrozenClip) -> None:
    means = Means(torch.randn(24), torch.randn(24, dtype=torch.float64))
    (tmp_path / "one").mkdir()
    save_trained(tmp_path / "one", trained(), {"clip": {"name": clip.name, "weights": clip.sha256}}, {"room": means})
    checkpoint = load_trained(tmp_path / "one", clip)
    assert list(checkpoint.means) == ["room"]
    torch.testing.assert_close(checkpoint.means["room"].features, means.features)
    torch.testing.assert_close(checkpoint.means["room"].targets, means.targets.float())
    without = load_trained(saved(tmp_path / "two", clip), clip)
    assert not without.means
    assert checkpoint.model.state_dict().keys() == without.model.state_dict().keys()
    weights, found, *_ = read_weights(tmp_path / "one")
    assert weights.keys() == trained().state_dict().keys()
    assert list(found) == ["room"]


def test_a_head_takes_every_feature_to_the_space_of_the_targets(tmp_path: Path, clip: FrozenClip) -> None:
    head, card = nn.Linear(24, 40, bias=False), {"clip": {"name": clip.name, "weights": clip.sha256}}
    for name, width in (("one", 40), ("two", 24)):
        (tmp_path / name).mkdir()
        means = {"object": Means(torch.randn(width), torch.randn(width))}
        save_trained(tmp_path / name, trained(), card, means, head)
    checkpoint = load_trained(tmp_path / "one", clip)
    points, labels = torch.randn(1, 60, 3), torch.arange(60)[None] // 20
    found, bare = checkpoint.model(points, labels), Model(trained(), clip).eval()(points, labels)
    torch.testing.assert_close(found.whole, head(bare.whole))
    torch.testing.assert_close(found.tokens, head(bare.tokens))
    assert (checkpoint.card["head"], checkpoint.means["object"].targets.shape) == ({"from": 24, "to": 40}, (40,))
    assert not any(weight.requires_grad for weight in checkpoint.model.parameters())
    plain = load_trained(saved(tmp_path / "plain", clip), clip)
    assert plain.model.head is None
    assert checkpoint.sha256 != plain.sha256 == sha256_of_weights(plain.model.tokenizer)
    with pytest.raises(InputError, match="its means have 24 numbers, and its features 40"):
        load_trained(tmp_path / "two", clip)


def test_a_card_tells_how_the_checkpoint_was_trained_and_an_older_one_less(tmp_path: Path, clip: FrozenClip) -> None:
    assert load_trained(saved(tmp_path / "old", clip), clip).trained == Trained()
    assert load_trained(saved(tmp_path / "older", clip, training={"window": 4.0}), clip).trained.window == 4.0
    cut = replace(SuperpointConfig.of("room"), regularization=0.07)
    card = {"window": 3, "training": {"window": 4.0}, "superpoints": {"room": asdict(cut)}}
    found = load_trained(saved(tmp_path / "new", clip, **card, calibration={"share": 0.5}), clip).trained
    assert found == Trained(window=3.0, superpoints={"room": cut}, calibration_share=0.5)
    ready = Trained.of({"superpoints": {"room": {"method": "labels", "labels": "/elsewhere/labels"}}})
    assert ready.superpoints["room"].method == "labels"


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ({"window": -1}, "window is -1, not a number of at least 0"),
        ({"window": "4"}, "window is '4'"),
        ({"window": float("nan")}, "window is nan"),
        ({"superpoints": [1]}, "superpoints is [1], not a table"),
        ({"superpoints": {"tree": {}}}, "superpoints of 'tree'"),
        ({"superpoints": {"room": 3}}, "room is 3, not a table"),
        ({"superpoints": {"room": {"colour": 1}}}, "does not know: colour"),
        ({"calibration": {"share": True}}, "share is True"),
        ({"calibration": 0.5}, "calibration is 0.5, not a table"),
    ],
)
def test_a_malformed_card_is_one_sentence(tmp_path: Path, clip: FrozenClip, card: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match="is no card of a trained tokenizer") as caught:
        load_trained(saved(tmp_path / "one", clip, **card), clip)
    assert says in str(caught.value)


def test_means_of_another_width_are_refused(tmp_path: Path, clip: FrozenClip) -> None:
    (tmp_path / "one").mkdir()
    card = {"clip": {"name": clip.name, "weights": clip.sha256}}
    save_trained(tmp_path / "one", trained(), card, {"object": Means(torch.zeros(5), torch.zeros(5))})
    with pytest.raises(InputError, match="its means have 5 numbers, and its features 24"):
        load_trained(tmp_path / "one", clip)


def test_of_a_run_the_best_checkpoint_is_taken_else_the_last(tmp_path: Path, clip: FrozenClip) -> None:
    saved(tmp_path / "run" / "ckpt" / "last", clip, steps=9)
    assert load_trained(str(tmp_path / "run"), clip).card["steps"] == 9
    saved(tmp_path / "run" / "ckpt" / "best", clip, steps=4)
    assert load_trained(str(tmp_path / "run"), clip).card["steps"] == 4


def test_a_checkpoint_of_another_clip_is_refused_with_both_names(
    tmp_path: Path, clip: FrozenClip, make_clip: Callable[..., Path]
) -> None:
    folder = saved(tmp_path / "one", clip)
    other = FrozenClip.load("ViT-S-32-alt")
    with pytest.raises(UsageError, match=r"trained for the CLIP tiny .*, and this is ViT-S-32-alt") as caught:
        load_trained(folder, other)
    assert "--clip tiny" in caught.value.hint


def test_a_shipped_checkpoint_is_found_by_name_unless_none_came_with_s4tok(
    tmp_path: Path, clip: FrozenClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s4tok.models.checkpoint_files.SHIPPED_FOLDER", tmp_path)
    with pytest.raises(MissingError, match="came without checkpoints"):
        load_trained("knn+rpn", clip)
    saved(tmp_path / "knn+rpn", clip)
    assert load_trained("knn+rpn", clip).name == "knn+rpn"


def test_names_and_folders_that_hold_no_checkpoint_are_answered(tmp_path: Path, clip: FrozenClip) -> None:
    with pytest.raises(UsageError, match="no checkpoint is called that; there are: ball") as caught:
        load_trained("s4tokn", clip)
    assert caught.value.hint == "did you mean 's4token'?"
    with pytest.raises(InputError, match="holds no checkpoint"):
        load_trained(tmp_path, clip)


def lose_half(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def grow(folder: Path) -> None:
    card = json.loads((folder / "config.json").read_text())
    card["tokenizer"]["n_heads"] = 3
    (folder / "config.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lose_half, "safetensors cannot be loaded"),
        (grow, "cannot be loaded: .*n_heads"),
        (lambda folder: (folder / "model.safetensors").unlink(), "cannot be loaded"),
        (lambda folder: (folder / "config.json").write_text("{"), "is no card"),
        (lambda folder: (folder / "config.json").write_text("[]"), "is no card"),
        (lambda folder: (folder / "config.json").write_text('{"clip": {}}'), "is no card"),
    ],
)
def test_damage_is_one_sentence(tmp_path: Path, clip: FrozenClip, damage: Callable[[Path], object], says: str) -> None:
    damage(saved(tmp_path / "one", clip))
    with pytest.raises(InputError, match=says) as caught:
        load_trained(tmp_path / "one", clip)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_from_before_the_files_were_renamed_still_loads(tmp_path: Path, clip: FrozenClip) -> None:
    folder = saved(tmp_path / "one", clip)
    today = load_trained(folder, clip)
    (folder / "model.safetensors").rename(folder / "tokenizer.safetensors")
    (folder / "config.json").rename(folder / "tokenizer.json")
    (folder / "README.md").unlink()
    before = load_trained(folder, clip)
    weights = before.model.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in today.model.state_dict().items())
    assert before.card == today.card


def test_the_page_says_what_was_trained_and_how(tmp_path: Path, clip: FrozenClip) -> None:
    folder = saved(tmp_path / "one", clip, command="s4tok pretrain toy-shapes", steps=3, of=9)
    page = (folder / "README.md").read_text()
    assert page.startswith("---\nlibrary_name: s4tok\n")
    assert "| command | `s4tok pretrain toy-shapes` |" in page
    assert "| steps | 3 of 9 |" in page
