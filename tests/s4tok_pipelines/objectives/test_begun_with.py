from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from s4tok.config import RunConfig, SuperpointConfig
from s4tok.errors import UsageError
from s4tok.models.checkpoint import read_weights
from s4tok.models.checkpoint_files import read_card
from s4tok.models.trained import begun_from, labels_learned_by, learned_since, room_words_learned_by
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.run_folder import read_metrics


@pytest.fixture(scope="module")
def first(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train for two epochs, with a head."""
    out: Path = tmp_path_factory.mktemp("first") / "run"
    config = world.config(loss="distill", distill_pass="full", head="linear", epochs=2)
    pretrain(world.train, world.cache, config, out=out)
    return out


def begun(world: Any, first: Path, **training: Any) -> RunConfig:
    """Give the recipe that begins with the run."""
    recipe = begun_from(world.config(loss="distill", distill_pass="full", **training), read_card(first / "ckpt/best"))
    recipe = replace(recipe, superpoints_asked=False)  # octants, which are of no preset
    return replace(recipe, checkpoint=str(first), clip=world.config().clip)


def test_training_goes_on_from_the_weights_head_and_means_of_a_checkpoint(
    world: Any, first: Path, tmp_path: Path
) -> None:
    config = begun(world, first, learning_rate=1e-12, smallest_rate=1e-12, epochs=1)
    assert config.training.head == "linear"
    assert config.tokenizer == world.config().tokenizer
    pretrain(world.train, world.cache, config, out=tmp_path / "run")
    one, other = (read_weights(run / "ckpt" / "best") for run in (first, tmp_path / "run"))
    for name, tensor in one.tokenizer.items():
        if "norm" not in name:  # statistics of batches go on
            torch.testing.assert_close(other.tokenizer[name], tensor, atol=1e-6, rtol=1e-6)
    assert one.head is not None
    assert other.head is not None
    torch.testing.assert_close(other.head.weight, one.head.weight, atol=1e-6, rtol=1e-6)
    mine, theirs = other.means["object"].targets, one.means["object"].targets
    assert 0 < (mine - theirs).norm() < 0.2 * theirs.norm()
    last, then = ([row for row in read_metrics(run / "metrics.jsonl") if row["kind"] == "validation"][-1]
                  for run in (first, tmp_path / "run"))  # fmt: skip
    assert then["local"] == pytest.approx(last["local"], abs=0.05)
    card = read_card(tmp_path / "run" / "ckpt" / "best")
    assert card["begun_with"]["name"] == str(first)
    pretrain(world.train, world.cache, config, out=tmp_path / "run", resume=True)  # it is done


def test_a_checkpoint_of_another_form_is_refused(world: Any, first: Path, tmp_path: Path) -> None:
    config = begun(world, first, epochs=1)
    wider = replace(config, tokenizer=replace(config.tokenizer, adapter_widths=(9, 16, 16)))
    with pytest.raises(UsageError, match=r"of another form than the recipe.s: Error.* adapter\.point\.weight"):
        pretrain(world.train, world.cache, wider, out=tmp_path / "run")
    headless = replace(config, training=replace(config.training, head="none"))
    with pytest.raises(UsageError, match="one of them has a head"):
        pretrain(world.train, world.cache, headless, out=tmp_path / "run")
    other = replace(config, objective="region_distillation")
    with pytest.raises(UsageError, match="begins with no checkpoint"):
        pretrain(world.train, world.cache, other, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_settings_of_a_card_overrule_a_recipe() -> None:
    card = {
        "tokenizer": {"tokenizer": "s4token+context", "n_points": 500, "adapter_widths": [1, 2, 3]},
        "clip": {"name": "mini2", "weights": "a"},
        "vision_model": {"model": "dinov2", "weights": "b"},
        "encoder": {"attend": 3.0},
        "point_features": {"kinds": ["rgb"]},
        "training": {"train": "tokenizer,head"},  # a fine-tuned one, which says nothing of the layer behind it
        "head": {"from": 24, "to": 24},
        "window": 2.0,
    }
    found = begun_from(RunConfig.of("toy"), card)
    assert (found.tokenizer.pe, found.tokenizer.n_points, found.tokenizer.adapter_widths) == ("fixed", 500, (1, 2, 3))
    assert (found.clip.model, found.features, found.encoder.attend) == ("mini2", "dinov2", 3.0)
    assert (found.point_features, found.training.window, found.training.head) == (("rgb",), 2.0, "linear")
    assert found.training.epochs == RunConfig.of("toy").training.epochs
    cut = vars(SuperpointConfig.of("room", "cut-pursuit"))
    as_there = begun_from(RunConfig.of("toy"), {**card, "superpoints": {"room": cut}})
    assert (as_there.superpoints, as_there.superpoints_asked) == ("cut-pursuit", True)
    # Of these the card says nothing.
    assert (found.superpoints, found.superpoints_asked) == (RunConfig.of("toy").superpoints, False)
    by_clip = {**card, "vision_model": {"model": "mini2", "weights": "a"}}
    assert begun_from(RunConfig.of("toy"), by_clip).features is None
    with pytest.raises(UsageError, match="a plain transformer"):
        begun_from(RunConfig.of("toy"), {"backbone": {}, "tokenizer": {}})
    assert begun_from(RunConfig.of("toy"), {**card, "head": None}).training.head == "linear"
    del card["head"]
    assert begun_from(RunConfig.of("toy"), card).training.head == "none"


def test_superpoints_of_no_preset_have_to_be_named() -> None:
    own = vars(replace(SuperpointConfig.of("room"), neighbors=3))
    card = {"tokenizer": {}, "clip": {"name": "mini2", "weights": "a"}, "superpoints": {"room": own}}
    with pytest.raises(UsageError, match="none of the presets") as told:
        begun_from(RunConfig.of("toy"), card)
    assert "--superpoints default or cut-pursuit or paper or masks" in told.value.hint
    assert begun_from(RunConfig.of("toy"), card, "paper").superpoints == "paper"


def test_labels_that_a_tokenizer_has_learned_are_those_of_its_card_and_of_its_head() -> None:
    card = {"learned_labels": {"rooms": ["wall"]}, "labels": {"classes": ["seat"]}, "dataset": {"name": "chairs"}}
    assert labels_learned_by(card) == {"rooms": ["wall"], "chairs": ["seat"]}
    assert labels_learned_by({**card, "training": {"train": "head"}}) == {"rooms": ["wall"]}
    assert labels_learned_by({}) == {}


def test_what_was_learned_before_stays_said_and_words_of_rooms_apart() -> None:
    older = {"learned_labels": {"homes": ["wall", "rug"]}}  # from before words of rooms had a list of their own
    assert room_words_learned_by(older) == ["wall", "rug"]
    again = learned_since(older, {"homes": ["wall", "bed"]}, ["wall", "bed"])
    assert again == {"learned_labels": {"homes": ["wall", "rug", "bed"]}, "learned_room_words": ["wall", "rug", "bed"]}
    parts = learned_since(again, {"chairs": ["seat"]})
    assert parts["learned_labels"] == {"homes": ["wall", "rug", "bed"], "chairs": ["seat"]}
    assert room_words_learned_by(parts) == ["wall", "rug", "bed"]
    assert room_words_learned_by(learned_since({}, {"chairs": ["seat"]})) == []
    by_a_head = {"labels": {"classes": ["wall"]}, "dataset": {"name": "rooms"}}
    assert room_words_learned_by(by_a_head) == room_words_learned_by(learned_since(by_a_head, {})) == []
    assert learned_since({}, {}) == {}
