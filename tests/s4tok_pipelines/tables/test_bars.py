from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s4tok_pipelines.tables.bars import LETTERS, PALETTE, WIDTH, color_of, draw_bars, lines_of, panels_of
from s4tok_pipelines.tables.result_table import Cell, Column, ResultRow, ResultTable
from s4tok_pipelines.tables.table2 import OBJECTS, UNIVERSAL

COLUMNS = (
    Column("toy mIoU", "toy", "test", "miou", 0.1, paper="ScanNet"),
    Column("toy mAcc", "toy", "test", "macc", paper="ScanNet"),
    Column("toy accuracy", "toy", "test", "accuracy", paper="ModelNet40"),
)
ROWS = (
    ResultRow("theirs", "Theirs", (Cell(paper=0.5), Cell(), Cell()), "as printed"),
    ResultRow("ours", "Ours", (Cell((0.3,), (0,), 9, 0.7), Cell((0.4,), (0,), 9), Cell())),
)


def test_printed_figures_of_one_dataset_are_told_apart() -> None:
    titles = [panel.title for panel in panels_of(ResultTable("t", "T", COLUMNS, ROWS))]
    assert titles[:3] == ["toy mIoU", "toy mAcc", "toy accuracy"]
    assert titles[3:] == ["the paper: ScanNet mIoU", "the paper: ScanNet mAcc", "the paper: ModelNet40"]


def test_columns_of_one_figure_have_one_scale() -> None:
    columns = (*COLUMNS[:2], Column("toy mIoU again", "toy", "test", "miou"))
    rows = (
        ResultRow("one", "One", (Cell((0.3,)), Cell((0.9,)), Cell())),
        ResultRow("other", "Other", (Cell((0.2,)), Cell(), Cell((0.4, 0.6)))),
    )
    first, second, third = panels_of(ResultTable("t", "T", columns, rows))[:3]
    assert first.beside == third.beside == pytest.approx(0.5 + 0.02**0.5)
    assert second.beside == 0.9


def test_a_row_has_a_bar_where_it_has_a_figure_and_a_colour_of_its_own(tmp_path: Path) -> None:
    draw_bars(tmp_path / "a.png", [ResultTable("t", "T", COLUMNS, ROWS)], "T", ["a note " * 60])
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    assert picture.shape[1] == WIDTH
    theirs, ours = ((picture == np.array(PALETTE[place])).all(axis=2).sum() for place in (0, 1))
    assert 0 < theirs < ours  # theirs has one bar, of the paper; ours has three


def test_each_row_has_a_colour_of_its_own() -> None:
    colors = [color_of(name) for name in (*OBJECTS, UNIVERSAL)]
    assert len(set(colors)) == len(colors)


def test_long_notes_are_broken_into_lines() -> None:
    assert lines_of(["word " * 60, "short"])[-1] == "short"
    assert max(map(len, lines_of(["word " * 60]))) <= LETTERS
