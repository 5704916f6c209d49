"""`s4tok data`: what is where, whether it is whole, and a small world to try things on."""

from typing import Annotated

from typer import Exit, Option

from s4tok.config import DATA_ROOT
from s4tok_cli import console, options

BROKEN = 4
SHOWN = 10  # findings


def ls(data_root: options.DataRoot = DATA_ROOT) -> None:
    """List the datasets s4tok knows, where each lies, in which layout, and the clouds of each split."""
    from s4tok_pipelines.data import list_datasets

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
    from s4tok_pipelines.data import check as run

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
    verdict = f"{n_problems:,} problem{'s' * (n_problems > 1)}" if n_problems else "whole"
    console.result(
        f"{checked.name} ({checked.layout}), {counts or 'no split'}: {checked.clouds:,} clouds read, {verdict}"
    )
    findings = [finding._asdict() for finding in checked.findings]
    facts = {name: value for name, value in vars(checked).items() if name != "findings"}
    console.finish({**facts, "ok": not checked.problems, "findings": findings})
    if checked.problems:
        raise Exit(BROKEN)
