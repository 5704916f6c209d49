from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s4tok.config import RunConfig
from tests.running import Run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, s4tok: Run, make_clip: Callable[..., Path], tmp_path: Path) -> Any:
    """Run `s4tok pretrain` up to the stage, and give the recipe it was asked for."""
    make_clip(tmp_path / "tiny")

    def ask(*flags: str) -> RunConfig:
        given: list[RunConfig] = []

        def record(clouds: Any, cache: Path, config: RunConfig, **more: Any) -> None:
            given.append(config)
            raise KeyboardInterrupt

        monkeypatch.setattr("s4tok_pipelines.stages.pretrain.pretrain", record)
        assert s4tok("pretrain", "toy-shapes", "--clip", "tiny", "--device", "cpu", *flags).returncode == 130
        return given[0]

    return ask


def test_options_and_settings_overrule_the_preset_field_by_field(asked: Any) -> None:
    found = asked("--preset", "toy", "--n-tokens", "16", "--set", "training.second_moment=0.9", "--plain-targets")
    toy = RunConfig.of("toy")
    assert (found.tokenizer.n_tokens, found.training.second_moment) == (16, 0.9)
    assert found.tokenizer.n_points == toy.tokenizer.n_points
    assert found.training.center_targets is False
    assert found.limit == toy.limit
    assert asked("--preset", "toy", "--limit", "3").limit == 3
    assert not found.superpoints_asked
    for flags in (["--superpoints", "default"], ["--set", "superpoints=default"]):
        assert asked("--preset", "toy", *flags).superpoints_asked
    assert asked("--pretrained", "").clip.pretrained == ""  # random weights, and not the usual ones


def test_a_file_may_hold_lists_and_a_command_reads_them_as_its_option_does(asked: Any, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("adapter = [4, 8, 8]\n[pretrain]\npoint-features = ['normals', 'rgb']\nlr = 0.5\n")
    found = asked("--config", "a.toml")
    assert found.tokenizer.adapter_widths == (4, 8, 8)
    assert found.point_features == ("rgb", "normals")
    assert found.training.learning_rate == 0.5


@pytest.mark.parametrize("command", ["pretrain", "segment", "superpoints", "render-views"])
def test_help_fits_a_screen_and_help_all_has_every_option(s4tok: Run, command: str) -> None:
    short, whole = s4tok(command, "--help", COLUMNS="80"), s4tok(command, "--help-all", COLUMNS="140")
    assert (short.returncode, whole.returncode) == (0, 0)
    assert len(short.stdout.splitlines()) <= 60
    assert "--debug" not in short.stdout
    assert "--debug" in whole.stdout
    assert len(whole.stdout) > len(short.stdout)


def test_options_that_few_need_are_shown_by_help_all(s4tok: Run) -> None:
    short, whole = s4tok("pretrain", "--help", COLUMNS="80"), s4tok("pretrain", "--help-all", COLUMNS="140")
    assert "--epochs" in short.stdout
    assert "--teacher-momentum" not in short.stdout
    for option in ("--epochs", "--teacher-momentum", "--overwrite", "--source"):
        assert option in whole.stdout


def test_help_shows_the_value_of_each_preset_where_they_differ(s4tok: Run) -> None:
    said = " ".join(s4tok("pretrain", "--help", COLUMNS="160").stdout.split())
    assert "Points sampled of each cloud. [paper: 2048, toy: 1024]" in said
    assert "Seed of all that is random. [0]" in said
