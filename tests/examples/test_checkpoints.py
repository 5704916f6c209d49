"""The script that trains what ships: its recipes are commands that exist, and what is done is never done again."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from s4tok.config import SHIPPED_FOLDER, RunConfig
from s4tok.models.checkpoint import load_trained
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cli.app import run
from tests.furniture import wardrobes

SCRIPT = Path(__file__).parents[2] / "examples" / "checkpoints" / "train.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_checkpoints", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_recipe_is_a_command_that_pretrain_takes(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[RunConfig] = []
    for library in ("BlendSwap-CC-0", "KatorLegaz"):
        wardrobes(tmp_path / "data" / "sh3d" / f"{library}.sh3f", "a")
    monkeypatch.chdir(tmp_path)

    def record(clouds: Any, cache: Path, config: RunConfig, **more: Any) -> None:
        asked.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr("s4tok_pipelines.stages.pretrain.pretrain", record)
    rows, questions = script.read_recipes(script.RECIPES)
    begun = "universal-by-scene-wide-7"  # from which another row goes on
    shutil.copytree(SHIPPED_FOLDER / "universal", tmp_path / "runs" / begun)
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert run(["pretrain", row.source, *row.options.format(out="runs", seed=7).split()]) == 130, row.name
        assert set(row.asked) <= questions.keys()
        assert row.minutes > 0
    assert len(asked) == len(rows)
    named = {config.tokenizer.tokenizer for config in asked}
    assert {"s4token", "s4token+context", "knn", "knn+rpn", "ball+rpn"} <= named


def test_a_group_is_trained_and_measured_once_and_told_in_a_table(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def answer(arguments: Sequence[str], log: Path | None) -> str:
        commands.append(list(arguments))
        folder = next(
            Path(each.partition("=")[2]) for each in arguments if each.startswith(("--out=", "--checkpoint="))
        )
        if arguments[0] == "pretrain":
            folder.mkdir(parents=True)
        seed = int(folder.name.rpartition("-")[2])
        return json.dumps({"accuracy": 0.5 + 0.1 * seed, "miou_i": 0.25, "miou": 0.125, "uncalibrated": {"miou": None}})

    monkeypatch.setattr(script, "run", answer)
    given = ["table2", "--rows", "knn", "--seeds", "0", "1", "--out", str(tmp_path)]
    script.main(given)
    said = capsys.readouterr().out
    assert said.startswith("2 checkpoints, about 1.5 hours of one core")
    assert "| knn | 55.0 ± 7.1 | 25.0 ± 0.0 | 12.5 ± 0.0 | - | 12.5 ± 0.0 | - |" in said
    assert [command[0] for command in commands].count("pretrain") == 2
    count = len(commands)
    script.main(given)
    assert len(commands) == count
    script.main([*given, "--split", "test"])  # measured anew, not trained
    assert [command[0] for command in commands[count:]].count("pretrain") == 0
    assert all("--split test" in " ".join(command) for command in commands[count:])


def test_a_row_goes_on_from_the_run_of_another_with_its_seed(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def note(arguments: Sequence[str], log: Path | None) -> str:
        asked.append(" ".join(arguments))
        return "{}"

    monkeypatch.setattr(script, "run", note)
    rows = [script.Row("second", ["ships"], "--checkpoint {out}/first-{seed}", 1, asked=())]
    monkeypatch.setattr(script, "read_recipes", lambda path: (rows, {}))
    (tmp_path / "second-3").mkdir()
    script.main(["ships", "--seeds", "3", "--out", str(tmp_path)])
    assert len(asked) == 1
    assert f"pretrain toy-shapes --checkpoint {tmp_path}/first-3 --seed=3" in asked[0]


def test_groups_are_listed_and_an_unknown_one_is_refused(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    script.main([])
    of = "s4token+context, s4token, ball+rpn, knn+rpn, knn, s4token+context-object-rooms, s4token-scans"
    assert f"table2: {of} (" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        script.main(["table9"])
    assert "'table9' has no such rows; groups: ablation, real, ships, table2" in capsys.readouterr().err


def test_what_is_trained_is_copied_with_what_validation_chose(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("knn-0", "ball+rpn-0"):
        shutil.copytree(SHIPPED_FOLDER / "knn", tmp_path / "runs" / name / "ckpt" / "best")
    (tmp_path / "runs" / "knn-0" / "done").touch()
    card = json.loads((SHIPPED_FOLDER / "knn" / "config.json").read_text("utf-8"))
    card["command"] = f"s4tok pretrain toy-shapes --out={tmp_path / 'runs'}/knn-0"
    (tmp_path / "runs" / "knn-0" / "ckpt" / "best" / "config.json").write_text(json.dumps(card), "utf-8")
    rows = [script.Row(name, ["ships"], "", 1, calibration_share=0.25) for name in ("knn", "ball+rpn")]
    monkeypatch.setattr(script, "read_recipes", lambda path: (rows, {}))
    script.main(["ships", "--out", str(tmp_path / "runs"), "--ship", str(tmp_path / "shipped")])
    assert "ball+rpn: is not trained" in capsys.readouterr().out
    shipped = load_trained(tmp_path / "shipped" / "knn", FrozenClip.load("mini"))
    assert shipped.trained.calibration_share == 0.25
    assert shipped.card["command"] == "s4tok pretrain toy-shapes --out=knn-0"
    before = load_trained("knn", FrozenClip.load("mini"))
    for name, tensor in before.model.tokenizer.state_dict().items():
        torch.testing.assert_close(shipped.model.tokenizer.state_dict()[name], tensor, rtol=0, atol=0)
