"""`s4tok segment`: name every point with words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Option

from s4tok.config import (
    CALIBRATION_SHARE,
    ROOM_FROM,
    ROOM_WINDOW,
    STUDENTS,
    ClipConfig,
    Scene,
    SegmentConfig,
    ZeroShotConfig,
)
from s4tok.errors import InputError, MissingError, UsageError
from s4tok_cli import console, options
from s4tok_cli.superpoints import Room
from s4tok_pipelines.paths import CACHE, SEGMENTS

if TYPE_CHECKING:
    from s4tok.datasets.dataset import CloudDataset
    from s4tok.metrics.labels import Interval
    from s4tok.models.checkpoint import Student
    from s4tok.vision.frozen_clip import FrozenClip
    from s4tok.zero_shot.point_figures import PartFigures, SceneFigures
    from s4tok_pipelines.stages.segment import Segmented


def segment(
    *,
    labels: Annotated[
        str | None, Option(help='What points may be: "wall,floor,chair"; a dataset\'s own classes or parts otherwise.')
    ] = None,
    category: Annotated[str | None, Option(help="What --labels are parts of: chair.")] = None,
    checkpoint: options.Checkpoint = None,
    clip: options.StudentsClip = ZeroShotConfig.clip,
    pretrained: options.Pretrained = ClipConfig.pretrained,
    teacher_only: Annotated[
        bool, Option("--teacher-only", help="The 2D baseline: what s4tok extract-clip has seen of each superpoint.")
    ] = False,
    prompts: options.Prompts = None,
    calibrate: Annotated[
        Literal["none", "mean"] | None,
        Option(
            help="mean subtracts from each label's cosines a share of its mean cosine over the training points; "
            "it needs no labels. none does not.",
            show_default="as the checkpoint's card says",
        ),
    ] = None,
    calibration_share: Annotated[
        float | None,
        Option(
            min=0,
            help="The share that is subtracted.",
            metavar="S",
            show_default=f"the card's, or {CALIBRATION_SHARE:g}",
        ),
    ] = None,
    unknown: Annotated[
        float | None,
        Option(
            help="Leave points without a label if the cosine of the best one, before calibration, is lower.",
            show_default=False,
        ),
    ] = None,
    pool: Annotated[bool, Option("--pool", help="Let all points of a superpoint have one label.")] = SegmentConfig.pool,
    window: Annotated[
        float | None,
        Option(
            min=0,
            help="Metres; the side of the columns that are encoded one by one. 0 takes each cloud whole.",
            show_default=f"as trained; {ROOM_WINDOW:g} in rooms for a checkpoint of objects",
        ),
    ] = None,
    windows: Annotated[
        Literal["columns", "superpoints"],
        Option(
            help="columns of --window, or superpoints: each large flat one is encoded alone, and so is each group of "
            "the other points that --gap parts from the rest."
        ),
    ] = SegmentConfig.windows,
    gap: Annotated[
        float | None,
        Option(
            min=0.001, help="Metres between groups of --windows superpoints.", show_default=f"{SegmentConfig.gap:g}"
        ),
    ] = None,
    n_points: Annotated[
        int | None,
        Option(min=1, help="Points sampled of each window.", show_default="as the checkpoint was trained"),
    ] = None,
    n_tokens: Annotated[
        int | None, Option(min=1, help="Tokens of each window.", show_default="as the checkpoint was trained")
    ] = None,
    attend: Annotated[
        float | None,
        Option(
            min=0,
            help="Limit each token's attention to so many grouping radii; 0 is no limit.",
            show_default="as the checkpoint was trained",
        ),
    ] = None,
    votes: Annotated[
        int, Option(min=1, help="Samples of each window whose answers are averaged; 10 is the literature's voting.")
    ] = SegmentConfig.votes,
    scale: Annotated[
        float, Option(help="Multiply every cloud by this; 0.001 reads millimetres.")
    ] = SegmentConfig.scale,
    room: Room = None,
    out: options.Out = None,
    formats: Annotated[
        str, Option("--format", help="What to write of each cloud: ply, npy, txt and scores, or some of them.")
    ] = "ply,npy,txt,scores",
    html: Annotated[bool, Option("--html", help="Write a page to look at each cloud in a browser.")] = False,
    preview: Annotated[
        Path | None, Option(help="Draw the first clouds, truth beside names, into this .png.", metavar="FILE.png")
    ] = None,
    auto: options.Auto = False,
    source: options.Clouds,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
    seed: options.Seed = SegmentConfig.seed,
) -> None:
    """Name every point with words: a dataset's by its classes or parts, files of your own by --labels.

    Nobody has trained for the words: a point is what its feature is nearest to among the sentences of --prompts.
    Labels of your own files go to segments/, a dataset's only where --out says.
    """
    from s4tok.vision.weights import probe
    from s4tok.zero_shot.prompts import TUNED, load_prompts, read_labels, set_for

    names = [] if labels is None else read_labels(labels)
    said = load_prompts(prompts or set_for(clip))
    if teacher_only and votes != SegmentConfig.votes:
        raise UsageError("views show every point: --votes is for students.")
    if teacher_only and (attend is not None or windows != SegmentConfig.windows):
        raise UsageError("the 2D baseline has no tokens: --attend and --windows are for checkpoints.")
    if windows == "superpoints" and window is not None:
        raise UsageError("--window is the side of columns, and --windows superpoints has none.")
    if windows == "columns" and gap is not None:
        raise UsageError("--gap is for --windows superpoints.")
    if calibrate == "none" and calibration_share is not None:
        raise UsageError("--calibration-share is for --calibrate mean, and --calibrate is none.")
    if scale <= 0:
        raise UsageError(f"--scale must be positive, and is {scale:g}.")
    probe(clip, pretrained)  # before PyTorch is imported: weights out of reach are told at once

    from s4tok.datasets.own_files import OwnFiles
    from s4tok.models.checkpoint import load_student
    from s4tok.vision.frozen_clip import FrozenClip
    from s4tok_cache.files import write_whole
    from s4tok_pipelines.outputs.labelled_clouds import read_formats
    from s4tok_pipelines.outputs.results import plain, write_json
    from s4tok_pipelines.outputs.segment_sheets import Sheet
    from s4tok_pipelines.runtime import pick_device
    from s4tok_pipelines.stages.segment import Files
    from s4tok_pipelines.stages.segment import segment as run

    scene: Scene | None = None if room is None else "room" if room else "object"
    written = read_formats(formats)
    clouds = source.open(scene=scene, prefer=["test", "val"])
    if not names and not clouds.classes:
        raise UsageError(
            f"nothing says what the points of {clouds.name} may be.", 'for example --labels "wall,floor,chair".'
        )
    own = isinstance(clouds, OwnFiles)
    if own and scene is None:
        _guess_scene(clouds, scale)
    where = pick_device(device)
    frozen = FrozenClip.load(clip, pretrained, where)
    student = None if teacher_only else load_student(checkpoint or STUDENTS[clouds.scene], frozen, where)
    if said.name == TUNED:
        console.note("PointCLIP V2's prompts were chosen on the labels of a test split: this is not zero-shot.")
    if own and student is not None:
        console.note(f"superpoints of files of your own are made as they are needed, and kept in {cache}")
    config = SegmentConfig(
        n_points, n_tokens, window, windows=windows, gap=SegmentConfig.gap if gap is None else gap, attend=attend,
        votes=votes, pool=pool, calibrate=calibrate, calibration_share=calibration_share,
        unknown=unknown, scale=scale, seed=seed,
    )  # fmt: skip
    by = None
    if teacher_only and calibrate != "none":
        is_asked = calibrate is not None or calibration_share is not None
        by = _calibrating(checkpoint or STUDENTS[clouds.scene], frozen, where, is_asked=is_asked)
    folder = out or (SEGMENTS if own else None)
    sheet = Sheet(clouds)
    found = run(
        clouds,
        cache,
        frozen,
        student,
        said,
        config,
        labels=names,
        category=category,
        calibrated_by=by,
        files=None if folder is None else Files(folder, written, html),
        watch=sheet.add if preview else None,
        auto=auto or own,
        workers=workers,
        report=console.Progress(),
    )
    facts = {**plain(found.facts()), "out": None if folder is None else str(folder)}
    _tell(found)
    if preview:
        write_whole(preview, sheet.png(), parents=True)
        console.note(f"{len(sheet.cells)} clouds in the colours of their names: {preview}")
    if folder is not None:
        write_json(folder / "result.json", {**facts, "failures": [vars(failure) for failure in found.failures]})
        console.note(f"labels, and all that is needed to make them again: {folder}")
    console.finish(facts, found.failures)


def _calibrating(name: str, clip: "FrozenClip", device: str, *, is_asked: bool) -> "Student | None":
    """Load the checkpoint that calibrates the 2D baseline: where that is asked for, or its card says so."""
    from s4tok.models.checkpoint import find_student, load_student, read_card
    from s4tok.models.trained import Trained

    if not is_asked:
        try:
            card = read_card(find_student(name))
        except MissingError:
            return None  # a copy of s4tok without checkpoints has the baseline nonetheless
        if card["clip"]["weights"] != clip.sha256 or not Trained.of(card).calibration_share:
            return None
    return load_student(name, clip, device)


def _guess_scene(clouds: "CloudDataset", scale: float) -> None:
    """Take files of one's own for rooms when the first that can be read is as long as one."""
    for key in clouds.keys:
        try:
            longest = scale * clouds[key].extent
        except InputError:
            continue  # told when it is its turn
        if longest >= ROOM_FROM:
            clouds.scene = "room"
            console.note(f"{key} is {longest:.1f} long, and taken for a room in metres; --object says it is none")
        return


