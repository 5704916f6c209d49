"""`s4tok render-views`: draw objects from ten directions."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from s4tok.config import SegmentConfig, ViewConfig
from s4tok_cli import console, options
from s4tok_cli.commands import Place
from s4tok_pipelines.paths import CACHE

PLACE = Place("Stages", 2)
EXAMPLES = (
    "s4tok render-views toy-shapes --limit 10 --preview views",
    "s4tok render-views data/shapenet55 --workers 0",
)
VIEWS = "Views"  # a panel of the help

Preview = Annotated[
    Path | None,
    Option(
        help="Draw sheets of the first clouds into this folder.",
        metavar="DIR",
        show_default="none",
        rich_help_panel=options.OUTPUT,
    ),
]


def render_views(
    *,
    image: Annotated[
        Literal["depth", "shaded"],
        Option(help="Draw depth from the points, or a shaded mesh where there is one.", rich_help_panel=VIEWS),
    ] = "depth",
    projection: Annotated[
        Literal["segmentation", "classification"],
        Option(help="Which of PointCLIP V2's two projections draws depth.", rich_help_panel=VIEWS),
    ] = ViewConfig.projection,
    projection_compat: Annotated[
        Literal["corrected", "pclipv2"],
        Option(
            help="corrected, or as PointCLIP V2's release does, which reads the transposed pixel.",
            rich_help_panel=VIEWS,
            hidden=True,
        ),
    ] = ViewConfig.projection_compat,
    size: Annotated[
        int, Option(min=16, help="Rows and columns of a view.", metavar="N", rich_help_panel=VIEWS)
    ] = ViewConfig.size,
    preview: Preview = None,
    source: options.Clouds,
    room: options.Room = None,
    scale: options.Scale = SegmentConfig.scale,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
    shard: options.ShardOf = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Draw each object from ten directions, and keep which point is at which pixel.

    Rooms with posed images need no views drawn: extract-clip encodes their images.
    """
    clouds = source.open(room=room, scale=scale)  # before PyTorch is imported: what is wrong with it is told at once

    from s4tok.counted import in_short
    from s4tok.device import pick_device
    from s4tok_cache import Shard
    from s4tok_pipelines.inputs.own_clouds import parted
    from s4tok_pipelines.outputs.assumed import tell_assumed
    from s4tok_pipelines.report import joined
    from s4tok_pipelines.stages.render_views import render_views as run

    progress, outcomes = console.Progress(), []
    config = ViewConfig(image=image, projection=projection, projection_compat=projection_compat, size=size)
    parts = parted(clouds, report=progress)
    for part in parts:
        if part.scene == "room" and len(parts) > 1:
            progress.note(f"rooms are not drawn from outside, and left out: {in_short(part.keys)}")
            continue
        tell_assumed(part, progress)
        outcome = run(
            part,
            cache,
            config,
            shard=Shard.parse(shard),
            workers=workers,
            device=pick_device(device),
            overwrite=overwrite,
            preview=preview,
            report=progress,
        )
        outcomes.append(outcome)
    console.finish_stage("clouds drawn from ten directions", joined(outcomes))
