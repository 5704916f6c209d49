"""Train an objective, such as a tokenizer whose tokens a frozen CLIP can read."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from s4tok.config import PretrainConfig, RunConfig, Speedups, SuperpointConfig, TokenizerConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError, choose
from s4tok_cache import Stamp
from s4tok_pipelines.inputs.own_clouds import parted
from s4tok_pipelines.inputs.training_inputs import require_rooms
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.table import OBJECTIVES
from s4tok_pipelines.outputs.assumed import tell_assumed
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.stages.auto import usual_superpoints
from s4tok_pipelines.stages.make_features import make_features
from s4tok_pipelines.stages.train import SAVE_EVERY, Run, train
from s4tok_pipelines.training import boards
from s4tok_pipelines.training.ranks import from_environment

STAGE = "pretrain"


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
    speedups: Speedups = Speedups(),  # noqa: B008 - it cannot change
    report: Report = silent,
) -> Outcome:
    """Train the recipe's objective on a dataset.

    Reads what the objective needs of the caches; fills a run folder. A run that was stopped or killed goes on with
    `resume` from its last checkpoint and ends, on a CPU, with the same bits as one that never was. Under torchrun every
    process runs this, trains on its part of each batch, and the first of them writes; started again, they go on by
    themselves.

    Args:
        clouds: The dataset to train on; objects and rooms of own files are told apart, and trained on together.
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
        speedups: What makes steps quicker and rounds otherwise; a run may go on without it, or with it.
        report: Who listens.
    """
    if config.checkpoint is not None and config.objective != RunConfig.objective:
        raise UsageError(f"--objective {config.objective} begins with no checkpoint.", "leave out --checkpoint.")
    if config.tokenizer.by_scene and config.objective != RunConfig.objective:
        raise UsageError(f"--objective {config.objective} is not told rooms from objects.", "leave out --by-scene.")
    ranks = from_environment()
    device = ranks.device(device)
    report = report if ranks.is_first else silent
    make = partial(_make_features, cache, config, workers, device, report) if auto else None
    datasets = [part for each in (clouds, *also) for part in parted(each, report=report)]
    for each in datasets:
        tell_assumed(each, report)
    _require_rooms(datasets, config, report)
    _require_both(datasets, config)
    request = Request(datasets, validation, cache, config, make, workers, device, ranks, report)
    card = {"objective": config.objective}
    run = Run(config.training, partial(_stamp, config), card, out, resume, overwrite, log, speedups)
    return train(request, choose("objective", config.objective, OBJECTIVES), run, save_every)


def _require_rooms(datasets: Sequence[CloudDataset], config: RunConfig, report: Report) -> None:
    """Refuse columns of rooms where there are none; those of the checkpoint's training are left out, and told."""
    try:
        require_rooms(datasets, config.training.window)
    except UsageError as error:
        if config.checkpoint is None:
            raise
        report.note(str(error))


def _require_both(datasets: Sequence[CloudDataset], config: RunConfig) -> None:
    """Refuse to tell rooms from objects where there is one kind alone, unless a checkpoint may have met the other."""
    scenes = {each.scene for each in datasets}
    if config.tokenizer.by_scene and config.checkpoint is None and len(scenes) == 1:
        raise UsageError(
            f"--by-scene tells rooms from objects, and all clouds here are {scenes.pop()}s.",
            "add the others, as with --also toy-scans, or leave out --by-scene.",
        )


def _make_features(
    cache: Path, config: RunConfig, workers: int, device: str, report: Report, clouds: CloudDataset
) -> None:
    """Run the stages before this one, with superpoints as asked for, or a preset's unless others lie there."""
    if config.superpoints_asked:
        cut: SuperpointConfig | None = SuperpointConfig.of(clouds.scene, config.superpoints)
    else:
        cut = usual_superpoints(clouds, cache, config.superpoints)
    model = config.clip if config.features is None else VisionConfig(config.features)
    make_features(clouds, cache, model, cut, workers=workers, device=device, report=report)


def _stamp(config: RunConfig, ready: Prepared) -> Stamp:
    """Stamp everything a run's result depends on; a folder's config.toml is this."""
    # Folders from before there was a choice do not name it.
    since = ((PretrainConfig, "training", ("head", "label_weight")), (TokenizerConfig, "tokenizer", ("by_scene",)))
    tables = {**ready.facts, "training": asdict(config.training)}
    for kind, table, names in since:
        usual = {name: getattr(kind, name) for name in names}
        if table in tables:  # an objective of another package may have none
            tables[table] = {name: value for name, value in tables[table].items() if usual.get(name, ...) != value}
    if config.objective != RunConfig.objective:  # as above
        tables["objective"] = {"name": config.objective}
    plain = {
        table: {name: value for name, value in values.items() if value is not None}  # TOML has no None
        for table, values in tables.items()
    }
    return Stamp(STAGE, plain)
