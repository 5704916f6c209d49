"""`s4tok detect`: find boxes in rooms."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from s4tok.config import DEFAULT_DETECTOR, DETECTOR_FOLDER, DetectConfig, SegmentConfig
from s4tok.counted import counted
from s4tok.fields import changed
from s4tok_cli import completion, console, model_options, options
from s4tok_cli.commands import Place
from s4tok_cli.recipe import Changes, FieldsOf, Part
from s4tok_pipelines.outputs.formats import BOX_FORMATS, BOX_USUAL
from s4tok_pipelines.paths import BOXES, CACHE

if TYPE_CHECKING:
    from s4tok_pipelines.stages.detect import Detected

PLACE = Place("Results", 3)
EXAMPLES = (
    "s4tok detect scan.ply --html",
    "s4tok detect toy-scans --checkpoint runs/mine",
)

SETTINGS = FieldsOf(DetectConfig, [Part("", DetectConfig, "Boxes", ("score",))], {"all": DetectConfig()})


def detect(
    *,
    source: options.ResultClouds,
    scale: options.Scale = SegmentConfig.scale,
    settings: Annotated[Changes, SETTINGS],
    checkpoint: Annotated[
        str | None,
        Option(
            help="A run of finetune --task detection.",
            metavar="NAME|DIR",
            show_default=f"{DEFAULT_DETECTOR}, which comes with s4tok",
            autocompletion=completion.or_path(lambda: [DEFAULT_DETECTOR]),
            rich_help_panel=options.MODELS,
        ),
    ] = None,
    clip: model_options.CheckpointsClip = None,
    out: Annotated[Path | None, options.out("own files: boxes", "Folder for the results.")] = None,
    box_formats: options.BoxFormats = BOX_USUAL,
    html: options.Html = False,
    preview: options.Preview = None,
    auto: options.Auto = False,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
) -> None:
    """Find boxes of things in rooms, with the detector that comes with s4tok or one that finetune has trained.

    Files of yours are taken for rooms; their boxes are in the axes and the unit of the file.
    """
    from s4tok.models.checkpoint_files import find_checkpoint
    from s4tok_pipelines.outputs.formats import read_formats

    config = changed(DetectConfig(), settings)
    # Before PyTorch is imported, so that what is wrong is told at once.
    written = read_formats(box_formats, BOX_FORMATS, "--box-format")
    clouds = source.open(scale=scale)
    detector = str(checkpoint or DETECTOR_FOLDER)  # by its place: a run that lies here may have its name
    find_checkpoint(detector)

    from s4tok.datasets.own_files import OwnFiles
    from s4tok.device import pick_device
    from s4tok_pipelines.outputs.results import plain
    from s4tok_pipelines.stages.by_name import detect_by_name
    from s4tok_pipelines.stages.detect import BoxFiles

    usual = BOXES if isinstance(clouds, OwnFiles) else None
    folder = options.results_folder(out, usual, html=html, box_format=box_formats != BOX_USUAL)
    found = detect_by_name(
        clouds,
        cache,
        detector,
        config,
        clip=clip,
        files=None if folder is None else BoxFiles(folder, written, html),
        preview=preview,
        auto=auto,
        workers=workers,
        device=pick_device(device),
        report=console.Progress(),
    )
    _tell(found)
    console.finish({**plain(found.facts()), "out": None if folder is None else str(folder)}, found.failures)


def _tell(found: "Detected") -> None:
    """Show how many boxes of each class there are, and how right they are."""
    rows = [
        (name, f"{count:,}", *(_percent(each[name]) for each in found.of_classes.values()))
        for name, count in found.boxes.items()
    ]
    titles = [name.upper() for name in found.of_classes]
    console.table(("class", "boxes", *titles), rows)
    means = ", ".join(
        f"{name.upper()} {100 * each.mean:.1f} ± {100 * each.deviation:.1f}" for name, each in found.figures.items()
    )
    samples = f" over {found.about['seeds']} samples" if means else ""
    console.result(
        f"{counted(sum(found.boxes.values()), 'box', 'boxes')} in {counted(found.clouds, 'cloud')}, checkpoint "
        f"{found.about['checkpoint']['name']}{f'; {means}{samples}' if means else ''}"
    )


def _percent(fraction: float) -> str:
    return "" if fraction != fraction else f"{100 * fraction:.1f}"  # a class without true boxes has none
