"""`s4tok extract-features`: encode views with a frozen 2D model."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from typer import Option

from s4tok.config import (
    Scene,
    SegmentConfig,
    SuperpointConfig,
    SuperpointPreset,
    ViewConfig,
    VirtualConfig,
    VisionConfig,
)
from s4tok_cli import console, model_options, options
from s4tok_cli.commands import Place
from s4tok_cli.commands.render_views import VIEWS, Preview
from s4tok_pipelines.paths import CACHE

PLACE = Place("Stages", 3)
EXAMPLES = (
    "s4tok extract-features toy-shapes --model mini --auto",
    "s4tok extract-features data/shapenet55 --model dinov2-small --auto",
)


@dataclass(frozen=True)
class Extraction:
    """The options of extract-features and extract-clip that are not about the model."""

    room: options.Room = None
    scale: options.Scale = SegmentConfig.scale
    superpoints: Annotated[
        SuperpointPreset | None,
        Option(
            help="Which superpoints, where there are several.",
            show_default="the only ones",
            rich_help_panel=options.INPUT,
        ),
    ] = None
    image: Annotated[
        Literal["color", "depth", "shaded"] | None,
        Option(
            help="Which kind of views, where there are several.", show_default="the only ones", rich_help_panel=VIEWS
        ),
    ] = None
    projection_compat: Annotated[
        Literal["corrected", "pclipv2"] | None,
        Option(
            help="How views were projected, where there are several kinds.",
            show_default="the only ones",
            rich_help_panel=VIEWS,
            hidden=True,
        ),
    ] = None
    frames: Annotated[
        bool | None,
        Option(
            "--frames/--no-frames",
            help="Encode camera images instead of drawn views.",
            show_default="of rooms",
            rich_help_panel=VIEWS,
        ),
    ] = None
    virtual: Annotated[
        bool,
        Option(
            "--virtual",
            help="Encode frames of virtual cameras in place of posed images, or of drawn views.",
            rich_help_panel=VIEWS,
            hidden=True,
        ),
    ] = False
    zoom: Annotated[
        float | None,
        Option(
            min=1, max=10, help="Crop frames into squares so many times smaller.", metavar="X",
            show_default="as the model was trained", rich_help_panel=VIEWS, hidden=True,
        ),
    ] = None  # fmt: skip
    occlusion: Annotated[
        Literal["openscene", "open3dis"],
        Option(help="Rule that decides which points a frame shows.", rich_help_panel=VIEWS, hidden=True),
    ] = ViewConfig.occlusion
    pool: Annotated[
        Literal["mean", "max"],
        Option(
            help="Keep the mean feature of a superpoint, or the largest of each number.",
            rich_help_panel=VIEWS,
            hidden=True,
        ),
    ] = "mean"
    batch: Annotated[int, Option(min=1, help="Images encoded together.", metavar="N")] = 64
    auto: options.Auto = False
    workers: options.Workers = 1
    preview: Preview = None
    prompt: Annotated[
        list[str] | None,
        Option(
            help="For --preview: a text to compare superpoints with; repeat it for more.",
            metavar="TEXT",
            show_default="the categories",
            rich_help_panel=options.OUTPUT,
            hidden=True,
        ),
    ] = None
    cache: options.Cache = CACHE
    device: Annotated[
        str,
        Option(help="Where the model computes: auto, cpu, cuda, or several GPUs, as cuda:0,cuda:1.", metavar="DEVICE"),
    ] = "auto"
    shard: options.ShardOf = None
    overwrite: options.Overwrite = False


def extract_features(
    *,
    model: Annotated[
        str,
        Option(
            help="mini, siglip-base, dinov2-small, clip:ViT-B-16, an open_clip name, a folder, hf-hub:owner/model.",
            metavar="NAME|DIR",
            rich_help_panel=options.MODELS,
        ),
    ] = VisionConfig.model,
    pretrained: model_options.Pretrained = VisionConfig.pretrained,
    source: options.Clouds,
    how: Extraction,
) -> None:
    """Encode views or camera images with a frozen 2D model, and keep each superpoint's mean feature."""
    extract(VisionConfig(model, pretrained), source, how)


def extract(config: VisionConfig, source: options.Clouds, how: Extraction) -> None:
    """Run the stage with these options, and tell how it ended."""
    from s4tok.vision.weights import probe

    # Before PyTorch is imported, so that what is wrong is told at once, and weights out of reach too.
    clouds = source.open(room=how.room, scale=how.scale)
    probe(config.model, config.pretrained)

    from s4tok.device import pick_devices
    from s4tok_cache import Shard
    from s4tok_pipelines.inputs.own_clouds import parted
    from s4tok_pipelines.outputs.assumed import tell_assumed
    from s4tok_pipelines.report import joined
    from s4tok_pipelines.stages.extract_features import extract_features as run

    progress, outcomes = console.Progress(), []
    for part in parted(clouds, report=progress):
        tell_assumed(part, progress)
        outcome = run(
            part,
            how.cache,
            config,
            _views(config, how, source.frame_step if _is_by_frames(part.scene, how) else None),
            superpoints=None if how.superpoints is None else _superpoints(how.superpoints, part.scene, source),
            frames=True if how.virtual else how.frames,
            virtual=VirtualConfig() if how.virtual else None,
            pool=how.pool,
            batch=how.batch,
            auto=how.auto,
            workers=how.workers,
            devices=pick_devices(how.device),
            shard=Shard.parse(how.shard),
            overwrite=how.overwrite,
            preview=how.preview,
            prompts=how.prompt or [],
            report=progress,
        )
        outcomes.append(outcome)
    console.finish_stage("clouds processed", joined(outcomes))


def _superpoints(preset: SuperpointPreset, scene: Scene, source: options.Clouds) -> SuperpointConfig:
    config = SuperpointConfig.of(scene, preset)
    return config if source.clouds == "frames" else replace(config, frame_step=source.frame_step)


def _is_by_frames(scene: Scene, how: Extraction) -> bool:
    return how.virtual or (scene == "room" if how.frames is None else how.frames)


def _views(config: VisionConfig, how: Extraction, frame_step: int | None) -> ViewConfig | None:
    """Give the views that are asked for, every so-many-th frame or drawn ones; None for drawn ones of any kind."""
    if frame_step is not None:
        usual = ViewConfig.of_frames(config.model)
        return replace(
            usual,
            image=how.image or usual.image,
            zoom=how.zoom or usual.zoom,
            frame_step=frame_step,
            occlusion=how.occlusion,
        )
    if not (how.image or how.projection_compat):
        return None
    drawn = ViewConfig()
    return replace(
        drawn,
        image=how.image or drawn.image,
        projection_compat=how.projection_compat or drawn.projection_compat,
    )
