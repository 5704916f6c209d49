"""`s4tok view`: clouds and their labels in a page for a browser."""

import webbrowser
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from s4tok.counted import counted
from s4tok_cli import console, options
from s4tok_cli.commands import Place

PLACE = Place("Results", 6)
EXAMPLES = (
    "s4tok view segments/scan.labels.ply --open",
    "s4tok view scan.ply before.labels.npy after.labels.npy",
    "s4tok view scan.ply boxes/scan.boxes.json",
)


def view(
    *,
    files: Annotated[
        list[Path],
        Argument(
            metavar="FILE", help="Clouds or meshes, each followed by files of its labels or boxes.", show_default=False
        ),
    ],
    labels: Annotated[
        str | None,
        Option(
            help="What labels 0, 1, ... are called.",
            metavar="NAME,...",
            show_default="the legend beside them",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    up: options.Up = None,
    out: Annotated[Path, options.out("view.html", "The page to write.", "FILE.html")] = Path("view.html"),
    open_page: Annotated[
        bool, Option("--open", help="Open the page in a browser.", rich_help_panel=options.OUTPUT)
    ] = False,
) -> None:
    """Show clouds with their labels in a page for a browser: turn, compare, measure.

    A file of labels (.npy, .txt, .segs.json: a number a point) or boxes (.boxes.json) belongs to the cloud before it.
    """
    from s4tok_pipelines.stages.view import view as run

    names = [] if labels is None else [name.strip() for name in labels.split(",")]
    titles = run(files, out, names, up=up, report=console.Progress())
    if open_page:
        webbrowser.open(out.absolute().as_uri())
    console.result(f"{counted(len(titles), 'cloud')} to view: {out}")
    console.finish({"clouds": titles, "out": str(out)})
