"""Where a run's figures are shown as they come: TensorBoard's files, and Weights & Biases where it is asked for."""

import importlib.util
import os
import secrets
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from s4tok.dependencies import first_line
from s4tok.errors import MissingError
from s4tok_pipelines.report import Report

Log: TypeAlias = Literal["wandb"]
PROJECT = "s4tok"  # on Weights & Biases, unless WANDB_PROJECT names another
IDENTITY = "wandb.txt"  # in the run's folder: whose figures a resumed run goes on with


@runtime_checkable
class Board(Protocol):
    """Whoever shows figures."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Show a row of figures: its kind, its step and what was measured."""

    def close(self) -> None:
        """Leave nothing in memory."""


def open_boards(folder: Path, from_step: int, log: Log | None, report: Report) -> list[Board]:
    """Open what shows the figures of a run that goes on from a step."""
    boards: list[Board] = []
    if importlib.util.find_spec("tensorboard") is not None:
        boards.append(TensorBoard(folder / "tensorboard", from_step))
    elif log is None:
        report.note("TensorBoard is not installed, so no event files are written; metrics.jsonl has the same figures")
    if log == "wandb":
        boards.append(WeightsAndBiases(folder))
    return boards


class TensorBoard:
    """Event files in the run's folder."""

    def __init__(self, folder: Path, from_step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer: Any = SummaryWriter(str(folder), purge_step=from_step + 1)

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row's numbers."""
        for name, value in _numbers(row).items():
            self.writer.add_scalar(name, value, row["step"])

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()


class WeightsAndBiases:
    """A run on Weights & Biases, which the same folder takes up again."""

    def __init__(self, folder: Path) -> None:
        wandb, config = load_wandb(), folder / "config.toml"
        settings = tomllib.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
        project = os.environ.get("WANDB_PROJECT", PROJECT)
        try:
            self.run: Any = wandb.init(
                project=project, name=folder.name, id=_identity(folder / IDENTITY), resume="allow", dir=str(folder),
                config=settings, settings=wandb.Settings(silent=True, console="off"),
            )  # fmt: skip
        except Exception as error:  # no key, no network, and errors of its own for each
            raise MissingError(
                f"Weights & Biases cannot be reached: {first_line(error)}.",
                "run `wandb login`, or set WANDB_MODE=offline and run `wandb sync` where there is a network.",
            ) from error

    def write(self, row: Mapping[str, Any]) -> None:
        """Send a row's numbers."""
        self.run.log(_numbers(row), step=row["step"])

    def close(self) -> None:
        """Send what is left."""
        self.run.finish()


def load_wandb() -> ModuleType:
    """Import Weights & Biases, which does not come with s4tok."""
    try:
        return import_module("wandb")
    except ImportError as error:
        raise MissingError(
            f"wandb cannot be imported, and is needed for pretrain --log wandb: {first_line(error)}.",
            'pip install "s4tok[wandb]"',
        ) from error


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    return {f"{row['kind']}/{name}": value for name, value in row.items() if isinstance(value, float)}


def _identity(path: Path) -> str:
    if not path.is_file():
        path.write_text(f"{secrets.token_hex(8)}\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
