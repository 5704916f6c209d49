import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from s4tok.config import SuperpointConfig
from s4tok.errors import InputError, UsageError
from s4tok.models.checkpoint import load_trained
from s4tok.synthetic.datasets import ToyShapes
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Stamp
from s4tok_pipelines.layouts import CLIP_FEATURES
from s4tok_pipelines.report import Item, Report
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.stamps import superpoints_stamp
from s4tok_pipelines.training.run_folder import read_metrics
from tests.octants import cut_into_octants

Tree = dict[str, bytes]


class Killed(Exception):
    """The end of a run, as abrupt as in a process it can be."""


class Dies(Report):
    """A run that is ended after so many steps without a chance to save anything."""

    def __init__(self, after: int) -> None:
        self.after = after

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items):
            if text == "Training" and number == self.after:
                raise Killed
            yield item


class Said(Report):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def weights(run: Path) -> Tree:
    return {path.name: path.read_bytes() for path in sorted((run / "ckpt" / "last").glob("*.safetensors"))}


def rows(run: Path) -> list[dict[str, Any]]:
    return read_metrics(run / "metrics.jsonl")


@pytest.fixture(scope="module")
def whole(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never stopped."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    pretrain(world.train, world.cache, world.config(), validation=[world.val], out=out)
    return out


def test_a_run_leaves_all_that_its_page_promises(world: Any, whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {
        "config.toml", "environment.json", "metrics.jsonl", "log.txt", "curves.png", "ckpt",
    }  # fmt: skip
    kinds = [row["kind"] for row in rows(whole)]
    assert kinds == ["validation", *["step"] * 5, "validation", *["step"] * 5, "validation"]
    losses = [row["local"] + row["global"] for row in rows(whole) if row["kind"] == "validation"]
    assert losses[-1] < losses[0]
    checkpoint = load_trained(whole, FrozenClip.load(world.clip))
    assert checkpoint.card["steps"] == 5 * min((1, 2), key=lambda epoch: losses[epoch])
    assert checkpoint.card["caches"][0].startswith("extract-clip-")
    assert "patches hold" in (whole / "log.txt").read_text()


def test_a_run_on_every_device_lowers_its_loss_and_loads_on_the_cpu(device: str, world: Any, tmp_path: Path) -> None:
    pretrain(world.train, world.cache, world.config(), validation=[world.val], out=tmp_path / "run", device=device)
    losses = [row["local"] + row["global"] for row in rows(tmp_path / "run") if row["kind"] == "validation"]
    assert losses[-1] < losses[0]
    assert load_trained(tmp_path / "run", FrozenClip.load(world.clip)).card["steps"] > 0


@pytest.mark.parametrize("after", [2, 7])
def test_a_run_that_died_ends_with_the_bits_of_one_that_did_not(
    world: Any, whole: Path, tmp_path: Path, after: int
) -> None:
    out = tmp_path / "run"
    with pytest.raises(Killed):
        pretrain(world.train, world.cache, world.config(), validation=[world.val], out=out, report=Dies(after))
    assert len(rows(out)) > after
    again = pretrain(world.train, world.cache, world.config(), validation=[world.val], out=out, resume=True)
    assert again.present == (after // 5) * 5
    assert weights(out) == weights(whole)
    assert rows(out) == rows(whole)


def test_a_run_saves_between_epochs_too_and_goes_on_from_there(world: Any, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(Killed):
        pretrain(
            world.train, world.cache, world.config(), validation=[world.val], out=out, save_every=0.0, report=Dies(3)
        )
    again = pretrain(world.train, world.cache, world.config(), validation=[world.val], out=out, resume=True)
    assert again.present == 3
    assert weights(out) == weights(whole)


def test_a_finished_run_is_not_trained_further(world: Any, whole: Path) -> None:
    before = weights(whole)
    again = pretrain(world.train, world.cache, world.config(), validation=[world.val], out=whole, resume=True)
    assert (again.made, again.present) == (0, 10)
    assert weights(whole) == before


def test_a_folder_of_another_run_is_refused_with_what_differs(world: Any, whole: Path) -> None:
    other = world.config(learning_rate=1e-3, loss="distill")
    with pytest.raises(UsageError, match=r"training.learning_rate 0.003, not 0.001; training.loss total, not distill"):
        pretrain(world.train, world.cache, other, validation=[world.val], out=whole, resume=True)
    with pytest.raises(UsageError, match="already holds a run with this configuration") as caught:
        pretrain(world.train, world.cache, world.config(), validation=[world.val], out=whole)
    assert "--resume" in caught.value.hint


def test_a_folder_that_is_no_run_is_not_written_into(world: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="is not empty, and no run"):
        pretrain(world.train, world.cache, world.config(), out=tmp_path, overwrite=True)


def test_without_a_split_to_validate_on_some_clouds_are_held_out(world: Any, tmp_path: Path) -> None:
    said = Said()
    config = world.config(held_out=0.3, epochs=1)
    pretrain(world.train, world.cache, config, out=tmp_path / "run", report=said)
    (line,) = (note for note in said.notes if "steps of" in note)
    n_train, n_held = int(line.split(": ")[1].split()[0]), int(line.split()[-1])
    assert n_train + n_held == 22
    assert 2 <= n_held <= 12


def test_features_that_are_missing_are_asked_for_by_command(
    world: Any, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    none = tmp_path / "none"
    with pytest.raises(CacheMissing) as caught:
        pretrain(world.train, none, world.config())
    names = ("superpoints", "render-views", "extract-clip")
    stages = (f"s4tok {stage} toy-shapes --split train --cache {none}" for stage in names)
    assert caught.value.hint == f"run `{'; '.join(stages)} --clip {world.clip}`, or pass --auto."
    config = world.config()
    other = replace(config, clip=replace(config.clip, model="ViT-S-32-alt", pretrained=""))
    with pytest.raises(CacheMissing, match="no features by ViT-S-32-alt; there are some by tiny"):
        pretrain(world.train, world.cache, other)


def test_auto_makes_what_is_missing_with_superpoints_that_are_there_or_the_presets(world: Any, tmp_path: Path) -> None:
    few, config = ToyShapes("train", sizes=(4, 0, 0), points=300), world.config(epochs=1)
    mine = Stamp("superpoints", {"method": "labels", "labels": "/mine"})
    cut_into_octants(few, tmp_path / "mine", stamp=mine)
    for cache, cut in ((tmp_path / "mine", mine), (tmp_path / "none", superpoints_stamp(SuperpointConfig()))):
        done = pretrain(few, cache, config, out=cache / "run", auto=True)
        assert done.made == 1
        features = CacheReader.find(cache / "toy-shapes" / "train", CLIP_FEATURES, "extract-clip")
        assert features.stamp.upstream[0].sha256 == cut.sha256


def test_superpoints_that_were_asked_for_are_made_or_asked_for_by_command_whatever_lies_there(
    world: Any, tmp_path: Path
) -> None:
    few, config = ToyShapes("train", sizes=(4, 0, 0), points=300), world.config(epochs=1)
    before = superpoints_stamp(SuperpointConfig.of("object", "cut-pursuit"))
    for stamp in (Stamp("superpoints", {"method": "labels", "labels": "/mine"}), before):
        cache = tmp_path / str(stamp.parameters["method"])
        cut_into_octants(few, cache, stamp=stamp)
        pretrain(few, cache, config, out=cache / "other", auto=True)
        asked = replace(config, superpoints_asked=True)
        with pytest.raises(CacheMismatch, match=r"none of the superpoints that were asked for; .* cut with") as caught:
            pretrain(few, cache, asked, out=cache / "run")
        of = f"toy-shapes --split train --cache {cache}"
        commands = f"superpoints {of}; s4tok extract-clip {of} --clip {world.clip}"
        assert f"{commands} --superpoints default`" in caught.value.hint
        said = Said()
        assert pretrain(few, cache, asked, out=cache / "run", auto=True, report=said).made == 1
        assert not any("cut otherwise" in note for note in said.notes)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_state_before(world: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(
        InputError, match=r"step \d+ gave a loss of .* \(train-.*, \.\.\.\) are in .*not-finite"
    ) as caught:
        pretrain(world.train, world.cache, world.config(learning_rate=1e30, epochs=9), validation=[world.val], out=out)
    assert "--lr" in caught.value.hint
    facts = json.loads((out / "not-finite" / "batch.json").read_text())
    assert len(facts["keys"]) == 4
    saved = json.loads((out / "not-finite" / "last" / "training.json").read_text())
    assert saved["step"] == facts["step"] - 1


def test_each_loss_alone_trains_and_needs_no_more_than_it_says(world: Any, tmp_path: Path) -> None:
    for name, training in {
        "assign": {"loss": "assign"},
        "full": {"loss": "distill", "distill_pass": "full"},
        "both": {"distill_pass": "both"},
    }.items():
        pretrain(world.train, world.cache, world.config(epochs=1, **training), out=tmp_path / name)
        last = rows(tmp_path / name)[-1]
        assert name != "assign" or (tmp_path / name / "ckpt" / "best").resolve().name == "step-00000005"
        assert (last["assign"] > 0) == (name != "full")
        assert (last["local"] > 0) == (name != "assign")


def test_rooms_are_told_from_objects_only_where_there_are_both(world: Any, tmp_path: Path) -> None:
    told = replace(world.config(epochs=1), tokenizer=replace(world.config().tokenizer, by_scene=True))
    with pytest.raises(UsageError, match="is not told rooms from objects"):
        pretrain(world.train, world.cache, replace(told, objective="region_distillation"), out=tmp_path / "regions")
    with pytest.raises(UsageError, match="all clouds here are objects") as alone:
        pretrain(world.train, world.cache, told, also=[world.val], out=tmp_path / "alone")
    assert "--also toy-scans" in alone.value.hint
    assert not (tmp_path / "alone").exists()


def test_two_datasets_in_one_run_are_told_apart_in_its_configuration_and_resume_together(
    world: Any, tmp_path: Path
) -> None:
    config = world.config(mix=0.5, epochs=1)
    first = pretrain(world.train, world.cache, config, also=[world.val], out=tmp_path / "run")
    said = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (said["source"]["split"], said["also-toy-shapes"]["split"]) == ("train", "val")
    assert first.made == (22 - 1 + 4 - 1) // 4  # one cloud of each is held out
    again = pretrain(world.train, world.cache, config, also=[world.val], out=tmp_path / "run", resume=True)
    assert (again.made, again.present) == (0, first.made)
    with pytest.raises(UsageError, match=r"also-toy-shapes\.clouds 3, which is not asked for"):
        pretrain(world.train, world.cache, config, out=tmp_path / "run", resume=True)
    checkpoint = load_trained(tmp_path / "run", FrozenClip.load(world.clip))
    assert list(checkpoint.means) == ["object"]
