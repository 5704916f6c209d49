import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from s4tok.errors import MissingError
from s4tok_pipelines.report import silent
from s4tok_pipelines.training.boards import load_wandb, open_boards
from s4tok_pipelines.training.run_folder import Metrics


def test_where_tensorboard_is_installed_it_gets_the_same_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, float, int]] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            assert (Path(folder).name, purge_step) == ("tensorboard", 3)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def close(self) -> None:
            written.append(("closed", 0, 0))

    board = ModuleType("torch.utils.tensorboard")
    board.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", board)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "tensorboard")
    metrics = Metrics(tmp_path, 2, open_boards(tmp_path, 2, None, silent))
    metrics.write({"kind": "step", "step": 3, "total": 0.5, "patch_fill": [1, 2]})
    metrics.close()
    assert written == [("step/total", 0.5, 3), ("closed", 0, 0)]


class Wandb(ModuleType):
    """Weights & Biases, as far as a run calls it."""

    Settings = dict

    def __init__(self) -> None:
        super().__init__("wandb")
        self.begun: list[dict[str, Any]] = []
        self.sent: list[Any] = []
        self.error: Exception | None = None

    def init(self, **about: Any) -> "Wandb":
        if self.error is not None:
            raise self.error
        self.begun.append(about)
        return self

    def log(self, figures: dict[str, float], step: int) -> None:
        self.sent.append((figures, step))

    def finish(self) -> None:
        self.sent.append("finished")


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Wandb:
    stub = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", stub)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no TensorBoard
    return stub


def test_weights_and_biases_gets_the_figures_and_a_resumed_run_goes_on_with_its_own(
    wandb: Wandb, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text("[training]\nepochs = 3\n")
    for step in (3, 4):
        metrics = Metrics(tmp_path, step - 1, open_boards(tmp_path, step - 1, "wandb", silent))
        metrics.write({"kind": "step", "step": step, "total": 0.5, "patch_fill": [1, 2]})
        metrics.close()
    assert wandb.sent == [({"step/total": 0.5}, 3), "finished", ({"step/total": 0.5}, 4), "finished"]
    first, second = wandb.begun
    assert (first["name"], first["config"]) == (tmp_path.name, {"training": {"epochs": 3}})
    assert first["id"] == second["id"] == (tmp_path / "wandb.txt").read_text().strip()


def test_weights_and_biases_that_is_missing_or_out_of_reach_is_one_sentence(
    wandb: Wandb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb.error = RuntimeError("api_key not configured")
    with pytest.raises(MissingError, match="Weights & Biases cannot be reached: api_key not configured"):
        open_boards(tmp_path, 0, "wandb", silent)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingError, match="wandb cannot be imported, and is needed for pretrain --log wandb") as error:
        load_wandb()
    assert error.value.hint == 'pip install "s4tok[wandb]"'
