"""`s4tok pretrain`: train a tokenizer in front of a frozen CLIP."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from s4tok.config import (
    BackboneConfig,
    ClusterConfig,
    EncoderConfig,
    PretrainConfig,
    PretrainPreset,
    RegionConfig,
    RunConfig,
    SegmentConfig,
    Speedups,
    TokenizerConfig,
    VisionConfig,
)
from s4tok.errors import InputError, UsageError
from s4tok.fields import changed
from s4tok_cli import console, options, run_options
from s4tok_cli.commands import Place
from s4tok_cli.recipe import Changes, FieldsOf, Part
from s4tok_pipelines.paths import CACHE

if TYPE_CHECKING:
    from s4tok.datasets.dataset import CloudDataset

PLACE = Place("Stages", 6)
EXAMPLES = (
    "s4tok pretrain toy-shapes --preset toy --auto",
    "s4tok pretrain data/shapenet55 --clip ViT-B-16 --resume",
    "s4tok pretrain toy-scans --preset sam-stage1-toy --auto",
)


SHOWN: tuple[PretrainPreset, ...] = ("paper", "toy")  # whose values the help has
RECIPE = FieldsOf(
    RunConfig,
    (
        Part("tokenizer", TokenizerConfig, "Tokenizer", ("tokenizer", "n_points", "n_tokens"),
             {"adapter_widths": "--adapter"}, ("smallest_center", "pe_hidden", "seed")),
        Part("encoder", EncoderConfig, "Tokenizer"),
        Part("training", PretrainConfig, "Training", ("epochs", "batch", "learning_rate", "seed"),
             {"learning_rate": "--lr", "windows": "--windows-per-room",
              "center_targets": "--center-targets/--plain-targets"}),
        Part("clusters", ClusterConfig, "Training", (), {"n_clusters": "--clusters"},
             ("iterations", "radius_factor", "epsilon", "sinkhorn_iterations")),
        Part("clip", VisionConfig, "Models", ("model",), {"model": "--clip"}, ("dense",)),
        Part("backbone", BackboneConfig, "Models", (), {"width": "--backbone-width", "layers": "--backbone-layers",
             "heads": "--backbone-heads"}, ("mlp_ratio",)),
        Part("regions", RegionConfig, "Regions", (), {}, ("group_seed",)),
        Part("", RunConfig, "Models", ("features",), {}, ("limit", "clouds", "superpoints_asked")),
    ),
    {preset: RunConfig.of(preset) for preset in SHOWN},
)  # fmt: skip


def pretrain(
    *,
    source: options.Clouds,
    preset: Annotated[
        PretrainPreset,
        Option(
            help="paper, toy, quick (ten minutes); sam-stage1, sam-stage2, also with -toy.",
            metavar="NAME",
            rich_help_panel="Training",
        ),
    ] = "paper",
    room: options.Room = None,
    scale: options.Scale = SegmentConfig.scale,
    recipe: Annotated[Changes, RECIPE],
    also: Annotated[
        list[str] | None,
        Option(
            help="One source more, or N.",
            metavar="SOURCE[:N]",
            show_default="none",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    object_rooms: Annotated[
        int | None,
        Option(
            min=1,
            help="Train on so many rooms too, in which objects of the source stand.",
            metavar="N",
            show_default="none",
            rich_help_panel=options.INPUT,
            hidden=True,
        ),
    ] = None,
    out: Annotated[Path | None, options.out("in runs/", "The folder of the run.")] = None,
    resume: run_options.Resume = False,
    auto: options.Auto = False,
    overwrite: run_options.Overwrite = False,
    log: run_options.Log = None,
    compile: run_options.Compile = Speedups.compile,
    tf32: run_options.Tf32 = Speedups.tf32,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
) -> None:
    """Train a tokenizer: it turns clouds into tokens that a frozen CLIP can read.

    Options overrule the preset. Under torchrun, processes share each batch.
    """
    from s4tok.datasets.table import DATASETS
    from s4tok.models.checkpoint_files import find_checkpoint, read_card
    from s4tok.models.trained import begun_from
    from s4tok.vision.weights import probe

    config = RunConfig.of(preset)
    if (begun_with := recipe.get("checkpoint")) is not None:
        config = begun_from(config, read_card(find_checkpoint(begun_with)), recipe.get("superpoints"))
    config = changed(config, recipe)
    if "superpoints" in recipe:
        config = replace(config, superpoints_asked=True)
    if source.limit is not None:
        config = replace(config, limit=source.limit)
    source = replace(source, clouds=source.clouds or config.clouds)
    # Before PyTorch is imported, so that what is wrong is told at once.
    others = [_other(source, each) for each in also or ()]
    if object_rooms is not None:
        others.append(replace(source, clouds="rooms", limit=object_rooms))
    has_own = any(each.is_own for each in (source, *others))

    def opened(each: options.Clouds) -> "CloudDataset":
        return each.open(room=room, scale=scale) if each.is_own or not has_own else each.open()

    clouds = opened(replace(source, limit=config.limit))
    if preset == "paper" and clouds.name in DATASETS and DATASETS[clouds.name].made:
        console.note(
            f"{clouds.name} is synthetic data, and --preset paper is not: --preset toy or quick has its numbers"
        )
    if config.objective == RunConfig.objective:  # whether another one needs a CLIP is its own affair
        probe(config.clip.model, config.clip.pretrained)

    from s4tok.device import pick_device
    from s4tok_pipelines.stages.pretrain import pretrain as run
    from s4tok_pipelines.training.ranks import from_environment

    is_first = from_environment().is_first
    outcome = run(
        clouds,
        cache,
        config,
        also=[opened(each) for each in others],
        validation=_validation([source, *others]) if source.split in (None, "train") else (),
        out=out,
        resume=resume,
        overwrite=overwrite,
        auto=auto,
        workers=workers,
        device=pick_device(device),
        log=log,
        speedups=Speedups(compile, tf32),
        report=console.Progress(),
    )
    if is_first:
        console.finish_training(outcome)


def _other(source: options.Clouds, also: str) -> options.Clouds:
    """Take another dataset, or its first clouds; what is said of own files is said of no dataset."""
    name, _, count = also.rpartition(":")
    if not (name and count.isdecimal() and int(count)) or Path(also).exists():
        name, count = also, ""
    other = replace(source, source=[name], dataset=None, limit=int(count) if count else None)
    return other if other.is_own else replace(other, up=None, unit=None)


def _validation(sources: Sequence[options.Clouds]) -> "list[CloudDataset]":
    """Open the splits that are there to validate on, where a dataset has one and it can be read."""
    found = []
    for source in sources:
        with suppress(UsageError, InputError):
            found.append(replace(source, split="val", limit=None).open())
    return found
