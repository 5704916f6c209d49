import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s4tok.config import RunConfig
from s4tok_cli.app import run
from s4tok_pipelines.report import Outcome

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


def test_without_flags_it_is_the_papers_recipe(asked: Asked) -> None:
    assert run(["pretrain", "toy-shapes"]) == 0
    ((config, more),) = asked
    assert config == RunConfig.of("paper")
    assert (more["clouds"].name, more["clouds"].split, len(more["clouds"])) == ("toy-shapes", "train", 2000)
    assert [each.split for each in more["validation"]] == ["val"]


def test_flags_change_the_preset_and_nothing_else(asked: Asked) -> None:
    flags = (
        "--preset quick --tokenizer knn+rpn --loss distill --distill-pass full --clusters 8 --epochs 3 --batch 5 "
        "--lr 0.01 --n-points 99 --n-tokens 7 --patch-size 6 --adapter 1,2,3 --seed 4 --limit 9 --window 2.5"
    )
    assert run(["pretrain", "--source", "toy-shapes", *flags.split()]) == 0
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


def test_values_come_from_the_environment_and_from_a_file_too(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text('[pretrain]\npreset = "toy"\nepochs = 7\nlr = 0.5\n')
    monkeypatch.setenv("S4TOK_LR", "0.25")
    assert run(["pretrain", "toy-shapes", "--config", str(tmp_path / "my.toml"), "--epochs", "9"]) == 0
    training = asked[0][0].training
    assert (training.epochs, training.learning_rate, training.batch) == (9, 0.25, RunConfig.of("toy").training.batch)


def test_another_split_than_train_is_validated_on_clouds_of_its_own(asked: Asked) -> None:
    assert run(["pretrain", "toy-shapes", "--split", "all"]) == 0
    assert not asked[0][1]["validation"]


def test_other_datasets_are_trained_on_together_each_with_its_own_validation(asked: Asked) -> None:
    assert run(["pretrain", "toy-shapes", "--preset", "toy", "--also", "toy-scans", "--limit", "5"]) == 0
    more = asked[0][1]
    assert len(more["clouds"]) == 5
    assert [(each.name, each.split, len(each)) for each in more["also"]] == [("toy-scans", "train", 60)]
    assert [(each.name, each.split) for each in more["validation"]] == [("toy-shapes", "val"), ("toy-scans", "val")]


def test_positions_context_and_clutter_are_flags(asked: Asked) -> None:
    flags = "--pe fixed --pe-scale none --pe-band 0.1,2 --pe-amplitude 1 --attend 4 --mix 0.5 --mix-objects 3"
    assert run(["pretrain", "toy-shapes", *flags.split(), "--superpoints", "default"]) == 0
    config = asked[0][0]
    tokenizer = config.tokenizer
    assert (tokenizer.pe, tokenizer.pe_scale, tokenizer.band, tokenizer.amplitude) == ("fixed", "none", (0.1, 2.0), 1.0)
    assert (config.encoder.attend, config.training.mix, config.training.mix_objects) == (4.0, 0.5, 3)
    assert config.superpoints == "default"


def test_of_several_processes_the_first_alone_prints(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("1", "0"):
        monkeypatch.setenv("RANK", rank)
        assert run(["pretrain", "toy-shapes"]) == 0
        assert capsys.readouterr().out == ("" if rank == "1" else "5 steps trained: runs/x\n")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--adapter", "64,128"], "--adapter takes three whole numbers, and was given '64,128'."),
        (["--pe-band", "9,1"], "--pe-band takes two positive numbers, the lower first, and was given '9,1'."),
        (["--tokenizer", "s4tokn"], "no tokenizer is called 's4tokn'"),
        (["--preset", "tiny"], "'tiny' is not one of 'paper', 'toy', 'quick'"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], make_clip: Callable[..., Path], tmp_path: Path, flags: list[str], says: str
) -> None:
    clip = make_clip(tmp_path / "tiny")
    code = run(["pretrain", "toy-shapes", "--clip", str(clip), "--cache", str(tmp_path), "--json", *flags])
    assert code == 2
    assert says in json.loads(capsys.readouterr().out)["error"]


def test_without_caches_it_says_the_commands_that_make_them(
    capsys: pytest.CaptureFixture[str], make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "tiny")
    assert run(["pretrain", "toy-shapes", "--clip", str(clip), "--cache", str(tmp_path / "c"), "--json"]) == 4
    hint = json.loads(capsys.readouterr().out)["hint"]
    assert (
        "s4tok superpoints toy-shapes --preset paper; s4tok render-views toy-shapes; s4tok extract-clip toy-shapes"
        in hint
    )


def test_from_nothing_it_makes_what_it_needs_and_leaves_a_student(
    capsys: pytest.CaptureFixture[str], make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    clip, out = make_clip(tmp_path / "tiny"), tmp_path / "run"
    small = "--limit 3 --n-points 200 --n-tokens 8 --patch-size 8 --adapter 8,16,16 --batch 2 --epochs 1 --clusters 3"
    code = run(
        ["pretrain", "toy-shapes", "--preset", "quick", "--auto", "--clip", str(clip), "--cache", str(tmp_path / "c"),
         "--out", str(out), "--device", "cpu", "--json", *small.split()]
    )  # fmt: skip
    said = json.loads(capsys.readouterr().out)
    assert (code, said["made"], said["out"], said["steps"]) == (0, 1, str(out), 1)
    from s4tok.models.checkpoint import load_student
    from s4tok.vision.frozen_clip import FrozenClip

    assert load_student(out, FrozenClip.load(str(clip))).card["steps"] == 1
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
