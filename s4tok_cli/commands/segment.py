"""`s4tok segment`: name every point with words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from s4tok.config import SegmentConfig
from s4tok.errors import UsageError
from s4tok.fields import changed
from s4tok_cli import console, model_options, options
from s4tok_cli.commands import Place
from s4tok_cli.provenance import in_words
from s4tok_cli.recipe import Changes, FieldsOf, Part
from s4tok_pipelines.outputs.formats import BOX_FORMATS, BOX_USUAL, USUAL
from s4tok_pipelines.paths import CACHE, SEGMENTS

if TYPE_CHECKING:
    from s4tok.metrics.labels import Interval
    from s4tok.zero_shot.box_figures import BoxFigures
    from s4tok.zero_shot.point_figures import PartFigures, SceneFigures
    from s4tok_pipelines.stages.segment import Segmented

PLACE = Place("Results", 2)
EXAMPLES = (
    "s4tok segment chair.ply --labels seat,back,leg",
    "s4tok segment scan.ply --labels wall,floor,table --html",
    "s4tok segment toy-scans --auto",
)


SETTINGS = FieldsOf(
    SegmentConfig,
    [
        Part("", SegmentConfig, "Labelling", ("window", "unknown"), {},
             ("overlap", "smallest_window", "large", "draws", "level"),
             dict.fromkeys(
                 ("n_points", "n_tokens", "window", "attend", "calibrate", "calibration_share"), "as trained"))
    ],
    {"all": SegmentConfig()},
)  # fmt: skip


def segment(
    *,
    source: options.ResultClouds,
    room: options.Room = None,
    labels: Annotated[
        str | None,
        Option(
            help="What points may be; auto: s4tok proposes names.",
            metavar="NAME,...|auto",
            show_default="the dataset's; own files: auto",
            rich_help_panel="Labelling",
        ),
    ] = None,
    category: Annotated[
        str | None,
        Option(help="What --labels are parts of.", metavar="NAME", show_default="none", rich_help_panel="Labelling"),
    ] = None,
    settings: Annotated[Changes, SETTINGS],
    models: model_options.Models,
    out: Annotated[Path | None, options.out("own files: segments", "Folder for the results.")] = None,
    formats: Annotated[
        str,
        Option(
            "--format",
            help="ply, npy, txt, scores, mesh.",
            metavar="NAME,...",
            show_default="all but mesh",
            rich_help_panel=options.OUTPUT,
        ),
    ] = ",".join(USUAL),
    boxes: Annotated[
        bool,
        Option("--boxes", help="Put a box around each thing.", rich_help_panel=options.OUTPUT),
    ] = False,
    box_formats: options.BoxFormats = BOX_USUAL,
    html: options.Html = False,
    preview: options.Preview = None,
    auto: options.Auto = False,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
) -> None:
    """Label every point of your own files, or of a dataset.

    By its most similar label (zero-shot), or by the head of a fine-tuned checkpoint.
    """
    from s4tok.zero_shot.prompts import AUTO, read_labels
    from s4tok_pipelines.outputs.formats import read_formats

    config = changed(SegmentConfig(), settings)
    if config.windows == "columns" and "gap" in settings:
        raise UsageError("--gap is for --windows superpoints.")
    # Before PyTorch is imported, so that what is wrong is told at once.
    words, written = [] if labels is None else read_labels(labels), read_formats(formats)
    if len(words) == 1 and words != [AUTO] and config.unknown is None:
        console.warn(f"{words[0]!r} is the only label, so every point gets it; name others, or give --unknown.")
    of_boxes = read_formats(box_formats, BOX_FORMATS, "--box-format")
    clouds = source.open(room=room)
    models.check()

    from s4tok.datasets.own_files import OwnFiles
    from s4tok_pipelines.outputs.results import plain
    from s4tok_pipelines.stages.by_name import segment_by_name
    from s4tok_pipelines.stages.segment import Files

    is_own = isinstance(clouds, OwnFiles)
    asked = {"html": html, "format": formats != ",".join(USUAL), "box_format": box_formats != BOX_USUAL}
    folder = options.results_folder(out, SEGMENTS if is_own else None, **asked)
    if is_own and not words and not clouds.classes:
        words = [AUTO]
    found = segment_by_name(
        clouds,
        cache,
        models.names(device),
        config,
        labels=words,
        category=category,
        files=None if folder is None else Files(folder, written, html, of_boxes),
        boxes=boxes,
        preview=preview,
        auto=auto,
        workers=workers,
        report=console.Progress(),
    )
    _tell(found)
    console.finish({**plain(found.facts()), "out": None if folder is None else str(folder)}, found.failures)


def _tell(found: "Segmented") -> None:
    """Show what there is of each name, and how right the names are."""
    from s4tok.zero_shot.point_figures import PartFigures, SceneFigures

    if isinstance(found.figures, SceneFigures):
        _tell_scenes(found.figures, found.clouds)
    elif isinstance(found.figures, PartFigures):
        _tell_parts(found.figures, found.clouds)
    else:
        total = sum(found.points.values())
        rows = [(name, f"{count:,}", _share(count / total)) for name, count in found.points.items()]
        console.table(("label", "points", "share"), rows)
    if found.boxes is not None:
        _tell_boxes(found.boxes)
    for part in found.parts or (found,):
        console.result(f"{in_words(part.about, part.clouds)}{_calibration(part)}")
    spread = ", ".join(f"{share} are below {score:.3f}" for share, score in found.best.items())
    score = "probability of points' labels" if found.by_head else "cosine similarity of points to their label"
    console.note(f"{score}: {spread} (--unknown takes a bound)")


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


def _tell_boxes(figures: "BoxFigures") -> None:
    found = figures.found
    rows = [
        (name, f"{count:,}", *(_share(each.of_classes[place]) for each in found.values()))
        for place, (name, count) in enumerate(zip(figures.classes, figures.n_true.tolist(), strict=True))
    ]
    console.table(("class", "boxes", *(name.upper() for name in found)), rows)
    bound = {name: f", of true labels {_share(mean)}" for name, mean in figures.of_true_labels.items()}
    console.result(
        ", ".join(
            f"{name.upper()} {_share(each.mean)} (chance {_share(figures.chance[name])}{bound.get(name, '')})"
            for name, each in found.items()
        )
    )


def _range(interval: "Interval", n_clouds: int) -> str:
    """Write an interval; one cloud has none."""
    if n_clouds < 2:
        return ""
    return f" ({SegmentConfig.level:.0%} interval {_share(interval.low)} to {_share(interval.high)})"


def _share(fraction: float) -> str:
    return "" if fraction != fraction else f"{fraction:.1%}"
