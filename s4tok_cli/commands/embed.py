"""`s4tok embed`: write features of tokens, points and whole clouds."""

from pathlib import Path
from typing import Annotated

from typer import Option

from s4tok.config import SegmentConfig, VisionConfig
from s4tok.fields import changed
from s4tok_cli import console, model_options, options
from s4tok_cli.commands import Place
from s4tok_cli.recipe import Changes, FieldsOf, Part
from s4tok_pipelines.paths import CACHE

PLACE = Place("Results", 4)
EXAMPLES = (
    "s4tok embed chair.ply --out features",
    "s4tok embed toy-shapes --checkpoint s4token --auto",
)

SETTINGS = FieldsOf(
    SegmentConfig,
    [
        Part("", SegmentConfig, "Encoding", ("window", "votes", "seed"), {},
             ("overlap", "smallest_window", "large", "pool", "calibrate", "calibration_share", "unknown", "draws",
              "level"),
             dict.fromkeys(("n_points", "n_tokens", "window", "attend"), "as trained"))
    ],
    {"all": SegmentConfig()},
)  # fmt: skip


def embed(
    *,
    source: options.Clouds,
    room: options.Room = None,
    settings: Annotated[Changes, SETTINGS],
    checkpoint: model_options.Checkpoint = None,
    clip: model_options.CheckpointsClip = None,
    pretrained: model_options.Pretrained = VisionConfig.pretrained,
    out: Annotated[
        Path | None, options.out("own files: embeddings, datasets: the cache", "Folder for the results.")
    ] = None,
    each_point: Annotated[
        bool,
        Option("--each-point", help="Write each point's feature too.", rich_help_panel=options.OUTPUT),
    ] = False,
    auto: options.Auto = False,
    overwrite: options.Overwrite = False,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    shard: options.ShardOf = None,
    device: options.Device = "auto",
) -> None:
    """Write features of tokens, superpoints and whole clouds, which compare with those of texts.

    A dataset's go into the cache, those of your own files into an .npz each.
    """
    from s4tok.models.checkpoint_files import find_checkpoint
    from s4tok.vision.weights import probe

    config = changed(SegmentConfig(), settings)
    clouds = source.open(room=room)  # before PyTorch is imported: what is wrong with it is told at once
    if checkpoint is not None:
        find_checkpoint(checkpoint)  # and so is what is no checkpoint
    probe(clip, pretrained)  # and weights out of reach

    from s4tok_cache import Shard
    from s4tok_pipelines.inputs.models import ModelNames
    from s4tok_pipelines.stages.embed import embed_by_name

    outcome = embed_by_name(
        clouds,
        cache,
        ModelNames(checkpoint, clip, pretrained, device=device),
        config,
        out=out,
        each_point=each_point,
        auto=auto,
        workers=workers,
        shard=Shard.parse(shard),
        overwrite=overwrite,
        report=console.Progress(),
    )
    console.finish_stage("clouds embedded", outcome)
