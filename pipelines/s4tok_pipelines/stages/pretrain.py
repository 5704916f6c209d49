"""Train an objective, such as a tokenizer whose tokens a frozen CLIP can read."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch

from s4tok import __version__
from s4tok.config import PretrainConfig, RunConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError, choose
from s4tok_cache import Stamp
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.table import OBJECTIVES
from s4tok_pipelines.paths import RUNS
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.stages.auto import usual_superpoints
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.training import boards, run_folder
from s4tok_pipelines.training.curves import draw_curves
from s4tok_pipelines.training.loop import Training
from s4tok_pipelines.training.ranks import from_environment, together

STAGE = "pretrain"
SAVE_EVERY = 300.0  # seconds between checkpoints within an epoch


def pretrain(
    clouds: CloudDataset,
    cache: Path,
    config: RunConfig = RunConfig(),  # noqa: B008 - it cannot change
    *,
    also: Sequence[CloudDataset] = (),
    validation: Sequence[CloudDataset] = (),
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    auto: bool = False,
    workers: int = 1,
    device: str = "cpu",
    save_every: float = SAVE_EVERY,
    log: boards.Log | None = None,
    report: Report = silent,
) -> Outcome:
    """Train the recipe's objective on a dataset.

    Reads what the objective needs of the caches; fills a run folder. A run that was stopped or killed goes on with
    `resume` from its last checkpoint and ends, on a CPU, with the same bits as one that never was. Under torchrun every
    process runs this, trains on its part of each batch, and the first of them writes; started again, they go on by
    themselves.

    Args:
        clouds: The dataset to train on.
        cache: The folder of all caches.
        config: The recipe.
        also: Other datasets to train on together with it.
        validation: The datasets' splits for validation; where caches of one do not exist, some clouds are held out.
        out: The run's folder; by default `runs`/<dataset>-<method>-<hash of everything the result depends on>.
        resume: Go on with a run that has begun; one that has not is begun.
        overwrite: Remove a run that is there.
        auto: Make what is missing before.
        workers: Processes that sample clouds.
        device: Where training computes.
        save_every: Seconds between checkpoints; there is one after each epoch in any case.
        log: Show figures on Weights & Biases too, beside TensorBoard.
        report: Who listens.
    """
    start = time.monotonic()
    if log == "wandb":
        boards.load_wandb()  # that it is missing is told before anything is made
    prepare = choose("objective", config.objective, OBJECTIVES)
    ranks = from_environment()
    device = ranks.device(device)
    report = report if ranks.is_first else silent
    if config.training.batch % ranks.world:
        raise UsageError(
            f"a batch of {config.training.batch} clouds cannot be shared by {ranks.world} processes.",
            "choose --batch as a multiple of the processes.",
        )
    make = partial(_make_features, cache, config, workers, device, report) if auto else None
    request = Request((clouds, *also), validation, cache, config, make, workers, device, ranks, report)
    with together(ranks, device):
        ready = prepare(request)
        wanted = _stamp(config, ready)
        names = "+".join(each.name for each in request.datasets)
        folder = out or RUNS / f"{names}-{ready.name}-{wanted.short}"
        if ranks.is_first:
            is_again = ranks.restarts > 0  # the same run, whose folder is its own
            run_folder.claim(folder, wanted, resume=resume or is_again, overwrite=overwrite and not is_again)
            run_folder.write_environment(folder, run_folder.command_line(), device, ranks.world)
            report = run_folder.Logged(folder, report)
        ranks.wait()
        ready.begin(report)
        training = _train(replace(request, report=report), ready, folder, save_every, log)
    outcome = Outcome(folder, made=training.steps - training.begun, present=training.begun)
    outcome.seconds = time.monotonic() - start
    outcome.figures = {
        "steps": training.steps,
        "training_seconds": round(training.state.seconds, 1),
        "waiting": training.waited / max(training.state.seconds, 1e-9),
    }
    if ready.held and math.isfinite(training.state.best):
        outcome.figures[ready.objective.selects_by] = round(training.state.best, 6)
    return outcome


def _make_features(
    cache: Path, config: RunConfig, workers: int, device: str, report: Report, clouds: CloudDataset
) -> None:
    """Run the stages before this one, with the preset's superpoints unless others lie there."""
    cut = usual_superpoints(clouds, cache, config.superpoints)
    model = config.clip if config.features is None else VisionConfig(config.features)
    extract_features(clouds, cache, model, superpoints=cut, auto=True, workers=workers, device=device, report=report)


def _train(request: Request, ready: Prepared, folder: Path, save_every: float, log: boards.Log | None) -> Training:
    """Train from where the folder's last checkpoint is."""
    config, ranks, report = request.config, request.ranks, request.report
    model, data, held = ready.objective.to(torch.device(request.device)), ready.data, ready.held
    card = {
        **ready.card,
        "objective": config.objective,
        "command": run_folder.command_line(),
        "s4tok": __version__,
        "seed": config.training.seed,
        "training": asdict(config.training),
    }
    training = Training(
        model, config.training, data, held, folder=folder, card=card, ranks=ranks,
        device=torch.device(request.device), save_every=save_every, report=report,
    )  # fmt: skip
    metrics = None
    if ranks.is_first:
        shown = boards.open_boards(folder, training.begun, log, report)
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


def _stamp(config: RunConfig, ready: Prepared) -> Stamp:
    """Stamp everything a run's result depends on; a folder's config.toml is this."""
    training = asdict(config.training)
    if training["head"] == PretrainConfig.head:  # folders from before there was a choice do not name it
        del training["head"]
    tables = {**ready.facts, "training": training}
    if config.objective != RunConfig.objective:  # as above
        tables["objective"] = {"name": config.objective}
    plain = {
        table: {name: value for name, value in values.items() if value is not None}  # TOML has no None
        for table, values in tables.items()
    }
    return Stamp(STAGE, plain)
