"""`s4tok finetune`: learn labels with a checkpoint's tokenizer and a head."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast, get_args

from typer import Option

from s4tok.config import (
    NO_CHECKPOINT,
    BackboneConfig,
    DetectionPreset,
    DetectorConfig,
    EncoderConfig,
    FinetuneConfig,
    FinetunePreset,
    FinetuneRecipe,
    FinetuneTask,
    HeadConfig,
    Protocol,
    SegmentConfig,
    Speedups,
    TokenizerConfig,
    ZeroShotConfig,
    detection_recipe,
)
from s4tok.errors import InputError, UsageError
from s4tok.fields import changed
from s4tok_cli import console, options, run_options
from s4tok_cli.commands import Place
from s4tok_cli.recipe import Changes, FieldsOf, Part
from s4tok_pipelines.paths import CACHE

if TYPE_CHECKING:
    from s4tok.datasets.dataset import CloudDataset

PLACE = Place("Stages", 7)
EXAMPLES = (
    "s4tok finetune toy-scans --shots 10 --auto",
    "s4tok finetune labelled/ --labels wall,floor,chair --out runs/mine",
)

AnyPreset: TypeAlias = Literal[
    "toy", "table1", "tableA-parts", "tableA-s3dis", "sam", "sam-toy", "scannet", "sunrgbd", "ablation",
    "groupfree-scannet", "groupfree-sunrgbd",
]  # fmt: skip

RECIPE = FieldsOf(
    FinetuneRecipe,
    (
        Part("", FinetuneRecipe, "Models", ("task", "checkpoint"), {}, ("protocol",),
             {"task": "the data's", "clip": "the checkpoint's", "pretrained": "its usual ones",
              "group_as": "the checkpoint", "n_points": "the tokenizer's", "n_tokens": "the tokenizer's"}),
        Part("tokenizer", TokenizerConfig, "Models", (), {},
             tuple(name for name in TokenizerConfig.__dataclass_fields__ if name != "tokenizer")),
        Part("encoder", EncoderConfig, "Models"),
        Part("backbone", BackboneConfig, "Models", (), {"width": "--backbone-width", "layers": "--backbone-layers",
             "heads": "--backbone-heads"}, ("mlp_ratio",)),
        Part("head", HeadConfig, "Training"),
        Part("detector", DetectorConfig, "Models", (), {"encoder": "--scene-encoder"},
             tuple(sorted(DetectorConfig.__dataclass_fields__.keys() - {"encoder", "decoder", "queries"}))),
        Part("training", FinetuneConfig, "Training", ("train", "shots", "epochs", "learning_rate"),
             {"learning_rate": "--lr", "windows": "--windows-per-room"}, (),
             {"shots": "all", "labels_fraction": "all", "window": "the checkpoint's"}),
    ),
    {"toy": FinetuneRecipe.of("toy"), "tables": FinetuneRecipe.of("tableA-parts")},
)  # fmt: skip


def finetune(
    *,
    source: options.Clouds,
    preset: Annotated[
        AnyPreset,
        Option(
            help="toy, table1, tableA-parts, tableA-s3dis, sam, sam-toy; boxes: toy, scannet, sunrgbd, ablation.",
            metavar="NAME",
            rich_help_panel="Training",
        ),
    ] = "toy",
    protocol: Annotated[
        Protocol | None,
        Option(
            help="How S3DIS is cut; figures of different protocols do not compare.",
            show_default="the preset's",
            rich_help_panel="Training",
            hidden=True,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        Option(
            help="What 0, 1, ... mean in own files.",
            metavar="NAME,...",
            show_default="the dataset's",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    room: options.Room = None,
    scale: options.Scale = SegmentConfig.scale,
    recipe: Annotated[Changes, RECIPE],
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
    """Train on labelled clouds: parts, rooms or objects, or boxes in rooms.

    Its run folder is a checkpoint for segment, classify or detect.
    """
    from s4tok.models.checkpoint_files import find_checkpoint
    from s4tok.vision.weights import probe
    from s4tok.zero_shot.prompts import read_labels

    config = changed(_numbers(preset, recipe.get("task"), protocol), recipe)
    clouds = source.open(room=room, scale=scale)  # before PyTorch is imported: what is wrong is told at once
    finds_boxes = config.task == "detection"
    needs_clip = config.detector.encoder == "clip" if finds_boxes else config.transformer == "clip"
    if config.checkpoint == NO_CHECKPOINT and needs_clip:
        probe(config.clip or ZeroShotConfig.clip, config.pretrained)
    elif config.checkpoint != NO_CHECKPOINT:
        find_checkpoint(config.checkpoint)
        probe(config.clip, config.pretrained)

    from s4tok.device import pick_device
    from s4tok_pipelines.stages.finetune import finetune as run
    from s4tok_pipelines.training.ranks import from_environment

    is_first = from_environment().is_first
    outcome = run(
        clouds,
        cache,
        config,
        labels=() if labels is None else read_labels(labels),
        validation=_validation(source) if clouds.split == "train" else (),
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


def _numbers(preset: AnyPreset, task: FinetuneTask | None, protocol: Protocol | None) -> FinetuneRecipe:
    """Give the numbers of a preset; `toy` has some for labels and some for boxes."""
    if preset in get_args(DetectionPreset) and (task == "detection" or preset not in get_args(FinetunePreset)):
        if task not in (None, "detection"):
            raise UsageError(f"preset {preset} is for --task detection.")
        return detection_recipe(cast(DetectionPreset, preset))
    if task == "detection":
        raise UsageError(f"preset {preset} is for labels.", f"for boxes: {', '.join(get_args(DetectionPreset))}.")
    return FinetuneRecipe.of(cast(FinetunePreset, preset), protocol)


def _validation(source: options.Clouds) -> "list[CloudDataset]":
    """Open the split that is there to validate on, where the dataset has one and it can be read."""
    with suppress(UsageError, InputError):
        return [replace(source, split="val", limit=None).open()]
    return []
