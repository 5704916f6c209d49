from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.config import RunConfig, Speedups
from s4tok_pipelines.report import Outcome
from tests.running import Run

Asked = list[tuple[RunConfig, dict[str, Any]]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Remember what the stage was asked for, and train nothing."""
    calls: Asked = []

    def stage(clouds: Any, cache: Path, config: RunConfig, **more: Any) -> Outcome:
        calls.append((config, {"clouds": clouds, "cache": cache, **more}))
        return Outcome(Path("runs/x"), made=5)

    monkeypatch.setattr("s4tok_pipelines.stages.pretrain.pretrain", stage)
    monkeypatch.setattr("s4tok.vision.weights.probe", lambda name, pretrained: None)
    return calls


def test_without_flags_it_is_the_papers_recipe(s4tok: Run, asked: Asked) -> None:
    assert s4tok("pretrain", "toy-shapes").returncode == 0
    ((config, more),) = asked
    assert config == RunConfig.of("paper")
    assert (more["clouds"].name, more["clouds"].split, len(more["clouds"])) == ("toy-shapes", "train", 2000)
    assert [each.split for each in more["validation"]] == ["val"]


@pytest.mark.parametrize(
    ("flags", "wanted"), [("", (False, False)), ("--compile", (True, False)), ("--tf32", (False, True))]
)
def test_speedups_are_not_of_the_recipe(s4tok: Run, asked: Asked, flags: str, wanted: tuple[bool, bool]) -> None:
    assert s4tok("pretrain", "toy-shapes", *["--preset", "toy"], *flags.split()).returncode == 0
    ((config, more),) = asked
    assert more["speedups"] == Speedups(*wanted)
    assert config == RunConfig.of("toy")


def test_flags_change_the_preset_and_nothing_else(s4tok: Run, asked: Asked) -> None:
    flags = (
        "--preset quick --tokenizer knn+rpn --loss distill --distill-pass full --clusters 8 --epochs 3 --batch 5 "
        "--lr 0.01 --n-points 99 --n-tokens 7 --patch-size 6 --adapter 1,2,3 --seed 4 --limit 9 --window 2.5"
    )
    assert s4tok("pretrain", "--source", "toy-shapes", *flags.split()).returncode == 0
    ((config, more),) = asked
    quick = RunConfig.of("quick")
    assert (config.tokenizer.tokenizer, config.tokenizer.n_points, config.tokenizer.adapter_widths) == (
        "knn+rpn", 99, (1, 2, 3),
    )  # fmt: skip
    assert (config.training.loss, config.training.epochs, config.training.learning_rate) == ("distill", 3, 0.01)
    assert (config.training.seed, config.training.window, config.tokenizer.seed) == (4, 2.5, 0)
    assert config.clusters.n_clusters == 8
    assert (config.clip, config.training.mask_ratio) == (quick.clip, quick.training.mask_ratio)
    assert len(more["clouds"]) == 9


def test_values_come_from_the_environment_and_from_a_file_too(s4tok: Run, asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[pretrain]\npreset = "toy"\nepochs = 7\nlr = 0.5\n')
    flags = ("--config", "my.toml", "--epochs", 9)
    assert s4tok("pretrain", "toy-shapes", *flags, S4TOK_LR="0.25").returncode == 0
    training = asked[0][0].training
    assert (training.epochs, training.learning_rate, training.batch) == (9, 0.25, RunConfig.of("toy").training.batch)


def test_another_split_than_train_is_validated_on_clouds_of_its_own(s4tok: Run, asked: Asked) -> None:
    assert s4tok("pretrain", "toy-shapes", "--split", "all").returncode == 0
    assert not asked[0][1]["validation"]


def test_other_datasets_are_trained_on_together_each_with_its_own_validation(s4tok: Run, asked: Asked) -> None:
    assert s4tok("pretrain", "toy-shapes", "--preset", "toy", "--also", "toy-scans", "--limit", "5").returncode == 0
    more = asked[0][1]
    assert len(more["clouds"]) == 5
    assert [(each.name, each.split, len(each)) for each in more["also"]] == [("toy-scans", "train", 60)]
    assert [(each.name, each.split) for each in more["validation"]] == [("toy-shapes", "val"), ("toy-scans", "val")]


def test_of_another_dataset_the_first_clouds_can_be_taken(s4tok: Run, asked: Asked) -> None:
    assert s4tok("pretrain", "toy-shapes", "--preset", "toy", "--also", "toy-scans:7").returncode == 0
    more = asked[0][1]
    assert [len(each) for each in more["also"]] == [7]
    assert len(more["validation"][1]) > 7
    assert "toy-scans:0" in s4tok("pretrain", "toy-shapes", "--also", "toy-scans:0").stderr


def test_rooms_that_the_objects_stand_in_are_trained_on_too(s4tok: Run, asked: Asked) -> None:
    asked_for = ("--preset", "toy", "--object-rooms", "7", "--window", "2", "--limit", "50", "--also", "toy-scans:3")
    assert s4tok("pretrain", "toy-shapes", *asked_for).returncode == 0
    more = asked[0][1]
    assert [(each.name, each.split, len(each)) for each in more["also"]] == [
        ("toy-scans", "train", 3), ("toy-shapes-rooms", "train", 7),
    ]  # fmt: skip
    assert len(more["also"][1].objects) == 2000  # the same rooms, however few objects are trained on
    assert [(each.name, each.split) for each in more["validation"]] == [
        ("toy-shapes", "val"), ("toy-scans", "val"), ("toy-shapes-rooms", "val"),
    ]  # fmt: skip
    assert "toy-scans is of rooms" in s4tok("pretrain", "toy-scans", "--object-rooms", "7").stderr


def test_positions_context_and_clutter_are_flags(s4tok: Run, asked: Asked) -> None:
    flags = "--pe fixed --pe-scale none --pe-band 0.1,2 --pe-amplitude 1 --attend 4 --mix 0.5 --mix-objects 3"
    assert s4tok("pretrain", "toy-shapes", *flags.split(), "--superpoints", "default").returncode == 0
    config = asked[0][0]
    tokenizer = config.tokenizer
    assert (tokenizer.pe, tokenizer.pe_scale, tokenizer.band, tokenizer.amplitude) == ("fixed", "none", (0.1, 2.0), 1.0)
    assert (config.encoder.attend, config.training.mix, config.training.mix_objects) == (4.0, 0.5, 3)
    assert config.superpoints == "default"


@pytest.mark.parametrize(("words", "kinds"), [("normals, rgb", ("rgb", "normals")), ("rgb", ("rgb",))])
def test_kinds_of_point_features_are_read_in_any_order(
    s4tok: Run, asked: Asked, words: str, kinds: tuple[str, ...]
) -> None:
    assert s4tok("pretrain", "toy-scans", "--point-features", words).returncode == 0
    assert asked[0][0].point_features == kinds


def test_of_several_processes_the_first_alone_prints(s4tok: Run, asked: Asked) -> None:
    for rank in ("1", "0"):
        done = s4tok("pretrain", "toy-shapes", WORLD_SIZE="2", RANK=rank)
        assert (done.returncode, done.stdout) == (0, "" if rank == "1" else "5 steps trained: runs/x\n")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--adapter", "64,128"], "--adapter takes 3 whole numbers joined by commas, and was given '64,128'."),
        (["--pe-band", "9,1"], "--pe-band takes 2 numbers joined by commas, the lower first, and was given '9,1'."),
        (["--tokenizer", "s4tokn"], "no tokenizer is called 's4tokn'"),
        (
            ["--point-features", "rgb,heat"],
            "--point-features takes some of rgb, normals, joined by commas, and was given 'rgb,heat'.",
        ),
        (["--preset", "tiny"], "'tiny' is not one of 'paper', 'toy', 'quick'"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    s4tok: Run, make_clip: Callable[..., Path], tmp_path: Path, flags: list[str], says: str
) -> None:
    done = s4tok("pretrain", "toy-shapes", "--clip", make_clip(tmp_path / "tiny"), "--json", *flags)
    assert done.returncode == 2
    assert says in done.json["error"]


def test_without_caches_it_says_the_commands_that_make_them(
    s4tok: Run, make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    done = s4tok("pretrain", "toy-shapes", "--clip", make_clip(tmp_path / "tiny"), "--json")
    assert done.returncode == 4
    of = "toy-shapes --split train"
    commands = f"s4tok superpoints {of} --preset paper; s4tok render-views {of}; s4tok extract-clip {of}"
    assert commands in done.json["hint"]
    other = s4tok("pretrain", "toy-shapes", "--preset", "toy", "--features", "dinov2-small", "--json")
    assert "has no features by dinov2-small" in other.json["error"]
    few = "toy-shapes --limit 1200 --split train"  # the preset's
    assert f"s4tok extract-features {few} --model dinov2-small" in other.json["hint"]


def test_from_nothing_it_makes_what_it_needs_and_leaves_a_checkpoint(
    s4tok: Run, make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    clip, out = make_clip(tmp_path / "tiny"), tmp_path / "run"
    small = "--limit 3 --n-points 200 --n-tokens 8 --patch-size 8 --adapter 8,16,16 --batch 2 --epochs 1 --clusters 3"
    made = ("--preset", "quick", "--auto", "--clip", clip, "--out", out, "--device", "cpu", "--json")
    done = s4tok("pretrain", "toy-shapes", *made, *small.split())
    said = done.json
    assert (done.returncode, said["made"], said["out"], said["steps"]) == (0, 1, str(out), 1)
    from s4tok.models.checkpoint import load_trained
    from s4tok.vision.frozen_clip import FrozenClip

    assert load_trained(out, FrozenClip.load(str(clip))).card["steps"] == 1
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_stage_two_asks_for_a_run_of_stage_one(s4tok: Run) -> None:
    done = s4tok("pretrain", "toy-scans", "--preset", "sam-stage2-toy", "--limit", 2)
    assert done.returncode == 2
    assert "stage 2 predicts the tokens of a trained encoder, and no run is named" in done.stderr


def test_stage_one_names_the_commands_that_make_regions_of_frames(s4tok: Run) -> None:
    done = s4tok("pretrain", "toy-scans", "--preset", "sam-stage1-toy", "--limit", 2)
    assert done.returncode == 4
    of = "toy-scans --limit 2 --split train --clouds frames"
    wanted = f"s4tok extract-masks {of}; s4tok superpoints {of} --preset masks; s4tok extract-clip {of} --clip mini"
    assert wanted in done.stderr


def test_a_checkpoint_to_begin_with_brings_its_settings_and_options_overrule_them(s4tok: Run, asked: Asked) -> None:
    flags = "--preset toy --checkpoint universal2 --n-points 2048 --epochs 5"
    assert s4tok("pretrain", "toy-shapes", *flags.split()).returncode == 0
    ((config, _),) = asked
    assert (config.checkpoint, config.clip.model, config.training.epochs) == ("universal2", "mini2", 5)
    assert (config.tokenizer.tokenizer, config.tokenizer.n_points) == ("s4token+context", 2048)
    assert config.training.window == 2.0
    wrong = s4tok("pretrain", "toy-shapes", "--checkpoint", "universal3")
    assert wrong.returncode == 2
    assert "no checkpoint is called that" in wrong.stderr


@pytest.mark.parametrize(("flag", "scene"), [("--room", "room"), ("--object", "object"), (None, None)])
def test_own_files_are_taken_for_what_the_user_says(
    s4tok: Run, asked: Asked, tmp_path: Path, flag: str | None, scene: str | None
) -> None:
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).random((50, 3)))
    np.save(tmp_path / "other.npy", np.random.default_rng(1).random((50, 3)))
    flags = [] if flag is None else [flag]
    assert s4tok("pretrain", "scan.npy", "--also", "other.npy", "--preset", "toy", *flags).returncode == 0
    more = asked[0][1]
    assert [each.said.scene for each in (more["clouds"], *more["also"])] == [scene, scene]


def test_what_is_said_of_own_files_is_not_said_of_datasets_beside_them(
    s4tok: Run, asked: Asked, tmp_path: Path
) -> None:
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).random((50, 3)))
    said = ("--room", "--up", "x", "--unit", "cm", "--scale", "2")
    assert s4tok("pretrain", "scan.npy", "--also", "toy-shapes:2", "--preset", "toy", *said).returncode == 0
    own, (made,) = asked[0][1]["clouds"], asked[0][1]["also"]
    assert (own.said.scene, own.said.up, own.said.unit, own.said.scale) == ("room", "x", "cm", 2.0)
    assert (made.scene, made.up, len(made)) == ("object", "y", 2)
    assert s4tok("pretrain", "toy-shapes", "--also", "scan.npy", "--preset", "toy", "--room").returncode == 0
    assert asked[1][1]["also"][0].said.scene == "room"
    refused = s4tok("pretrain", "toy-shapes", "--also", "toy-rooms", "--preset", "toy", "--room")
    assert refused.returncode == 2
    assert "toy-shapes is of objects: --room and --object are for files of your own" in refused.stderr
