"""`s4tok extract-clip`: let a frozen CLIP look at the views."""

from dataclasses import replace
from typing import Annotated, Literal

from typer import Option

from s4tok.config import SuperpointConfig, SuperpointPreset, ViewConfig, VisionConfig
from s4tok_cli import console, options
from s4tok_cli.render_views import Preview
from s4tok_pipelines.paths import CACHE


def extract_clip(
    *,
    clip: Annotated[
        str, Option(help='An open_clip name, a folder, "hf-hub:owner/model", or "mini".')
    ] = VisionConfig.model,
    pretrained: options.Pretrained = VisionConfig.pretrained,
    dense: Annotated[
        Literal["last", "maskclip"], Option(help="Features of patches: the last layer's, or its value path.")
    ] = VisionConfig.dense,
    superpoints: Annotated[
        SuperpointPreset | None,
        Option(help="Which superpoints, where there are several: the default's or the paper's.", show_default=False),
    ] = None,
    image: Annotated[
        Literal["color", "depth", "shaded"] | None,
        Option(
            help="Which views, where several were drawn; for frames, their colour or their depth.", show_default=False
        ),
    ] = None,
    projection_compat: Annotated[
        Literal["corrected", "pclipv2"] | None,
        Option(help="Which views, where several were drawn.", show_default=False),
    ] = None,
    frames: Annotated[
        bool | None,
        Option("--frames/--no-frames", help="Look at posed images; without, only of rooms.", show_default=False),
    ] = None,
    frame_step: Annotated[int, Option(min=1, help="Take every n-th frame.")] = ViewConfig.frame_step,
    zoom: Annotated[
        float | None,
        Option(min=1, max=10, help="See frames through squares so many times smaller.", show_default=False),
    ] = None,
    occlusion: Annotated[
        Literal["openscene", "open3dis"], Option(help="How a frame tells what is hidden from it.")
    ] = ViewConfig.occlusion,
    batch: Annotated[int, Option(min=1, help="Pictures looked at together.")] = 64,
    auto: options.Auto = False,
    preview: Preview = None,
    prompt: Annotated[
        list[str] | None, Option(help="For --preview: what points may be called; repeat it.", show_default=False)
    ] = None,
    source: options.Clouds,
    cache: options.Cache = CACHE,
    device: options.Device = "auto",
    shard: options.ShardOf = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Let a frozen CLIP look at drawn views or posed images, and keep what it sees of each superpoint."""
    from s4tok.vision.weights import probe

    probe(clip, pretrained)  # before PyTorch is imported: weights out of reach are told at once

    from s4tok_cache import Shard
    from s4tok_pipelines.runtime import pick_device
    from s4tok_pipelines.stages.extract_features import extract_features as run

    clouds = source.open()
    config = VisionConfig(clip, pretrained, dense)
    views: ViewConfig | None = None
    by_frames = clouds.scene == "room" if frames is None else frames
    if by_frames:
        usual = ViewConfig.of_frames(clip)
        views = replace(
            usual, image=image or usual.image, zoom=zoom or usual.zoom, frame_step=frame_step, occlusion=occlusion
        )
    elif image or projection_compat:
        views = replace(
            ViewConfig(),
            image=image or ViewConfig.image,
            projection_compat=projection_compat or ViewConfig.projection_compat,
        )
    outcome = run(
        clouds,
        cache,
        config,
        views,
        superpoints=None if superpoints is None else SuperpointConfig.of(clouds.scene, superpoints),
        frames=frames,
        batch=batch,
        auto=auto,
        device=pick_device(device),
        shard=Shard.parse(shard),
        overwrite=overwrite,
        preview=preview,
        prompts=prompt or [],
        report=console.Progress(),
    )
    console.finish_stage("clouds looked at", outcome)