def _tell(found: "Segmented") -> None:
    """Show what there is of each name, and how right the names are."""
    from s4tok.zero_shot.point_figures import PartFigures, SceneFigures

    about, best = found.about, found.best_cosine
    if isinstance(found.figures, SceneFigures):
        _tell_scenes(found.figures, found.clouds)
    elif isinstance(found.figures, PartFigures):
        _tell_parts(found.figures, found.clouds)
    else:
        total = sum(found.points.values())
        rows = [(name, f"{count:,}", _share(count / total)) for name, count in found.points.items()]
        console.table(("label", "points", "share"), rows)
    who = "CLIP in 2D" if about["student"] is None else f"student {about['student']['name']}"
    console.result(
        f"{found.clouds} clouds of {about['dataset']} {about['split']}; {who}, CLIP {about['clip']['clip']}, prompts "
        f"{about['prompts']['name']} {about['prompts']['sha256'][:8]}, {', '.join(about['superpoints'])}"
        f"{_calibration(found)}"
    )
    spread = ", ".join(f"{cosine:.3f} at {share}" for share, cosine in best.items())
    console.note(f"cosine of points with their names, for --unknown: {spread}")


def _calibration(found: "Segmented") -> str:
    """Say how labels were calibrated, and what the means would be without."""
    by, share = found.about["calibrated_by"], found.about["calibration_share"]
    if by is None:
        return ""
    titles = {"miou": "mIoU", "macc": "mAcc", "miou_i": "mIoU_I", "miou_c": "mIoU_C", "miou_part": "mIoU_part"}
    before = ", ".join(f"{titles[name]} {_share(figure)}" for name, figure in found.uncalibrated.items())
    return (
        f"; calibrated by {share:g} of each label's mean cosine, of checkpoint {by['checkpoint']}"
        f"{f' (without: {before})' if before else ''}"
    )


