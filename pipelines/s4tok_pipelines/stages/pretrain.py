"""Train a tokenizer, so that a frozen CLIP can read the tokens it makes of clouds."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from s4tok import __version__
from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.config import RUNS, RunConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, UsageError
from s4tok.objectives.s4token import S4Token
from s4tok.tokenizers import Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheError, CacheReader, Stamp
from s4tok_pipelines.inputs import training_inputs
from s4tok_pipelines.inputs.training_data import Source, TrainingData
from s4tok_pipelines.inputs.training_samples import training_samples, windows_of
from s4tok_pipelines.report import Outcome, Report, silent
from s4tok_pipelines.training import run_folder
from s4tok_pipelines.training.curves import draw_curves
from s4tok_pipelines.training.loop import Training
from s4tok_pipelines.training.ranks import Ranks, from_environment, together

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
    report: Report = silent,
) -> Outcome:
    """Train a tokenizer on a dataset's superpoints and on what CLIP saw of them.

    Reads superpoints and features; fills a run folder. A run that was stopped or killed goes on with `resume` from
    its last checkpoint and ends, on a CPU, with the same bits as one that never was. Under torchrun every process
    runs this, trains on its part of each batch, and the first of them writes; started again, they go on by themselves.

    Args:
        clouds: The dataset to train on.
        cache: The folder of all caches.
        config: The recipe.
        also: Other datasets to train on together with it.
        validation: The datasets' splits for validation; where caches of one do not exist, some clouds are held out.
        out: The run's folder; by default `runs`/<dataset>-<tokenizer>-<hash of everything the result depends on>.
        resume: Go on with a run that has begun; one that has not is begun.
        overwrite: Remove a run that is there.
        auto: Make what is missing before.
        workers: Processes that sample clouds.
        device: Where training computes.
        save_every: Seconds between checkpoints; there is one after each epoch in any case.
        report: Who listens.
    """
    start = time.monotonic()
    ranks = from_environment()
    device = ranks.device(device)
    report = report if ranks.is_first else silent
    if config.training.batch % ranks.world:
        raise UsageError(
            f"a batch of {config.training.batch} clouds cannot be shared by {ranks.world} processes.",
            "choose --batch as a multiple of the processes.",
        )
    with together(ranks, device):
        clip = FrozenClip.load(config.clip.clip, config.clip.pretrained, device)
        model = _model(clip, config, device)
        if auto and ranks.is_first:
            for each in (clouds, *also):
                training_inputs.make_missing(each, cache, config, workers=workers, device=device, report=report)
        ranks.wait()
        data, held = _data((clouds, *also), validation, cache, clip, config, ranks, workers, report)
        wanted = _stamp((clouds, *also), data, held, clip, config)
        folder = (
            out
            or RUNS / f"{'+'.join(each.name for each in (clouds, *also))}-{config.tokenizer.tokenizer}-{wanted.short}"
        )
        if ranks.is_first:
            is_again = ranks.restarts > 0  # the same run, whose folder is its own
            run_folder.claim(folder, wanted, resume=resume or is_again, overwrite=overwrite and not is_again)
            run_folder.write_environment(folder, run_folder.command_line(), device, ranks.world)
            report = run_folder.Logged(folder, report)
        ranks.wait()
        _hold(data, held, report)
        card = {
            "clip": {"name": clip.name, "weights": clip.sha256},
            "command": run_folder.command_line(),
            "s4tok": __version__,
            "seed": config.training.seed,
            "training": asdict(config.training),
            "encoder": asdict(config.encoder),
            "window": config.training.window,
            "superpoints": {each.scene: training_inputs.superpoints_of(each.features) for each in data.sources},
            "caches": [stamp.folder for each in data.sources for stamp in (each.features.stamp, each.samples.stamp)],
        }
        training = Training(
            model, config.training, data, held, folder=folder, card=card, ranks=ranks,
            device=torch.device(device), save_every=save_every, report=report,
        )  # fmt: skip
        begun = training.state.step
        metrics = run_folder.Metrics(folder, begun, report) if ranks.is_first else None
        report.note(
            f"{folder}: {len(data.keys)} clouds, {training.steps} steps of {training.size}, from step {begun}; "
            f"validation on {len(held.keys) if held else 0}"
        )
        if not begun:
            report.note(_fill_in_words(model.patch_fill(model.collate(data.entries(range(training.size), 0)))))
        try:
            training.run(metrics)
        finally:
            if metrics is not None:
                metrics.close()
                draw_curves(folder / run_folder.CURVES, metrics.rows, model.curves, str(folder))
    outcome = Outcome(folder, made=training.steps - begun, present=begun, seconds=time.monotonic() - start)
    outcome.figures = {
        "steps": training.steps,
        "training_seconds": round(training.state.seconds, 1),
        "waiting": training.waited / max(training.state.seconds, 1e-9),
    }
    if held and config.training.loss != "assign":
        outcome.figures["distillation_loss"] = round(training.state.best, 6)
    return outcome


def _data(
    datasets: Sequence[CloudDataset],
    validation: Sequence[CloudDataset],
    cache: Path,
    clip: FrozenClip,
    config: RunConfig,
    ranks: Ranks,
    workers: int,
    report: Report,
) -> tuple[TrainingData, TrainingData | None]:
    """Open what to train on, and what to validate on."""
    most = config.training.validation_clouds
    train, held = [], []
    splits = {each.name: each for each in validation}
    for clouds in datasets:
        source = _open(clouds, cache, clip, config, ranks, workers, report)
        train.append(source)
        split = splits.get(clouds.name)
        if split is not None:
            try:
                held.append(_open(split, cache, clip, config, ranks, workers, report, most))
            except CacheError as error:
                report.note(f"no validation on {split.name}/{split.split}, since {error}")
            else:
                continue
        chosen = set(training_inputs.some(training_inputs.held_out(source.clouds, config.training.held_out), most))
        if chosen:
            held.append(replace(source, clouds=sorted(chosen)))
        source.clouds = [key for key in source.clouds if key not in chosen]
    return TrainingData(train, config.training), TrainingData(held, config.training) if held else None


def _open(
    clouds: CloudDataset,
    cache: Path,
    clip: FrozenClip,
    config: RunConfig,
    ranks: Ranks,
    workers: int,
    report: Report,
    most: int | None = None,
) -> Source:
    features = training_inputs.find_features(clouds, cache, clip, config, report)
    keys = training_inputs.usable(clouds, features, report)
    keys = keys if most is None else training_inputs.some(keys, most)
    superpoints = training_inputs.find_superpoints(features)
    samples: CacheReader | None = None
    for turn in (0, 1):  # the first process makes what is missing, then all find it made
        if ranks.is_first == (turn == 0):
            samples = training_samples(
                clouds, keys, superpoints, config.training, config.tokenizer.n_points, workers=workers, report=report
            )
        ranks.wait()
    assert samples is not None
    keys = [key for key in keys if key in samples]
    if not keys:
        raise InputError(f"{clouds.name} has no clouds to train on.")
    windows = windows_of(clouds, config.training)
    return Source(clouds.name, clouds.scene, keys, samples, features, config.training, windows)


def _hold(data: TrainingData, held: TrainingData | None, report: Report) -> None:
    for each in (data, held):
        if each is not None and not each.hold(report):
            report.note("the clouds do not fit into memory, and are read for every batch")


def _model(clip: FrozenClip, config: RunConfig, device: str) -> S4Token:
    encoder = FrozenEncoder(clip.model.visual)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        tokenizer = Tokenizer(config.tokenizer, width=encoder.width)
        model = S4Token(tokenizer, encoder, config.training, config.clusters, config.propagation, config.encoder.attend)
    return model.to(torch.device(device))


def _fill_in_words(fill: Tensor) -> str:
    most = len(fill) - 1
    shares = (fill / fill.sum().clamp_min(1)).cumsum(0)
    median, quarter = int((shares < 0.5).sum()), int((shares < 0.25).sum())
    return (
        f"patches hold {median} of {most} points in the median, a quarter holds at most {quarter}, "
        f"{float(fill[-1] / fill.sum().clamp_min(1)):.0%} are full"
    )


def _stamp(
    datasets: Sequence[CloudDataset],
    data: TrainingData,
    held: TrainingData | None,
    clip: FrozenClip,
    config: RunConfig,
) -> Stamp:
    """Stamp everything a run's result depends on; a folder's config.toml is this."""
    parameters: dict[str, object] = {}
    for place, (clouds, source) in enumerate(zip(datasets, data.sources, strict=True)):
        facts = {"dataset": clouds.name, "split": clouds.split, "samples": source.samples.stamp.folder}
        parameters["source" if not place else f"also-{clouds.name}"] = {**facts, **source.facts()}
    for place, source in enumerate(held.sources if held else ()):
        parameters["validation" if not place else f"validation-{source.name}"] = source.facts()
    parameters.setdefault("validation", {})
    parameters["clip"] = {"name": clip.name, "weights": clip.sha256}
    for name in ("tokenizer", "encoder", "training", "clusters", "propagation"):
        settings = asdict(getattr(config, name))
        parameters[name] = {each: value for each, value in settings.items() if value is not None}  # TOML has no None
    return Stamp(STAGE, parameters)
