"""Checkpoints of a run: whole or not there, whenever the process dies; the last and the best by name.

ckpt/step-00000310/    what inference loads, as the objective exports it
                       training.safetensors, training.json: what training goes on from
ckpt/last, ckpt/best   symbolic links, replaced in one step
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from s4tok.dependencies import first_line, load
from s4tok.errors import InputError
from s4tok.models.tensor_files import write_tensors
from s4tok.objectives.objective import Objective
from s4tok_cache.files import FileSystem, sync_folder

LAST, BEST = "last", "best"
TENSORS, FACTS = "training.safetensors", "training.json"
OPTIMIZER = "optimizer."  # before the names of its tensors


class State(NamedTuple):
    """What a checkpoint says beside its tensors."""

    step: int  # made so far
    best: float  # lowest number so far by which the objective compares validations
    seconds: float  # of training so far


def save_checkpoint(
    folder: Path,
    model: Objective,
    optimizer: torch.optim.Optimizer,
    state: State,
    card: Mapping[str, Any],
    *,
    is_best: bool = False,
) -> Path:
    """Write a checkpoint and let `last` (and `best`) be it; what is neither any more is removed."""
    files = FileSystem()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{state.step:08d}"
    temporary = folder / f".{target.name}.{os.getpid()}.{secrets.token_hex(3)}.tmp"
    temporary.mkdir()
    try:
        model.export(temporary, card)
        write_tensors(temporary / TENSORS, _tensors(model, optimizer))
        (temporary / FACTS).write_text(json.dumps(state._asdict()) + "\n", encoding="utf-8")
        for path in temporary.iterdir():
            _sync(files, path)
        sync_folder(files, temporary)
        if target.exists():  # of a run that was stopped after this step, before it was linked
            target.rename(folder / f".{target.name}.{secrets.token_hex(3)}.tmp")
        files.replace(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(files, folder)
    for name in (LAST, BEST) if is_best else (LAST,):
        _link(files, folder, name, target.name)
    _tidy(folder)
    return target


def load_checkpoint(folder: Path, model: Objective, optimizer: torch.optim.Optimizer) -> State | None:
    """Go back to where the last checkpoint was written; None where there is none."""
    last = folder / LAST
    if not last.is_symlink() and not last.exists():  # a link to what is gone is there
        return None
    try:
        safetensors = load("safetensors.torch")
        tensors = safetensors.load_file(last / TENSORS)
        facts = json.loads((last / FACTS).read_text(encoding="utf-8"))
        weights = {name: each for name, each in tensors.items() if not name.startswith(OPTIMIZER)}
        model.load_trainable_state(weights, last)
        _restore(model, optimizer, tensors)
        return State(int(facts["step"]), float(facts["best"]), float(facts["seconds"]))
    except Exception as error:  # safetensors has an error of its own for every kind of damage
        raise InputError(
            f"{last} cannot be loaded: {first_line(error)}.", "begin anew with --overwrite, or name another --out."
        ) from error


def _tensors(model: Objective, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Collect what is trained, and the optimiser's memory of each weight."""
    tensors = model.trainable_state()
    for name, weight in model.named_parameters():
        for kind, value in optimizer.state.get(weight, {}).items():
            tensors[f"{OPTIMIZER}{kind}.{name}"] = value
    return {name: each.detach().cpu().clone() for name, each in tensors.items()}  # one may have several names


def _restore(model: Objective, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    weights = dict(model.named_parameters())
    for full_name, value in tensors.items():
        kind, _, name = full_name.removeprefix(OPTIMIZER).partition(".")
        if full_name.startswith(OPTIMIZER):
            # AdamW counts steps on the CPU, whatever the weights are on.
            device = "cpu" if kind == "step" else weights[name].device
            optimizer.state[weights[name]][kind] = value.to(device)


def _sync(files: FileSystem, path: Path) -> None:
    descriptor = files.open(path, os.O_RDONLY)
    try:
        files.fsync(descriptor)
    finally:
        files.close(descriptor)


def _link(files: FileSystem, folder: Path, name: str, target: str) -> None:
    temporary = folder / f".{name}.{secrets.token_hex(3)}.tmp"
    temporary.symlink_to(target)
    files.replace(temporary, folder / name)
    sync_folder(files, folder)


def _tidy(folder: Path) -> None:
    """Remove checkpoints that no link points to, and what killed runs have left."""
    kept = {(folder / name).readlink().name for name in (LAST, BEST) if (folder / name).is_symlink()}
    for path in folder.iterdir():
        if path.name in kept or path.name in (LAST, BEST) or not path.name.startswith((".", "step-")):
            continue
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
