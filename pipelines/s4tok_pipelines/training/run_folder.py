"""The folder of a training run: what it was asked for, where it runs, what it measured, what it said.

config.toml        everything a result depends on, resolved
environment.json   machine, versions and command of the latest start
metrics.jsonl      one line a step and one a validation
log.txt            what was said, with the time
tensorboard/       the same figures, where TensorBoard is installed
wandb.txt, wandb/  with --log wandb: the run's name on Weights & Biases, and what it keeps here
curves.png         the losses, drawn
ckpt/              see checkpoints.py
"""

import json
import os
import platform
import shutil
import socket
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from s4tok import __version__
from s4tok.errors import InputError, UsageError
from s4tok_cache import Stamp, differences
from s4tok_cache.files import write_whole
from s4tok_pipelines.report import Item, Report
from s4tok_pipelines.training.boards import Board

CONFIG, ENVIRONMENT, METRICS, LOG, CURVES = "config.toml", "environment.json", "metrics.jsonl", "log.txt", "curves.png"
CHECKPOINTS = "ckpt"


def claim(folder: Path, wanted: Stamp, *, resume: bool, overwrite: bool) -> None:
    """Make a run's folder, or take one up that was made for the same run."""
    if overwrite and (folder / CONFIG).is_file():
        shutil.rmtree(folder)
    if (folder / CONFIG).is_file():
        found = _read_config(folder / CONFIG, wanted.stage)
        if found.sha256 != wanted.sha256:
            raise UsageError(
                f"{folder} is a run with {'; '.join(differences(found, wanted))}.",
                "name another --out, or begin it anew with --overwrite.",
            )
        if not resume:
            raise UsageError(
                f"{folder} already holds a run with this configuration.",
                "go on with --resume, or begin it anew with --overwrite.",
            )
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty, and no run.", "name another --out.")
    write_whole(folder / CONFIG, "".join(_toml(wanted.parameters)).encode(), parents=True)


def _read_config(path: Path, stage: str) -> Stamp:
    try:
        return Stamp(stage, tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged: {error}.") from error


def _toml(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Write tables of plain values; JSON writes numbers, texts and lists as TOML does."""
    for table, values in tables.items():
        yield f"[{table}]\n"
        yield from (f"{name} = {json.dumps(value)}\n" for name, value in values.items())
        yield "\n"


def write_environment(folder: Path, command: str, device: str, world: int) -> None:
    """Say where the run has been started, the latest time."""
    about = {
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "s4tok": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "device": device if device == "cpu" else f"{device} ({torch.cuda.get_device_name(device)})",
        "processes": world,
        "job": os.environ.get("SLURM_JOB_ID", ""),
    }
    write_whole(folder / ENVIRONMENT, (json.dumps(about, indent=2) + "\n").encode())


class Metrics:
    """The figures of every step, on disk as they come; those after the step that is resumed from are forgotten."""

    def __init__(
        self, folder: Path, from_step: int, boards: Sequence[Board] = (), renamed: Mapping[str, str] = {}
    ) -> None:
        """Open a run's figures, which boards show too.

        `renamed` has the present name of each column that was called otherwise earlier.
        """
        self.path = folder / METRICS
        found = (row for row in read_metrics(self.path) if 0 < from_step >= row["step"])
        self.rows = [{renamed.get(name, name): value for name, value in row.items()} for row in found]
        write_whole(self.path, "".join(json.dumps(row) + "\n" for row in self.rows).encode())
        self._file = self.path.open("a", encoding="utf-8", buffering=1)
        self._boards = boards

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a line."""
        self.rows.append(dict(row))
        self._file.write(json.dumps(row) + "\n")
        for board in self._boards:
            board.write(row)

    def close(self) -> None:
        """Leave nothing in memory."""
        self._file.close()
        for board in self._boards:
            board.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read a run's figures; a line that was cut off when the run was killed is left out."""
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


class Logged(Report):
    """Hand everything on to another listener, and keep what is said in the run's log."""

    def __init__(self, folder: Path, listener: Report) -> None:
        self.listener = listener
        self._file = (folder / LOG).open("a", encoding="utf-8", buffering=1)

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        """Hand the items on."""
        yield from self.listener.steps(items, text, total, done)

    def gauge(self, **figures: float) -> None:
        """Set figures that stand beside the progress."""
        self.listener.gauge(**figures)

    def note(self, text: str) -> None:
        """Say it and write it down."""
        self._write(text)
        self.listener.note(text)

    def warn(self, text: str) -> None:
        """Say it and write it down."""
        self._write(f"warning: {text}")
        self.listener.warn(text)

    def _write(self, text: str) -> None:
        self._file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")


def command_line() -> str:
    """Give what the user typed."""
    return " ".join(["s4tok", *sys.argv[1:]])
