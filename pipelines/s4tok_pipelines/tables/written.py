"""A result's files: its tables as JSON, Markdown and a page, with its pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from s4tok import __version__
from s4tok_cache.files import write_whole
from s4tok_pipelines.outputs.results import plain, write_json
from s4tok_pipelines.report import Failure
from s4tok_pipelines.tables.grid import Grid, grid
from s4tok_pipelines.tables.markdown import markdown
from s4tok_pipelines.tables.page import page
from s4tok_pipelines.tables.result_table import ResultTable, document
from s4tok_pipelines.training.run_folder import command_line


@dataclass(frozen=True)
class Reproduced:
    """The tables, what one has to know to read them, and what is needed to make them again."""

    out: Path
    grids: list[Grid]
    notes: list[str]
    facts: dict[str, Any]
    failures: list[Failure]


@dataclass(frozen=True)
class Result:
    """A table or figure of a paper that was made, before it is written."""

    name: str
    title: str
    tables: Sequence[ResultTable]
    notes: Sequence[str]
    source: str  # the paper
    about: Mapping[str, Any]  # all that made it
    shows: str = ""  # what it shows, and what it cannot
    pictures: Sequence[str] = ()  # files that lie in its folder already
    failures: Sequence[Failure] = field(default_factory=list)
    is_quick: bool = False
    grids: Sequence[Grid] = ()  # more tables, of another form


def write_result(out: Path, result: Result) -> Reproduced:
    """Write NAME.json, NAME.md and NAME.html into a folder."""
    tables = [each.as_trial() for each in result.tables] if result.is_quick else list(result.tables)
    notes = list(result.notes)
    if result.is_quick:
        notes.insert(0, "Quick: few clouds, one seed, at most 60 steps a row. No cell is a result.")
    grids = [*map(grid, tables), *(_as_trial(each) if result.is_quick else each for each in result.grids)]
    facts: dict[str, Any] = plain(
        document(
            tables, source=result.source, notes=notes, table=result.name, shows=result.shows, quick=result.is_quick,
            pictures=result.pictures, s4tok=__version__, command=command_line(), date=date.today().isoformat(),
            **result.about,
        )
    )  # fmt: skip
    text = markdown(result.title, grids, [result.shows, *notes] if result.shows else notes)
    write_whole(out / f"{result.name}.md", text.encode(), parents=True)
    write_json(out / f"{result.name}.json", facts)
    write_whole(out / f"{result.name}.html", page(result.title, [(out, facts, grids)]).encode(), parents=True)
    return Reproduced(out, grids, notes, facts, list(result.failures))


def _as_trial(table: Grid) -> Grid:
    """Mark every figure as no result; first in a row are its name and how many seeds it has."""
    rows = [[*row[:2], *(f"({cell})" for cell in row[2:])] for row in table.rows]
    return table._replace(title=f"{table.title} (quick: no result)", rows=rows)
