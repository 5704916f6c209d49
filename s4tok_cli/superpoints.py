"""`s4tok superpoints`: cut clouds into superpoints."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Option

from s4tok.config import Scene, SuperpointConfig, SuperpointPreset
from s4tok_cli import console, options
from s4tok_pipelines.paths import CACHE

OBJECT, ROOM = SuperpointConfig.of("object"), SuperpointConfig.of("room")

Room = Annotated[
    bool | None, Option("--room/--object", help="What own files hold: rooms in metres, or objects.", show_default=False)
]


def _number(help: str, name: str, least: float = 0, most: float | None = None) -> Any:
    """Make an option whose default is another for rooms than for objects, or the same for both."""
    for_object, for_room = (f"{getattr(config, name):g}" for config in (OBJECT, ROOM))
    default = for_object if for_object == for_room else f"{for_object} for objects, {for_room} for rooms"
    return Option(min=least, max=most, help=help, show_default=default)


def superpoints(
    *,
    method: Annotated[
        str, Option(help="cut-pursuit, grid, scannet-segments (ScanNet's own) or labels (yours).")
    ] = SuperpointConfig.method,
    labels: Annotated[
        Path | None, Option(help="With --method labels: a file of labels, one a point, or a folder of them.")
    ] = None,
    preset: Annotated[
        SuperpointPreset,
        Option(
            help="default, or paper: as App. A.1 prints it (oriented normals, scaled features, nothing joined). "
            "Other options overrule it."
        ),
    ] = "default",
    regularization: Annotated[
        float | None, _number("Price of a cut edge; a higher one gives fewer superpoints.", "regularization")
    ] = None,
    smoothness: Annotated[
        float | None,
        _number(
            "Join superpoints whose border bends at most this many times as much as its surroundings; 0 joins none.",
            "smoothness",
        ),
    ] = None,
    smallest: Annotated[
        int | None, _number("Fewest points of a superpoint; smaller ones are merged.", "smallest", 1)
    ] = None,
    smallest_share: Annotated[
        float | None,
        _number(
            "The same as a share of the cloud's points, 0 to 1; the larger of the two counts.", "smallest_share", most=1
        ),
    ] = None,
    voxel: Annotated[
        float | None,
        _number("Metres; cut one point a voxel, and label the others like it. 0 cuts every point.", "voxel"),
    ] = None,
    normal_form: Annotated[
        Literal["outer", "oriented"] | None,
        Option(
            help="How a normal n enters the features: n n^T, which has no sign, or n itself, oriented first (printed).",
            show_default=OBJECT.normal_form,
        ),
    ] = None,
    geometry_weight: Annotated[
        float | None,
        _number("Weight of linear, planar and scattered (Eq. 11) beside the normal; 1 as printed.", "geometry_weight"),
    ] = None,
    sqrt_eigenvalues: Annotated[
        bool | None,
        Option(
            "--sqrt-eigenvalues/--plain-eigenvalues",
            help="Take square roots of the eigenvalues in Eq. 11, as superpoint graphs do; the paper prints none.",
            show_default="plain",
        ),
    ] = None,
    standardized: Annotated[
        bool | None,
        Option(
            "--standardized/--unscaled",
            help="Scale each feature to mean 0 and variance 1 within the cloud.",
            show_default="unscaled",
        ),
    ] = None,
    anchors: Annotated[
        int | None,
        _number("Points among which neighbours for Eq. 10 are searched (farthest point samples).", "anchors", 1),
    ] = None,
    neighbors: Annotated[int | None, _number("Neighbours of a point in Eq. 10, K.", "neighbors", 1)] = None,
    adjacency: Annotated[
        int | None, _number("Nearest neighbours that a point is joined to in the graph that is cut.", "adjacency", 1)
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

    Numbers that are not given are the preset's for objects, or for rooms where the dataset holds rooms.
    """
    from s4tok_cache import Shard
    from s4tok_pipelines.inputs.find_superpoints import open_superpoints
    from s4tok_pipelines.outputs.superpoint_files import export_segments
    from s4tok_pipelines.outputs.superpoint_files import preview as draw_preview
    from s4tok_pipelines.stages.superpoints import superpoints as run

    scene: Scene | None = None if room is None else "room" if room else "object"
    clouds = source.open(scene=scene)
    chosen: dict[str, Any] = {
        "regularization": regularization,
        "smoothness": smoothness,
        "smallest": smallest,
        "smallest_share": smallest_share,
        "voxel": voxel,
        "normal_form": normal_form,
        "geometry_weight": geometry_weight,
        "sqrt_eigenvalues": sqrt_eigenvalues,
        "standardized": standardized,
        "anchors": anchors,
        "neighbors": neighbors,
        "adjacency": adjacency,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    config = replace(SuperpointConfig.of(clouds.scene, preset), method=method, seed=seed, **given)
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
        result = open_superpoints(clouds, cache, config, labels)
        if export_segs:
            count = export_segments(result, export_segs, scannet=clouds.name == "scannet", report=progress)
            console.note(f"{count} segment files: {export_segs}")
        if preview:
            first = next((key for key in clouds.keys if key in result), None)
            if first:
                draw_preview(clouds, first, result, preview)
                console.note(f"{first} coloured by superpoint: {preview}")
    console.finish_stage("clouds cut into superpoints", outcome)
