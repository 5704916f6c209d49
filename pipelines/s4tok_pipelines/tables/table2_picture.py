"""Table 2 as a picture: a panel of bars for each column and for the paper, and the sweep as lines."""

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from s4tok_cache.files import write_whole
from s4tok_pipelines.tables.grid import percent
from s4tok_pipelines.tables.result_table import Cell, ResultTable

WIDTH, PANEL, MARGIN, TEXT = 1200, 300, 60, 15
GREY_BLUE, OCHRE, BLUE, GREEN, RUST, PURPLE, BROWN, TEAL = (
    (146, 152, 163), (196, 160, 90), (70, 130, 180), (110, 160, 90), (192, 80, 32), (130, 90, 160), (120, 100, 80),
    (60, 150, 150),
)  # fmt: skip
COLORS = {
    "knn": GREY_BLUE, "knn-sphere": OCHRE, "knn+rpn": BLUE, "ball+rpn": GREEN, "s4token": RUST,
    "s4token+context": PURPLE, "s4token-whole": BROWN,
}  # fmt: skip
INK, GREY, LIGHT = (40, 40, 40), (110, 110, 110), (228, 228, 228)


class Bars(NamedTuple):
    """A panel: a bar a tokenizer, and the level of chance."""

    title: str
    values: Mapping[str, Cell]
    chance: float | None = None


def draw_table2(path: Path, tables: Sequence[ResultTable], title: str, notes: Sequence[str]) -> None:
    """Draw what was measured above and the paper's figures beside it, each panel with its own title and scale."""
    from PIL import Image, ImageDraw, ImageFont  # comes with torchvision, which open_clip brings

    table, sweep = tables[0], tables[1]
    panels = _panels(table)
    height = 2 * PANEL + (len(notes) + 4) * (TEXT + 6) + MARGIN
    picture = Image.new("RGB", (WIDTH, height), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT)
    draw.text((MARGIN / 2, 12), title, fill=INK, font=ImageFont.load_default(TEXT + 5))
    across = (WIDTH - MARGIN) / len(panels)
    for place, panel in enumerate(panels):
        box = (MARGIN / 2 + place * across, 50.0, across - 24, PANEL - 40.0)
        _bars(draw, font, panel, box)
    _lines(draw, font, sweep, (MARGIN / 2, PANEL + 50.0, WIDTH - 2.5 * MARGIN, PANEL - 60.0))
    for line, note in enumerate(notes):
        draw.text((MARGIN / 2, 2 * PANEL + 60 + line * (TEXT + 6)), note, fill=GREY, font=font)
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    write_whole(path, buffer.getvalue(), parents=True)


def color_of(name: str) -> tuple[int, int, int]:
    """Give a row its colour; rows without one of their own share one."""
    return COLORS.get(name, TEAL)


def _panels(table: ResultTable) -> list[Bars]:
    measured, printed = list[Bars](), list[Bars]()
    for place, column in enumerate(table.columns):
        cells = {row.name: row.cells[place] for row in table.rows}
        measured.append(Bars(column.name, cells, column.chance))
        if column.paper:
            known = {name: Cell((cell.paper,)) for name, cell in cells.items() if cell.paper is not None}
            printed.append(Bars(f"the paper: {column.paper}", known))
    return measured + printed


def _bars(draw: Any, font: Any, panel: Bars, box: tuple[float, float, float, float]) -> None:
    left, top, width, height = box
    chance = math.nan if panel.chance is None else panel.chance
    reached = [chance, *map(_top, panel.values.values())]
    most: float = 1.15 * max([0.01, *(value for value in reached if not math.isnan(value))])
    floor = top + height - 20
    draw.text((left, top), panel.title, fill=INK, font=font)
    step = width / max(len(panel.values), 1)

    def up(value: float) -> float:
        return floor - value / most * (height - 66)

    for place, (name, value) in enumerate(panel.values.items()):
        start = left + place * step + 3
        if math.isnan(value.mean):
            draw.text((start, floor - 18), "?", fill=GREY, font=font)
            continue
        draw.rectangle([start, up(value.mean), start + step - 8, floor], fill=color_of(name))
        draw.text((start, up(_top(value)) - 18), percent(value.mean), fill=INK, font=font)
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


def _lines(draw: Any, font: Any, sweep: ResultTable, box: tuple[float, float, float, float]) -> None:
    left, top, width, height = box
    scales = [float(column.name.removeprefix("x ")) for column in sweep.columns]
    draw.text((left, top), sweep.title, fill=INK, font=font)
    if not scales:
        return
    first, last = math.log(scales[0]), math.log(scales[-1])
    chart = width - 320

    def at(scale: float, value: float) -> tuple[float, float]:
        across = (math.log(scale) - first) / (last - first) if last > first else 0.5
        return left + 60 + across * (chart - 80), top + height - 22 - value * (height - 56)

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = at(scales[0], share)
        draw.line([(left + 46, y), (left + chart, y)], fill=LIGHT)
        draw.text((left, y - 9), f"{share:.0%}", fill=GREY, font=font)
    for scale in scales:
        draw.text((at(scale, 0.0)[0] - 12, top + height - 20), f"x {scale:g}", fill=GREY, font=font)
    for line, row in enumerate(sweep.rows):
        values = [(scale, cell.mean) for scale, cell in zip(scales, row.cells, strict=True)]
        spots = [at(scale, value) for scale, value in values if not math.isnan(value)]
        draw.line(spots, fill=color_of(row.name), width=3)
        for x, y in spots:
            draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=color_of(row.name))
        legend = (left + chart + 24, top + 30 + line * 24)
        draw.rectangle([legend[0], legend[1] + 3, legend[0] + 14, legend[1] + 15], fill=color_of(row.name))
        draw.text((legend[0] + 22, legend[1]), row.title, fill=INK, font=font)
