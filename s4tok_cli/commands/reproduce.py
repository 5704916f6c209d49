"""`s4tok reproduce`: a table or figure of the papers, or all of them, made with one command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from s4tok.config import Preset, ReproduceConfig, VisionConfig, ZeroShotConfig
from s4tok.errors import UsageError, choose
from s4tok_cli import completion, console, model_options, options
from s4tok_cli.commands import Place
from s4tok_pipelines.paths import CACHE, RESULTS
from s4tok_pipelines.tables.names import ALL, NAMES, POSTER, REAL, REAL_CLIP

if TYPE_CHECKING:
    from s4tok_pipelines.tables.written import Reproduced

PLACE = Place("Results", 7)
EXAMPLES = (
    "s4tok reproduce table2",
    "s4tok reproduce table2 --rows knn,s4token --limit 3",
    "s4tok reproduce all --quick",
)

TABLE, TRAINING = "Table", "Training"  # panels of the help


def reproduce(
    table: Annotated[
        str,
        Argument(
            help=f"table1 to table7, tableA, {', '.join(POSTER)}, figureA to figureC; {REAL}; {ALL}, with a page.",
            metavar="NAME",
            autocompletion=completion.among(lambda: (*NAMES, REAL, ALL)),
        ),
    ],
    checkpoints: Annotated[
        Path | None,
        Option(
            help="A folder of checkpoints or runs called NAME or NAME-SEED.",
            metavar="DIR",
            show_default="those that come with s4tok",
            rich_help_panel=options.MODELS,
        ),
    ] = None,
    rows: Annotated[
        str | None,
        Option(
            help="Only these rows, for example knn,s4token.",
            metavar="NAME,...",
            show_default="all",
            rich_help_panel=TABLE,
        ),
    ] = None,
    quick: Annotated[
        bool,
        Option(
            "--quick",
            help="A few clouds and steps: shows that it works, no results.",
            rich_help_panel=TABLE,
        ),
    ] = False,
    train: Annotated[
        bool,
        Option(
            "--train", help="Train checkpoints, into --checkpoints or the result's folder.", rich_help_panel=TRAINING
        ),
    ] = False,
    seeds: Annotated[
        int, Option(min=1, help="Checkpoints of each row to train.", metavar="N", rich_help_panel=TRAINING)
    ] = ReproduceConfig.seeds,
    preset: Annotated[
        Preset | None,
        Option(help="How to train.", show_default="toy, or paper with --data", rich_help_panel=TRAINING),
    ] = None,
    data: Annotated[
        Path | None,
        Option(
            help="The papers' datasets; without --checkpoints, trains on them.",
            metavar="DIR",
            show_default="the synthetic data",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    clip: Annotated[
        str | None,
        Option(
            help='The CLIP: "mini", an open_clip name, a folder, or "hf-hub:owner/model".',
            metavar="NAME|DIR",
            show_default=f"{ZeroShotConfig.clip}, or {VisionConfig.model} with --data; of {REAL}: {REAL_CLIP}",
            rich_help_panel=options.MODELS,
        ),
    ] = None,
    pretrained: model_options.Pretrained = VisionConfig.pretrained,
    prompts: model_options.Prompts = None,
    out: Annotated[Path | None, options.out("results/NAME", "The folder of the result.")] = None,
    limit: Annotated[
        int | None,
        options.limit(
            "Only the first N clouds of each dataset.", f"all; of synthetic objects {ReproduceConfig.shapes}"
        ),
    ] = None,
    cache: options.Cache = CACHE,
    workers: options.Workers = 1,
    device: options.Device = "auto",
    seed: options.Seed = ReproduceConfig.seed,
) -> None:
    """Reproduce a table or figure of the papers, on synthetic data or your own.

    What is made is kept: the same command goes on where it was stopped.
    """
    from s4tok.vision.weights import probe

    choose("table or figure", table, dict.fromkeys((*NAMES, REAL, ALL)))
    wanted = _names(rows)
    name = clip or (REAL_CLIP if table == REAL else ZeroShotConfig.clip if data is None else VisionConfig.model)
    probe(name, pretrained)  # before PyTorch is imported: weights out of reach are told at once

    from s4tok_pipelines.inputs.models import ModelNames
    from s4tok_pipelines.stages.reproduce_by_name import Reproduction, reproduce_by_name

    asked = Reproduction(
        out or RESULTS / (f"{table}-quick" if quick else table),
        cache,
        ModelNames(None, name, pretrained, prompts, device=device),
        ReproduceConfig(seeds=seeds, seed=seed),
        wanted,
        checkpoints,
        train,
        preset,
        data,
        limit,
        quick,
        workers,
    )
    found = reproduce_by_name(table, asked, console.Progress())
    _tell(found)
    console.finish({**found.facts, "out": str(found.out)}, found.failures)


def _names(rows: str | None) -> list[str]:
    names = [] if rows is None else [word.strip() for word in rows.split(",") if word.strip()]
    if rows is not None and not names:
        raise UsageError("--rows names nothing.", "for example --rows knn,s4token.")
    return names


def _tell(found: "Reproduced") -> None:
    """Show the tables and what one has to know to read them."""
    for grid in found.grids:
        console.result(grid.title)
        console.table(grid.columns, grid.rows)
        console.result("")
    for note in found.notes:
        console.result(note)
    console.note(f"as Markdown, JSON, page and pictures, with every result they are made from: {found.out}")
