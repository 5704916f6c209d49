"""Studies: their runs are commands that exist, each comes after those that it begins with, and is made once."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from s4tok_cli.app import run

STUDIES = Path(__file__).parents[2] / "examples" / "studies"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("study", STUDIES / "study.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_run_is_a_command_and_what_it_needs_is_a_run(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    asked = list[str]()

    def recorded(name: str) -> Callable[..., None]:
        def stop(*given: Any, **more: Any) -> None:
            asked.append(name)
            raise KeyboardInterrupt

        return stop

    for stage in ("pretrain", "finetune"):
        monkeypatch.setattr(f"s4tok_pipelines.stages.{stage}.{stage}", recorded(stage))
    monkeypatch.setattr("s4tok.models.checkpoint_files.find_checkpoint", Path)
    study = script.Study.read(path)
    assert len({each.name for each in study.runs}) == len(study.runs)
    assert sorted(each.name for each in study.ordered([])) == sorted(each.name for each in study.runs)  # all are needed
    for each in study.runs:
        words = each.command.format(**dict.fromkeys(each.needs, "folder")).split()
        assert run(words) == 130, each.name
        assert asked[-1] == words[0]
        assert each.minutes > 0


def test_what_a_row_needs_comes_before_it_and_nothing_is_done_twice(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = list[str]()

    def answer(words: str, *more: object, log: Path) -> str:
        commands.append(words)
        return json.dumps({"miou": 0.25 if "plain-0" in words else 0.35, "macc": 0.5, "other": 1})

    (tmp_path / "stage1-region-paper-0").mkdir()
    rows = [{"kind": "validation", "total": 2.0}, {"kind": "step"}, {"kind": "validation", "total": 1.0}]
    (tmp_path / "stage1-region-paper-0" / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setattr(script, "s4tok", answer)
    asked = ["sam-ablation", "--rows", "plain", "all", "--seeds", "0", "1", "--out", str(tmp_path)]
    script.main(asked)
    first = [words.split()[0] for words in commands[:6]]
    assert first == ["finetune", "segment", "pretrain", "pretrain", "finetune", "segment"]
    assert f"--teacher {tmp_path}/stage1-region-paper-0" in commands[3]
    assert f"--checkpoint {tmp_path}/stage2-region-paper-0" in commands[4]
    assert len(commands) == 12
    script.main(asked)
    assert len(commands) == 12
    found = json.loads((tmp_path / "sam-ablation-test.json").read_text())
    assert found["validations"] == {"stage1-region-paper-0": rows[2]}
    plain = next(row for row in found["rows"] if row["name"] == "plain")
    assert plain["seeds"] == {
        seed: {"miou": value, "macc": 0.5, "rare_miou": None, "accuracy": None, "ap25": None, "ap50": None}
        for seed, value in (("0", 0.25), ("1", 0.35))
    }
    assert (plain["mean"]["miou"], plain["paper"]["miou"]) == (pytest.approx(0.3), 61.1)
    assert "| Plain transformer | 30.0 ± 7.1 | 50.0 ± 0.0 | - | - | - | - |" in capsys.readouterr().out


def test_a_row_can_be_measured_by_a_command_of_its_own(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands = list[str]()

    def answer(words: str, *more: object, log: Path) -> str:
        commands.append(words)
        return json.dumps({"ap25": 0.25})

    monkeypatch.setattr(script, "s4tok", answer)
    script.main(["sam-ablation", "--rows", "plain-boxes", "--out", str(tmp_path)])
    assert [words.split()[0] for words in commands] == ["finetune", "detect"]
    found = json.loads((tmp_path / "sam-ablation-test.json").read_text())
    assert next(row for row in found["rows"] if row["name"] == "plain-boxes")["mean"] == {"ap25": 0.25}
