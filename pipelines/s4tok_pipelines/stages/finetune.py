"""Fine-tune a checkpoint's tokenizer, or a new one, with a head that labels points or clouds, or that finds boxes."""

from collections.abc import Sequence
from copy import copy
from dataclasses import asdict
from functools import partial
from pathlib import Path

from s4tok.config import FinetuneRecipe, Speedups
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import UsageError
from s4tok_cache import Stamp
from s4tok_pipelines.inputs.boxed_scenes import WITH_BOXES
from s4tok_pipelines.inputs.own_clouds import parted
from s4tok_pipelines.inputs.training_inputs import require_rooms
from s4tok_pipelines.objectives import detection, supervised
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.stages.auto import superpoints_for
from s4tok_pipelines.stages.train import SAVE_EVERY, Run, train
from s4tok_pipelines.training import boards
from s4tok_pipelines.training.ranks import from_environment

STAGE = "finetune"


def finetune(
    clouds: CloudDataset,
    cache: Path,
    recipe: FinetuneRecipe = FinetuneRecipe(),  # noqa: B008 - it cannot change
    *,
    labels: Sequence[str] = (),
    validation: Sequence[CloudDataset] = (),
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    auto: bool = False,
    workers: int = 1,
    device: str = "cpu",
    save_every: float = SAVE_EVERY,
    log: boards.Log | None = None,
    speedups: Speedups = Speedups(),  # noqa: B008 - it cannot change
    report: Report = silent,
) -> Outcome:
    """Train a head on a dataset's labels, and what the recipe says of what stands before it.

    Reads superpoints; fills a run folder as `pretrain` does, whose checkpoints `segment` and `classify` take. The
    figure by which the best was chosen, measured on samples of the validation's clouds, is in the outcome.

    Args:
        clouds: The labelled clouds.
        cache: The folder of all caches.
        labels: What the labels 0, 1, ... of own files mean.
        recipe: The task, the checkpoint to begin with, the head, and how they are trained.
        validation: The dataset's split for validation; without it some clouds are held out.
        out: The run's folder; by default `runs`/<dataset>-<task>-<tokenizer>-<hash of everything it depends on>.
        resume: Go on with a run that has begun; one that has not is begun.
        overwrite: Remove a run that is there.
        auto: Make superpoints that are missing.
        workers: Processes that cut and sample.
        device: Where training computes.
        save_every: Seconds between checkpoints; there is one after each epoch in any case.
        log: Show figures on Weights & Biases too, beside TensorBoard.
        speedups: What makes steps quicker and rounds otherwise; a run may go on without it, or with it.
        report: Who listens.
    """
    finds_boxes = recipe.task == "detection"
    if finds_boxes and isinstance(clouds, OwnFiles):
        raise UsageError("boxes of your own files are not known.", f"datasets with boxes are {WITH_BOXES}.")
    clouds, is_own = _named(clouds, labels, report), isinstance(clouds, OwnFiles)
    require_rooms([clouds], recipe.training.window)
    ranks = from_environment()
    device, report = ranks.device(device), report if ranks.is_first else silent

    def make(each: CloudDataset) -> None:
        begun = detection.with_superpoints(recipe) if finds_boxes else supervised.begin_with(recipe, "cpu")
        if begun is not None:
            superpoints_for(begun, each, cache, workers=workers, report=report)

    request = Request(
        (clouds,), validation, cache, recipe, make if auto or is_own else None, workers, device, ranks, report
    )
    run = Run(recipe.training, partial(_stamp, recipe), {"objective": STAGE}, out, resume, overwrite, log, speedups)
    prepare = detection.prepare if finds_boxes else supervised.prepare
    outcome = train(request, prepare, run, save_every)
    error = outcome.figures.pop("error", None)
    if error is not None:
        outcome.figures["validation"] = round(1 - error, 6)
    return outcome


def _named(clouds: CloudDataset, labels: Sequence[str], report: Report) -> CloudDataset:
    """Give own files the names of their labels; all of them are objects, or all are rooms."""
    if not isinstance(clouds, OwnFiles):
        if labels:
            raise UsageError(f"{clouds.name} has labels of its own, and --labels names those of your own files.")
        return clouds
    if not labels:
        raise UsageError(
            "nothing says what the labels of your files mean.", "for example --labels wall,floor,chair for 0, 1 and 2."
        )
    named, *others = parted(clouds, report=report)
    if others:
        raise UsageError("some of your files are taken for objects and some for rooms.", "say --object or --room.")
    named = copy(named)
    named.classes = tuple(labels)
    return named


def _stamp(recipe: FinetuneRecipe, ready: Prepared) -> Stamp:
    """Stamp everything a run's result depends on; a folder's config.toml is this."""
    tables = {**ready.facts, "training": asdict(recipe.training)}
    plain = {
        table: {name: value for name, value in values.items() if value is not None}  # TOML has no None
        for table, values in tables.items()
    }
    return Stamp(STAGE, plain)
