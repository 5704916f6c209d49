"""What `pretrain` and `finetune` share: from what is asked for to a run's folder with its checkpoints and curves."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from s4tok import __version__
from s4tok.backbones.arithmetic import check_compiler
from s4tok.config import LoopConfig, Speedups
from s4tok.errors import UsageError
from s4tok_cache import Stamp
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.paths import RUNS
from s4tok_pipelines.report import Outcome
from s4tok_pipelines.training import boards, run_folder
from s4tok_pipelines.training.curves import draw_curves
from s4tok_pipelines.training.loop import Training
from s4tok_pipelines.training.ranks import together

SAVE_EVERY = 300.0  # seconds between checkpoints within an epoch

Recipe = TypeVar("Recipe")


@dataclass(frozen=True)
class Run:
    """How a run is trained, named and kept."""

    config: LoopConfig
    stamp: Callable[[Prepared], Stamp]  # everything the result depends on; the folder's config.toml is this
    card: Mapping[str, Any]  # what checkpoints say of the command beside what was prepared
    out: Path | None = None
    resume: bool = False
    overwrite: bool = False
    log: boards.Log | None = None
    speedups: Speedups = field(default_factory=Speedups)


def train(
    request: Request[Recipe], prepare: Callable[[Request[Recipe]], Prepared], run: Run, save_every: float = SAVE_EVERY
) -> Outcome:
    """Prepare what is trained, claim the run's folder, and train from where its last checkpoint is."""
    start, ranks, report = time.monotonic(), request.ranks, request.report
    if run.log == "wandb":
        boards.load_wandb()  # that it is missing is told before anything is made
    if run.speedups.compile:
        check_compiler(request.device)
    if run.config.batch % ranks.world:
        raise UsageError(
            f"a batch of {run.config.batch} clouds cannot be shared by {ranks.world} processes.",
            "choose --batch as a multiple of the processes.",
        )
    with together(ranks, request.device):
        ready = prepare(request)
        wanted = run.stamp(ready)
        names = "+".join(dict.fromkeys(each.name for each in request.datasets))
        folder = run.out or RUNS / f"{names}-{ready.name}-{wanted.short}"
        if ranks.is_first:
            is_again = ranks.restarts > 0  # the same run, whose folder is its own
            run_folder.claim(folder, wanted, resume=run.resume or is_again, overwrite=run.overwrite and not is_again)
            run_folder.write_environment(folder, run_folder.command_line(), request.device, ranks.world)
            report = run_folder.Logged(folder, report)
        ranks.wait()
        ready.begin(report)
        training = _train(replace(request, report=report), ready, run, folder, save_every)
    outcome = Outcome(folder, made=training.steps - training.begun, present=training.begun)
    outcome.seconds = time.monotonic() - start
    outcome.figures = {
        "steps": training.steps,
        "training_seconds": round(training.state.seconds, 1),
        "waiting": training.ready.waited / max(training.state.seconds, 1e-9),
    }
    if ready.held and math.isfinite(training.state.best):
        outcome.figures[ready.objective.selects_by] = round(training.state.best, 6)
    return outcome


def _train(request: Request[Any], ready: Prepared, run: Run, folder: Path, save_every: float) -> Training:
    """Train from where the folder's last checkpoint is."""
    ranks, report = request.ranks, request.report
    model, data, held = ready.objective.to(torch.device(request.device)), ready.data, ready.held
    card = {
        **ready.card,
        **run.card,
        "command": run_folder.command_line(),
        "s4tok": __version__,
        "seed": run.config.seed,
        "training": asdict(run.config),
    }
    training = Training(
        model, run.config, data, held, folder=folder, card=card, ranks=ranks,
        device=torch.device(request.device), save_every=save_every, speedups=run.speedups, report=report,
    )  # fmt: skip
    metrics = None
    if ranks.is_first:
        shown = boards.open_boards(folder, training.begun, run.log, report)
        metrics = run_folder.Metrics(folder, training.begun, shown, model.former_columns)
    report.note(
        f"{folder}: {len(data.keys)} clouds, {training.steps} steps of {training.size}, from step {training.begun}; "
        f"validation on {len(held.keys) if held else 0}"
    )
    if not training.begun:
        about = model.describe(model.collate(data.entries(range(training.size), 0)))
        if about:
            report.note(about)
    try:
        training.run(metrics)
    finally:
        if metrics is not None:
            metrics.close()
            draw_curves(folder / run_folder.CURVES, metrics.rows, model.curves, str(folder))
    return training
