"""`s4tok superpoints`: cut clouds into superpoints."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Option

from s4tok.config import SegmentConfig, SuperpointConfig, SuperpointPreset
from s4tok.fields import changed
from s4tok_cli import console, options
from s4tok_cli.commands import Place
from s4tok_cli.recipe import Changes, FieldsOf, Part
from s4tok_pipelines.paths import CACHE

PLACE = Place("Stages", 1)
EXAMPLES = (
    "s4tok superpoints toy-scans",
    "s4tok superpoints scan.ply --room --preview superpoints.png",
    "s4tok superpoints data/scannet --preset paper --workers 0",
)

SETTINGS = FieldsOf(
    SuperpointConfig,
    [
        Part(
            "", SuperpointConfig, "Superpoints", ("method", "regularization", "smoothness", "smallest", "voxel"),
            {"sqrt_eigenvalues": "--sqrt-eigenvalues/--plain-eigenvalues",
             "standardized": "--standardized/--unscaled"},
            ("frame_step",),
        )
    ],
    {"objects": SuperpointConfig.of("object"), "rooms": SuperpointConfig.of("room")},
)  # fmt: skip


def superpoints(
    *,
    source: options.Clouds,
    preset: Annotated[
        SuperpointPreset,
        Option(
            help="default, cut-pursuit (the default before), paper (App. A.1), or masks: regions of images.",
            metavar="NAME",
            rich_help_panel="Superpoints",
        ),
    ] = "default",
    settings: Annotated[Changes, SETTINGS],
    labels: Annotated[
        Path | None,
        Option(
            help="For --method labels: a file with a label a point, or a folder of them.",
            show_default="none",
            metavar="PATH",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    room: options.Room = None,
    scale: options.Scale = SegmentConfig.scale,
    preview: Annotated[Path | None, options.picture("Draw the first cloud.", ".png", ".ply")] = None,
    export_segs: Annotated[
        Path | None,
        Option(
            help="Write them as ScanNet's segs.json files.",
            metavar="DIR",
            show_default="none",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    shard: options.ShardOf = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Cut clouds into superpoints: connected pieces of surface.

    Settings differ for objects and rooms; a dataset says which it holds.
    """
    clouds = source.open(room=room, scale=scale)  # before PyTorch is imported: what is wrong with it is told at once

    from s4tok_cache import Shard
    from s4tok_pipelines.inputs.own_clouds import parted
    from s4tok_pipelines.outputs.assumed import tell_assumed
    from s4tok_pipelines.report import joined
    from s4tok_pipelines.stages.superpoints import superpoints as run

    progress, outcomes = console.Progress(), []
    for part in parted(clouds, report=progress):
        tell_assumed(part, progress)
        config = changed(SuperpointConfig.of(part.scene, preset), settings)
        if source.clouds != "frames":
            config = replace(config, frame_step=source.frame_step)
        outcome = run(
            part, cache, config, ready=labels, workers=workers, shard=Shard.parse(shard), overwrite=overwrite,
            report=progress,
        )  # fmt: skip
        outcomes.append(outcome)
        if outcome.figures:
            console.note(_in_words(outcome.figures))
        if not (preview or export_segs):
            continue
        from s4tok_pipelines.inputs.find_superpoints import open_superpoints  # PyTorch, which cutting does without
        from s4tok_pipelines.outputs.superpoint_files import export_segments
        from s4tok_pipelines.outputs.superpoint_files import preview as draw_preview

        result = open_superpoints(part, cache, config, labels)
        if export_segs:
            is_scannet = clouds.name == "scannet"
            count = export_segments(part, result, export_segs, scannet=is_scannet, report=progress)
            console.note(f"{count} segment files: {export_segs}")
        first = next((key for key in part.keys if key in result), None)
        if preview and first:
            draw_preview(part, first, result, preview)
            console.note(f"{first} coloured by superpoint: {preview}")
            preview = None
    console.finish_stage("clouds cut into superpoints", joined(outcomes))


def _in_words(figures: Mapping[str, float]) -> str:
    """Say how fine the superpoints are."""
    return (
        f"{figures['superpoints_median']:g} superpoints a cloud ({figures['superpoints_least']:g} to "
        f"{figures['superpoints_most']:g}), {figures['size_median']:g} points each in the median, "
        f"{figures['share_under_5']:.1%} of points in superpoints under 5; "
        f"{figures['points_per_second']:,.0f} points/s"
    )
