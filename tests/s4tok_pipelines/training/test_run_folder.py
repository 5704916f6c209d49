import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.errors import InputError, UsageError
from s4tok_cache import Stamp
from s4tok_pipelines.report import Report
from s4tok_pipelines.training.curves import draw_curves
from s4tok_pipelines.training.run_folder import Logged, Metrics, claim, read_metrics

WANTED = Stamp("pretrain", {"training": {"rate": 1e-6, "band": [1.6, 9.0], "on": True, "name": 'a "b"'}, "empty": {}})


def row(step: int) -> dict[str, Any]:
    losses = {"total": 1 / (1 + step), "assign": 0.2, "local": 0.1, "difference": 0.15, "global": 0.05}
    return {"kind": "step", "step": step, **losses}


def test_a_config_comes_back_from_toml_as_it_was(tmp_path: Path) -> None:
    claim(tmp_path / "run", WANTED, resume=False, overwrite=False)
    assert tomllib.loads((tmp_path / "run" / "config.toml").read_text()) == WANTED.parameters
    claim(tmp_path / "run", WANTED, resume=True, overwrite=False)


def test_overwriting_removes_a_run_and_only_a_run(tmp_path: Path) -> None:
    claim(tmp_path / "run", WANTED, resume=False, overwrite=False)
    (tmp_path / "run" / "metrics.jsonl").write_text("{}\n")
    claim(tmp_path / "run", Stamp("pretrain", {"training": {"rate": 2}}), resume=False, overwrite=True)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.toml"]
    (tmp_path / "run" / "config.toml").write_text("[training")
    with pytest.raises(InputError, match=r"config.toml is damaged"):
        claim(tmp_path / "run", WANTED, resume=True, overwrite=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="no run"):
        claim(tmp_path / "mine", WANTED, resume=False, overwrite=True)


def test_figures_after_the_step_resumed_from_are_forgotten_and_torn_lines_too(tmp_path: Path) -> None:
    lines = [json.dumps(row(step)) for step in (1, 2, 3)]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines)[:-9])
    assert [each["step"] for each in read_metrics(tmp_path / "metrics.jsonl")] == [1, 2]
    metrics = Metrics(tmp_path, 1)
    metrics.write(row(2))
    metrics.close()
    assert [each["step"] for each in read_metrics(tmp_path / "metrics.jsonl")] == [1, 2]


def test_columns_of_a_run_begun_under_other_names_get_their_present_ones(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"kind": "step", "step": 1, "whole": 0.5}\n')
    Metrics(tmp_path, 1, renamed={"whole": "global"}).close()
    assert read_metrics(tmp_path / "metrics.jsonl") == [{"kind": "step", "step": 1, "global": 0.5}]


def test_what_is_said_is_written_down_and_handed_on(tmp_path: Path) -> None:
    heard = []

    class Listener(Report):
        def note(self, text: str) -> None:
            heard.append(text)

        def warn(self, text: str) -> None:
            heard.append(text)

    logged = Logged(tmp_path, Listener())
    logged.note("one")
    logged.warn("two")
    assert list(logged.steps([1, 2], "Counting")) == [1, 2]
    assert heard == ["one", "two"]
    assert [line.split(" ", 1)[1] for line in (tmp_path / "log.txt").read_text().splitlines()] == [
        "one", "warning: two",
    ]  # fmt: skip


def test_curves_fall_as_the_losses_do(tmp_path: Path) -> None:
    from PIL import Image

    rows = [row(step) for step in range(1, 500)] + [{**row(499), "kind": "validation", "total": 0.5}]
    draw_curves(tmp_path / "curves.png", rows, ("total", "assign"), "run")
    picture = np.asarray(Image.open(tmp_path / "curves.png"))[:, :820].astype(int)
    heights = {}
    for name, color in {"total": (31, 78, 121), "assign": (192, 80, 32), "validation": (200, 20, 40)}.items():
        down, across = np.nonzero((np.abs(picture - color) < 8).all(axis=2))
        heights[name] = down[across > 700].mean()
        assert len(down)
    left = np.nonzero((np.abs(picture - (31, 78, 121)) < 8).all(axis=2))
    assert left[0][left[1] < 90].mean() < heights["total"]  # rows count downwards
    assert heights["validation"] < heights["assign"] < heights["total"]


@pytest.mark.parametrize("rows", [[], [{**row(0), "kind": "validation"}]])
def test_a_run_of_no_steps_draws_what_there_is(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    draw_curves(tmp_path / "curves.png", rows, ("total", "assign"), "run")
    assert (tmp_path / "curves.png").is_file() == bool(rows)
