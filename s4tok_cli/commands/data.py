"""`s4tok data`: what is where, whether it is whole, and small synthetic data to try commands on."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from s4tok.config import DATA_ROOT, WorldConfig
from s4tok.counted import counted
from s4tok.errors import UsageError, choose
from s4tok_cli import console, options
from s4tok_cli.commands import Place

PLACE = Place("This machine", 1)
EXAMPLES = (
    "s4tok data ls",
    "s4tok data check data/scannet",
)

BROKEN = 4
SHOWN = 10  # findings
KINDS = {
    "toy": "objects of fifteen categories, furnished homes and an office building",
    "home": "homes furnished with the models of sh3d",
}


def ls(data_root: options.DataRoot = DATA_ROOT) -> None:
    """List the datasets s4tok knows, where each lies, in which layout, and the clouds of each split."""
    from s4tok_pipelines.stages.data import list_datasets

    known = list_datasets(data_root)
    width = max(len(each.name) for each in known)
    for each in known:
        if each.made:
            state = f"made as it is asked for: {each.says}"
        elif each.path:
            counts = ", ".join(f"{split} {count:,}" for split, count in each.splits.items())
            state = f"{each.path} ({each.layout}): {counts or 'unreadable'}"
        else:
            state = f"not under {data_root}: {each.says}"
        console.result(f"{each.name:<{width}}  {state}")
        if each.trouble:
            console.result(f"{'':<{width}}  {each.trouble}")
        if not each.path and not each.made:
            console.detail(f"{'':<{width}}  get it from {each.source}")
    console.finish({"data_root": str(data_root), "datasets": [vars(each) for each in known]})


def check(
    source: options.Source = None,
    dataset: options.Dataset = None,
    data_root: options.DataRoot = DATA_ROOT,
    partial: Annotated[
        bool, Option("--partial", help="The copy may be smaller than the official one; what it lists must be whole.")
    ] = False,
) -> None:
    """Read a dataset through and hold it against the official counts; exit 4 when something is broken."""
    from s4tok_pipelines.stages.data import check as run

    checked = run(source or [], dataset, data_root, partial=partial, report=console.Progress())
    for finding in checked.findings[:SHOWN]:
        if finding.severity == "problem":
            console.warn(str(finding))
        else:
            console.note(str(finding))
    if len(checked.findings) > SHOWN:
        console.note(f"... and {len(checked.findings) - SHOWN} more; --json lists up to a thousand")
    counts = ", ".join(f"{split} {count:,}" for split, count in checked.splits.items())
    n_problems = len(checked.problems)
    verdict = counted(n_problems, "problem") if n_problems else "whole"
    console.result(
        f"{checked.name} ({checked.layout}), {counts or 'no split'}: {checked.clouds:,} clouds read, {verdict}"
    )
    findings = [finding._asdict() for finding in checked.findings]
    facts = {name: value for name, value in vars(checked).items() if name != "findings"}
    console.finish({**facts, "ok": not checked.problems, "findings": findings})
    if checked.problems:
        raise Exit(BROKEN)


def fetch(
    name: Annotated[str, Argument(metavar="DATASET", help="A dataset that a Debian package holds, such as sh3d.")],
    data_root: options.DataRoot = DATA_ROOT,
) -> None:
    """Download the Debian package that holds a dataset through apt, and unpack its data; nothing is installed."""
    from s4tok_pipelines.stages.fetch import fetch as run

    fetched = run(name, data_root)
    if fetched.files:
        console.result(f"{name}: {len(fetched.files)} files unpacked: {fetched.folder}")
    else:
        console.result(f"{name} is there already: {fetched.folder}")
    console.finish({"name": name, "folder": str(fetched.folder), "files": list(fetched.files)})


def credits(
    source: options.Source = None,
    out: Annotated[Path, Option(help="The table to write.", metavar="FILE.tsv")] = Path("credits.tsv"),
    dataset: options.Dataset = None,
    data_root: options.DataRoot = DATA_ROOT,
) -> None:
    """Write who made each cloud of a dataset and on what terms it may be used, one a line."""
    from s4tok_pipelines.stages.data import write_credits

    count = write_credits(source or [], out, dataset, data_root)
    console.result(f"credits of {count:,} clouds: {out}")
    console.finish({"clouds": count, "out": str(out)})


def make(
    kind: Annotated[str, Argument(metavar="KIND", help=f"One of: {', '.join(KINDS)}.")],
    out: Annotated[
        Path | None, Argument(metavar="[OUT]", help="An empty folder for the data.", show_default=False)
    ] = None,
    layout: Annotated[
        str, Option(help="The real dataset whose layout is written.", metavar="NAME", rich_help_panel=options.OUTPUT)
    ] = "shapenetpart",
    sizes: Annotated[
        str | None,
        Option(
            help="Clouds to train, validate and test on.",
            metavar="N,N,N",
            show_default="as the dataset's own",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    picture: Annotated[Path | None, options.picture("Draw some objects into this too, or only that.")] = None,
    rooms_picture: Annotated[Path | None, options.picture("Draw two rooms of each kind into this too.")] = None,
    seed: options.Seed = WorldConfig.seed,
    data_root: options.DataRoot = DATA_ROOT,
) -> None:
    """Write synthetic data in a real dataset's layout, to see the format and to try commands on.

    The stages need no files of it: they take toy-shapes, toy-scans, toy-rooms, home-scans and home-rooms as they are.
    """
    from s4tok_pipelines.stages.data import draw_homes, draw_toy, make_homes, make_toy

    choose("kind", kind, KINDS)
    is_home = kind == "home"
    if is_home and picture is not None:
        raise UsageError("home holds rooms alone, and --picture draws objects.", "say --rooms-picture.")
    if out is None and picture is None and rooms_picture is None:
        raise UsageError("neither OUT nor --picture was named.", "name a folder for the data, such as data/toy.")
    facts: dict[str, object] = {"kind": kind, "seed": seed}
    if picture is not None:
        draw_toy(picture, seed)
        console.result(f"objects of {kind} drawn: {picture}")
        facts["picture"] = str(picture)
    if rooms_picture is not None:
        if is_home:
            draw_homes(rooms_picture, seed, data_root)
        else:
            draw_toy(rooms_picture, seed, rooms=True)
        console.result(f"rooms of {kind} drawn: {rooms_picture}")
        facts["rooms_picture"] = str(rooms_picture)
    if out is not None:
        if is_home:
            clouds = make_homes(layout, out, _three(sizes), seed, data_root, report=console.Progress())
        else:
            clouds = make_toy(layout, out, _three(sizes), seed, report=console.Progress())
        console.result(f"{clouds:,} clouds written as {layout}: {out}")
        facts |= {"layout": layout, "clouds": clouds, "out": str(out)}
    console.finish(facts)


def _three(sizes: str | None) -> tuple[int, int, int] | None:
    if sizes is None:
        return None
    words = sizes.split(",")
    if len(words) != 3 or not all(word.strip().isdecimal() for word in words):
        raise UsageError(f"--sizes takes three whole numbers, and was given {sizes!r}.", "for example --sizes 20,5,5.")
    train, val, test = map(int, words)
    return train, val, test


ABOUT = "Find, download, check and make datasets."
FUNCTIONS = (ls, fetch, check, credits, make)