def _tell_scenes(figures: "SceneFigures", n_clouds: int) -> None:
    right, points = figures.scores, figures.counts.sum(axis=1)
    rows = [
        (name, f"{count:,}", _share(iou), _share(recall))
        for name, count, iou, recall in zip(figures.classes, points, right.iou, right.recall, strict=True)
    ]
    console.table(("class", "points", "IoU", "recall"), rows)
    console.result(
        f"mIoU {_share(right.miou)}{_range(figures.miou, n_clouds)}, mAcc {_share(right.macc)}, accuracy "
        f"{_share(right.accuracy)}; by OpenScene's count mIoU {_share(figures.openscene.miou)}"
    )


def _tell_parts(figures: "PartFigures", n_clouds: int) -> None:
    right = figures.scores
    rows = [
        (name, f"{count:,}", _share(iou))
        for (name, count), iou in zip(figures.objects.items(), right.by_category, strict=True)
    ]
    console.table(("category", "objects", "mIoU_I"), rows)
    console.result(
        f"mIoU_I {_share(right.miou_i)}{_range(figures.miou_i, n_clouds)}, mIoU_C {_share(right.miou_c)}, "
        f"mIoU_part {_share(right.miou_part)}, accuracy {_share(figures.accuracy)}"
    )


def _range(interval: "Interval", n_clouds: int) -> str:
    """Write an interval; one cloud has none."""
    if n_clouds < 2:
        return ""
    return f" ({SegmentConfig.level:.0%} interval {_share(interval.low)} to {_share(interval.high)})"


def _share(fraction: float) -> str:
    return "" if fraction != fraction else f"{fraction:.1%}"
