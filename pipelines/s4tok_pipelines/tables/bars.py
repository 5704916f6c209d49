"""Result tables as pictures of bars: a panel for each column, and one for what the paper prints of it."""

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

from s4tok_cache.files import write_whole
from s4tok_pipelines.tables.grid import percent, title_of
from s4tok_pipelines.tables.result_table import Cell, Column, ResultTable

WIDTH, PANEL, MARGIN, TEXT = 1200, 300, 60, 15
SMALLEST = 9  # letters of a figure over a narrow bar
GREY_BLUE, OCHRE, BLUE, GREEN, RUST, PURPLE, BROWN, TEAL, PINK, OLIVE = (
    (146, 152, 163), (196, 160, 90), (70, 130, 180), (110, 160, 90), (192, 80, 32), (130, 90, 160), (120, 100, 80),
    (60, 150, 150), (214, 122, 155), (90, 100, 40),
)  # fmt: skip
COLORS = {
    "knn": GREY_BLUE, "knn-sphere": OCHRE, "knn+rpn": BLUE, "ball+rpn": GREEN, "s4token": RUST,
    "s4token+context": PURPLE, "s4token-whole": BROWN, "s4token+context-object-rooms": PINK,
    "s4token+context-mixed-attend-4": OLIVE,
}  # fmt: skip
INK, GREY, LIGHT = (40, 40, 40), (110, 110, 110), (228, 228, 228)
MORE = (PINK, OLIVE, (40, 60, 120), (225, 140, 60))
PALETTE = (RUST, PURPLE, BLUE, GREEN, OCHRE, BROWN, TEAL, GREY_BLUE, *MORE)  # of rows, one after the other
ACROSS = 4  # panels side by side
LETTERS = 150  # of a line of notes


class Bars(NamedTuple):
    """A panel: a bar a tokenizer, and the level of chance."""

    title: str
    values: Mapping[str, Cell]
    chance: float | None = None
    beside: float = 0.0  # the highest bar of panels that are to be compared with it


def draw_bars(path: Path, tables: Sequence[ResultTable], title: str, notes: Sequence[str]) -> None:
    """Draw the first table, with the names of its rows and what has to be known below."""
    from PIL import Image, ImageDraw, ImageFont  # comes with torchvision, which open_clip brings

    table = tables[0]
    colors = {row.name: PALETTE[place % len(PALETTE)] for place, row in enumerate(table.rows)}
    panels = [_known(each) for each in panels_of(table)]
    panels = [each for each in panels if each.values]
    notes = lines_of(notes)
    lines, line = -(-len(panels) // ACROSS), TEXT + 6
    top = 50 + lines * PANEL
    picture = Image.new("RGB", (WIDTH, top + (len(table.rows) + len(notes) + 2) * line + MARGIN // 2), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT)
    pen.text((MARGIN / 2, 12), title, fill=INK, font=ImageFont.load_default(TEXT + 5))
    across = (WIDTH - MARGIN) / ACROSS
    for place, panel in enumerate(panels):
        down, column = divmod(place, ACROSS)
        draw_panel(
            pen, font, panel, (MARGIN / 2 + column * across, 50.0 + down * PANEL, across - 24, PANEL - 40.0), colors
        )
    for place, row in enumerate(table.rows):
        pen.rectangle(
            [MARGIN / 2, top + place * line + 3, MARGIN / 2 + 14, top + place * line + 15], fill=colors[row.name]
        )
        pen.text((MARGIN / 2 + 22, top + place * line), row.title, fill=INK, font=font)
    for place, note in enumerate(notes, start=len(table.rows) + 1):
        pen.text((MARGIN / 2, top + place * line), note, fill=GREY, font=font)
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    write_whole(path, buffer.getvalue(), parents=True)


def lines_of(notes: Sequence[str]) -> list[str]:
    """Break notes into lines that fit below a picture."""
    return [line for note in notes for line in wrap(note, LETTERS)]


def color_of(name: str) -> tuple[int, int, int]:
    """Give a row its colour; rows without one of their own share one."""
    return COLORS.get(name, TEAL)


def _of_paper(table: ResultTable, column: Column) -> str:
    """Head a panel of printed figures; which figure it is, is said where there are several of a dataset."""
    is_alone = sum(each.paper == column.paper for each in table.columns) == 1
    return f"the paper: {column.paper}{'' if is_alone else f' {title_of(column.figure)}'}"


def _known(panel: Bars) -> Bars:
    """Leave out the rows that have no figure here."""
    return panel._replace(values={name: cell for name, cell in panel.values.items() if not math.isnan(cell.mean)})


def panels_of(table: ResultTable) -> list[Bars]:
    """Make a panel for each column, and then for what the paper prints of it.

    Columns of the same figure of the same clouds have one scale.
    """
    measured, printed, highest = list[Bars](), list[Bars](), dict[tuple[str, str, str], float]()
    for place, column in enumerate(table.columns):
        tops = [_top(row.cells[place]) for row in table.rows if row.cells[place].each]
        of = column.dataset, column.split, column.figure
        highest[of] = max([highest.get(of, 0.0), *tops])
    for place, column in enumerate(table.columns):
        cells = {row.name: row.cells[place] for row in table.rows}
        beside = highest[column.dataset, column.split, column.figure]
        measured.append(Bars(column.name, cells, column.chance, beside))
        if column.paper:
            known = {name: Cell((cell.paper,)) for name, cell in cells.items() if cell.paper is not None}
            printed.append(Bars(_of_paper(table, column), known))
    return measured + printed


def draw_panel(
    draw: Any,
    font: Any,
    panel: Bars,
    box: tuple[float, float, float, float],
    colors: Mapping[str, tuple[int, int, int]] = COLORS,
) -> None:
    """Draw the bars of a column into a box: left, top, width, height."""
    left, top, width, height = box
    chance = math.nan if panel.chance is None else panel.chance
    reached = [chance, *map(_top, panel.values.values())]
    most: float = 1.15 * max([0.01, panel.beside, *(value for value in reached if not math.isnan(value))])
    floor = top + height - 20
    draw.text((left, top), panel.title, fill=INK, font=font)
    step = width / max(len(panel.values), 1)
    small = font.font_variant(size=min(max(int(step / 2), SMALLEST), TEXT))

    def up(value: float) -> float:
        return floor - value / most * (height - 66)

    for place, (name, value) in enumerate(panel.values.items()):
        start = left + place * step + 3
        if math.isnan(value.mean):
            draw.text((start, floor - 18), "?", fill=GREY, font=font)
            continue
        draw.rectangle([start, up(value.mean), start + step - 8, floor], fill=colors.get(name, TEAL))
        draw.text((start, up(_top(value)) - small.size - 3), percent(value.mean), fill=INK, font=small)
        if not math.isnan(value.deviation):
            middle = start + (step - 8) / 2
            ends = [up(max(value.mean - value.deviation, 0.0)), up(value.mean + value.deviation)]
            draw.line([(middle, ends[0]), (middle, ends[1])], fill=INK, width=2)
    draw.line([(left, floor), (left + width, floor)], fill=GREY)
    if not math.isnan(chance):
        draw.line([(left, up(chance)), (left + width, up(chance))], fill=INK, width=1)
        draw.text((left, floor + 2), f"line: chance, {percent(chance)}", fill=GREY, font=font)


def _top(value: Cell) -> float:
    return value.mean if math.isnan(value.deviation) else value.mean + value.deviation
