"""Bookshelves."""

import numpy as np

from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, rod, standing


def bookshelf(draw: Draw) -> list[Part]:
    """Make a bookshelf: shelves between sides, filled with books standing, leaning and lying."""
    kind = draw.pick(["case", "open", "cubes", "low", "low", "bench", "ladder", "tower"])
    width = {"tower": draw.between(0.35, 0.5), "low": draw.between(1.0, 1.8), "bench": draw.between(0.9, 1.9)}.get(
        kind, draw.between(0.6, 1.2)
    )
    height = {"low": draw.between(0.7, 1.0), "cubes": draw.between(0.7, 1.6), "bench": draw.between(0.4, 0.6)}.get(
        kind, draw.between(1.4, 2.1)
    )
    depth, board = draw.between(0.24, 0.36), draw.between(0.018, 0.04)
    rows = max(1, round(height / draw.between(0.3, 0.42)))
    levels = np.linspace(0.05 if kind != "open" else 0.12, height - board, rows + 1)
    parts: list[Part] = []
    shrink = draw.between(0.45, 0.7) if kind == "ladder" else 1.0
    deep = [
        depth
        * (1 if kind != "ladder" else 1 + 0.5 * (1 - k / rows) - 0.25)
        * (shrink if kind == "ladder" and k == rows else 1)
        for k in range(rows + 1)
    ]
    parts += [
        ("shelf", standing(width - 2 * board, board, d, (0, float(y), d / 2 - depth / 2)))
        for y, d in zip(levels, deep, strict=True)
    ]
    x = width / 2 - board / 2
    if kind in ("open", "ladder"):
        post = 0.03
        for side in (-1, 1):
            front = depth * (0.75 if kind == "ladder" else 0.5)
            top = -depth * 0.25 if kind == "ladder" else depth * 0.5
            parts += [("side", rod((side * x, 0, front), (side * x, height + 0.02, top), post, squareness=0.8))]
            parts += [
                ("side", rod((side * x, 0, -depth / 2), (side * x, height + 0.02, -depth / 2), post, squareness=0.8))
            ]
    else:
        parts += [("side", standing(board, height, depth, (side * x, 0, 0), 0.003)) for side in (-1, 1)]
        if draw.chance(0.8) or kind == "cubes":
            parts.append(("side", standing(width - 2 * board, height - 0.05, 0.012, (0, 0.05, -depth / 2 + 0.006))))
    columns = max(2, round(width / 0.38)) if kind == "cubes" else 1
    inner = width - 2 * board
    if columns > 1:
        parts += [
            ("side", standing(board * 0.8, height - 0.06, depth * 0.98, (inner * (k / columns - 0.5), 0.05, 0)))
            for k in range(1, columns)
        ]
    full = draw.between(0.45, 0.95)
    for k in range(rows):
        room = float(levels[k + 1] - levels[k]) - board
        for column in range(columns):
            start = -inner / 2 + inner * column / columns + 0.02
            end = -inner / 2 + inner * (column + 1) / columns - 0.02
            if draw.chance(0.88):
                parts += [
                    ("book", b.moved(y=float(levels[k]) + board))
                    for b in _books(draw, start, end, room, min(deep[k], depth), depth, full)
                ]
    if not any(name == "book" for name, _ in parts):
        parts += [
            ("book", b.moved(y=float(levels[0]) + board))
            for b in _books(draw, -inner / 2, inner / 2, 0.25, depth, depth, full)
        ]
    return parts


def _books(draw: Draw, start: float, end: float, room: float, depth: float, behind: float, full: float) -> list[Solid]:
    style = draw.pick(["row", "row", "row", "stack"])
    deep = depth * draw.between(0.6, 0.8)
    z = -behind / 2 + deep / 2 + 0.02
    if style == "stack":
        x, y, books = draw.between(start + 0.12, max(start + 0.13, end - 0.12)), 0.0, []
        for _ in range(draw.count(2, 5)):
            thick = draw.between(0.02, 0.045)
            if y + thick < room:
                books.append(
                    standing(draw.between(0.17, 0.22), thick, deep, (x, y, z)).turned(
                        "y", draw.between(-0.1, 0.1), (x, 0, z)
                    )
                )
                y += thick
        return books
    books, x, stop = [], start, start + (end - start) * full * draw.between(0.6, 1.05)
    usual = room * draw.between(0.65, 0.9)
    while True:
        thick = draw.between(0.025, 0.06)
        if x + thick > min(stop, end):
            break
        tall = min(usual * draw.between(0.85, 1.1), room * 0.95)
        books.append(standing(thick * 0.96, tall, deep * draw.between(0.9, 1.05), (x + thick / 2, 0, z)))
        x += thick
    if books and x + 0.1 < end and draw.chance(0.5):
        tall = usual * 0.9
        books.append(standing(0.03, tall, deep, (x + 0.1, 0, z)).turned("z", 0.3, (x + 0.1, 0, z)))
    return books
