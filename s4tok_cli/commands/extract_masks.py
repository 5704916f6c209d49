"""`s4tok extract-masks`: cut the frames of scenes into masks."""

from typing import Annotated

from typer import Option

from s4tok.config import VisionConfig
from s4tok_cli import console, model_options, options
from s4tok_cli.commands import Place
from s4tok_cli.commands.render_views import Preview
from s4tok_pipelines.paths import CACHE

PLACE = Place("Stages", 5)
EXAMPLES = (
    "s4tok extract-masks toy-scans --limit 2 --preview masks",
    "s4tok extract-masks data/scannet --model data/masks --workers 0",
)


def extract_masks(
    *,
    source: options.Clouds,
    model: Annotated[
        str,
        Option(
            help="graph (merges pixels, no weights), sam, sam2, or a folder of DIR/SCENE/FRAME.npz or .png.",
            metavar="NAME|DIR",
            rich_help_panel=options.MODELS,
        ),
    ] = "graph",
    pretrained: model_options.Pretrained = VisionConfig.pretrained,
    preview: Preview = None,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
    shard: options.ShardOf = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Cut the RGB-D frames of scenes into masks, and keep the mask of each pixel.

    Superpoints of --method masks are made from them.
    """
    clouds = source.open()  # before PyTorch is imported: what is wrong with it is told at once

    from s4tok.device import pick_device
    from s4tok_cache import Shard
    from s4tok_pipelines.stages.extract_masks import extract_masks as run

    outcome = run(
        clouds,
        cache,
        model,
        pretrained=pretrained,
        step=source.frame_step,
        workers=workers,
        device=pick_device(device),
        shard=Shard.parse(shard),
        overwrite=overwrite,
        preview=preview,
        report=console.Progress(),
    )
    console.finish_stage("frames cut into masks", outcome)
