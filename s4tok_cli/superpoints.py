"""`s4tok superpoints`: cut clouds into superpoints."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Option

from s4tok.config import CACHE, Scene, SuperpointConfig
from s4tok_cli import console, options

Room = Annotated[
    bool | None, Option("--room/--object", help="What own files hold: rooms in metres, or objects.", show_default=False)
]


def superpoints(
    *,
    method: Annotated[
        str, Option(help="cut-pursuit, grid, scannet-segments (ScanNet's own) or labels (yours).")
    ] = SuperpointConfig.method,
    labels: Annotated[
        Path | None, Option(help="With --method labels: a file of labels, one a point, or a folder of them.")
    ] = None,
    regularization: Annotated[
        float | None, Option(min=0, help="Price of a cut edge; more gives fewer superpoints.", show_default=False)
    ] = None,
    smoothness: Annotated[
        float | None, Option(min=0, help="Join pieces whose border is so smooth; 0 joins none.", show_default=False)
    ] = None,
    smallest: Annotated[int | None, Option(min=1, help="Points a superpoint has at least.", show_default=False)] = None,
    voxel: Annotated[
        float | None, Option(min=0, help="Metres; cut on one point a voxel. 0 cuts every point.", show_default=False)
    ] = None,
    room: Room = None,
    preview: Annotated[
        Path | None, Option(help="Draw the first cloud by superpoint, as .png or .ply.", metavar="FILE")
    ] = None,
    export_segs: Annotated[
        Path | None, Option(help="Write ScanNet-compatible segs.json files into a folder.", metavar="DIR")
    ] = None,
    source: options.Clouds,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    shard: options.ShardOf = None,
    seed: options.Seed = SuperpointConfig.seed,
    overwrite: options.Overwrite = False,
) -> None:
    """Cut clouds into superpoints: pieces of one kind of surface.

    Numbers that are not given are those of objects, or of rooms where the dataset holds rooms.
    """
    from s4tok_cache import Shard
    from s4tok_pipelines.superpoint_files import export_segments
    from s4tok_pipelines.superpoint_files import preview as draw_preview
    from s4tok_pipelines.superpoints import made
    from s4tok_pipelines.superpoints import superpoints as run

    scene: Scene | None = None if room is None else "room" if room else "object"
    clouds = source.open(scene=scene)
    chosen = {"regularization": regularization, "smoothness": smoothness, "smallest": smallest, "voxel": voxel}
    given = {name: value for name, value in chosen.items() if value is not None}
    config = replace(SuperpointConfig.of(clouds.scene), method=method, seed=seed, **given)  # type: ignore[arg-type]
    progress = console.Progress()
    outcome = run(
        clouds,
        cache,
        config,
        ready=labels,
        workers=workers,
        shard=Shard.parse(shard),
        overwrite=overwrite,
        report=progress,
    )
    figures = outcome.figures
    if figures:
        console.note(
            f"{figures['superpoints_median']:g} superpoints a cloud ({figures['superpoints_least']:g} to "
            f"{figures['superpoints_most']:g}), {figures['size_median']:g} points each in the median, "
            f"{figures['share_under_5']:.1%} of points in superpoints under 5; "
            f"{figures['points_per_second']:,.0f} points/s"
        )
    if preview or export_segs:
        result = made(clouds, cache, config, labels)
        if export_segs:
            count = export_segments(result, export_segs, scannet=clouds.name == "scannet", report=progress)
            console.note(f"{count} segment files: {export_segs}")
        if preview:
            first = next((key for key in clouds.keys if key in result), None)
            if first:
                draw_preview(clouds, first, result, preview)
                console.note(f"{first} coloured by superpoint: {preview}")
    console.finish_stage("clouds cut into superpoints", outcome)
