"""A picture of a run's losses, for eyes."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from s4tok.shapes import Array, Float
from s4tok_cache.files import write_whole

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 540, 70, 150, 30, 50
COLORS = ((31, 78, 121), (192, 80, 32), (34, 120, 60), (200, 150, 20), (128, 60, 140), (20, 130, 150), (90, 70, 40))
VALIDATION, GREY, LIGHT = (200, 20, 40), (90, 90, 90), (225, 225, 225)
POINTS = 200  # a curve has at most; each is the mean of the steps around it


def draw_curves(path: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str], title: str) -> None:
    """Draw columns over the steps, the validation's first as dots, into one PNG."""
    from PIL import Image, ImageDraw  # comes with torchvision

    colors = dict(zip(names, cycle(COLORS), strict=False))
    curves = {name: _curve(rows, name) for name in names}
    held_out = [[row["step"], row[names[0]]] for row in rows if row["kind"] == "validation" and names[0] in row]
    curves["validation"] = np.array(held_out)
    curves = {name: curve for name, curve in curves.items() if len(curve) and curve[:, 1].any()}
    if not curves:
        return
    last = max(float(curve[-1, 0]) for curve in curves.values()) or 1.0
    top = max(float(np.quantile(curve[:, 1], 0.98)) for curve in curves.values()) * 1.08
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)

    def place(curve: Float[Array, "p 2"]) -> list[tuple[float, float]]:
        across = LEFT + curve[:, 0] / last * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - np.minimum(curve[:, 1] / top, 1) * (HEIGHT - TOP - BOTTOM)
        return list(zip(across.tolist(), down.tolist(), strict=True))

    for share in np.linspace(0, 1, 6).tolist():
        (x, y), (end, _) = place(np.array([[0, share * top], [last, 0]]))
        draw.line([(x, y), (end, y)], fill=LIGHT)
        draw.text((8, y - 6), f"{share * top:.3f}", fill=GREY)
        draw.text((LEFT + share * (WIDTH - LEFT - RIGHT) - 10, HEIGHT - BOTTOM + 8), f"{share * last:.0f}", fill=GREY)
    draw.text((LEFT, 8), title, fill=GREY)
    draw.text((WIDTH - RIGHT - 30, HEIGHT - 24), "step", fill=GREY)
    for line, (name, curve) in enumerate(curves.items()):
        color, spots = colors.get(name, VALIDATION), place(curve)
        if name == "validation":
            for x, y in spots:
                draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=color)
        else:
            draw.line(spots, fill=color, width=2)
        draw.text((WIDTH - RIGHT + 15, TOP + 20 * line), f"{name} {curve[-1, 1]:.4f}", fill=color)
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    write_whole(path, buffer.getvalue())


def _curve(rows: Sequence[Mapping[str, Any]], name: str) -> Float[Array, "p 2"]:
    """Give a loss's course in at most so many points."""
    steps = np.array([[row["step"], row[name]] for row in rows if row["kind"] == "step"]).reshape(-1, 2)
    parts = np.array_split(steps, min(POINTS, max(len(steps), 1)))
    return np.array([part.mean(axis=0) for part in parts if len(part)]).reshape(-1, 2)
