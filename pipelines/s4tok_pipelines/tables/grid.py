"""A result table as people read it: names on the left, figures in percent, chance and the 2D model below."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from s4tok_pipelines.tables.result_table import Cell, Column, ResultRow, ResultTable

NOTHING = "-"
ABSENT = "none there"  # of the checkpoints a row needs
TITLES = {"miou": "mIoU", "macc": "mAcc", "accuracy": "accuracy", "furniture_miou": "furniture", "miou_i": "mIoU_I",
          "miou_c": "mIoU_C", "miou_part": "mIoU_part", "ap25": "AP25", "ap50": "AP50"}  # fmt: skip


class Grid(NamedTuple):
    """Cells as text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def grid(table: ResultTable) -> Grid:
    """Lay out what was measured first, and then what the paper prints, each with its distance from the baseline."""
    printed = [place for place, column in enumerate(table.columns) if column.paper]
    titles = [title for column in table.columns for title in _with_delta(column, column.name)]
    titles += [title for place in printed for title in _with_delta(table.columns[place], _paper(table.columns[place]))]
    rows = [_row(table, row, printed) for row in table.rows]
    papers = sum(1 + table.columns[place].has_delta for place in printed)
    rows.append(_below(table, "chance", lambda column: column.chance, papers))
    if any(column.vision is not None for column in table.columns):
        rows.append(_below(table, "2D model on its views", lambda column: column.vision, papers))
    return Grid(table.title, [table.head, "seeds", *titles], rows)


def percent(fraction: float | None) -> str:
    """Write a fraction as papers do."""
    return NOTHING if fraction is None or math.isnan(fraction) else f"{100 * fraction:.1f}"


def title_of(figure: str) -> str:
    """Write a figure's name as papers do."""
    last = figure.rpartition(".")[2]
    return TITLES.get(last, last)


def spread(cell: Cell) -> str:
    """Write a mean, and its deviation where there is one; in brackets what is no result."""
    said = percent(cell.mean) + ("" if math.isnan(cell.deviation) else f" ± {percent(cell.deviation)}")
    return said if cell.is_result or said == NOTHING else f"({said})"


def _row(table: ResultTable, row: ResultRow, printed: Sequence[int]) -> list[str]:
    base = table.row(table.baseline)
    base = None if base is row else base
    cells = [row.title, str(row.seeds) if row.seeds else row.lacks or ABSENT]
    for place, (column, cell) in enumerate(zip(table.columns, row.cells, strict=True)):
        than = None if base is None else base.cells[place].mean
        cells += [spread(cell), *([_delta(cell.mean, than)] if column.has_delta else [])]
    for place in printed:
        own, than = row.cells[place].paper, None if base is None else base.cells[place].paper
        cells += [percent(own), *([_delta(own, than)] if table.columns[place].has_delta else [])]
    return cells


def _below(table: ResultTable, title: str, of: Callable[[Column], float | None], papers: int) -> list[str]:
    cells = [title, NOTHING]
    for column in table.columns:
        said = percent(of(column))
        said = said if table.is_result or said == NOTHING else f"({said})"
        cells += [said, *([NOTHING] if column.has_delta else [])]
    return cells + [NOTHING] * papers


def _with_delta(column: Column, title: str) -> list[str]:
    return [title, "delta"] if column.has_delta else [title]


def _paper(column: Column) -> str:
    return f"paper: {column.paper} {title_of(column.figure)}"


def _delta(value: float | None, base: float | None) -> str:
    """Write how much better than the baseline a figure is; the baseline's own cell stays empty."""
    if value is None or base is None or math.isnan(value - base):
        return NOTHING
    return f"{100 * (value - base):+.1f}"
