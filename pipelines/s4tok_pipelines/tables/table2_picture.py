"""Table 2 as a picture: a panel of bars for each column and for the paper, and the sweep as lines."""

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from s4tok_cache.files import write_whole
from s4tok_pipelines.tables.bars import (
    GREY,
    INK,
    LIGHT,
    MARGIN,
    PANEL,
    TEXT,
    WIDTH,
    color_of,
    draw_panel,
    lines_of,
    panels_of,
)
from s4tok_pipelines.tables.result_table import ResultTable


def draw_table2(path: Path, tables: Sequence[ResultTable], title: str, notes: Sequence[str]) -> None:
    """Draw what was measured above and the paper's figures beside it, each panel with its own title and scale."""
    from PIL import Image, ImageDraw, ImageFont  # comes with torchvision, which open_clip brings

    table, sweep = tables[0], tables[1]
    panels, notes = panels_of(table), lines_of(notes)
    height = 2 * PANEL + (len(notes) + 4) * (TEXT + 6) + MARGIN
    picture = Image.new("RGB", (WIDTH, height), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT)
    draw.text((MARGIN / 2, 12), title, fill=INK, font=ImageFont.load_default(TEXT + 5))
    across = (WIDTH - MARGIN) / len(panels)
    for place, panel in enumerate(panels):
        box = (MARGIN / 2 + place * across, 50.0, across - 24, PANEL - 40.0)
        draw_panel(draw, font, panel, box)
    _lines(draw, font, sweep, (MARGIN / 2, PANEL + 50.0, WIDTH - 2.5 * MARGIN, PANEL - 60.0))
    for line, note in enumerate(notes):
        draw.text((MARGIN / 2, 2 * PANEL + 60 + line * (TEXT + 6)), note, fill=GREY, font=font)
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    write_whole(path, buffer.getvalue(), parents=True)


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
