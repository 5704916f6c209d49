"""Cabinets."""

import numpy as np

from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, box, cylinder, ellipsoid, rod, standing


def cabinet(draw: Draw) -> list[Part]:
    """Make a cabinet: a body with doors, drawers or both, handles, sometimes legs."""
    kind = draw.pick(["wardrobe", "sideboard", "chest", "filing", "kitchen", "nightstand", "hutch"])
    width, height, depth, columns, rows = {
        "wardrobe": (draw.between(0.8, 1.8), draw.between(1.7, 2.2), draw.between(0.5, 0.65), draw.count(2, 3), 1),
        "sideboard": (
            draw.between(1.2, 2.0),
            draw.between(0.5, 0.8),
            draw.between(0.35, 0.5),
            draw.count(2, 4),
            draw.count(1, 2),
        ),
        "chest": (
            draw.between(0.6, 1.2),
            draw.between(0.7, 1.3),
            draw.between(0.4, 0.55),
            draw.count(1, 2),
            draw.count(3, 6),
        ),
        "filing": (draw.between(0.38, 0.5), draw.between(0.7, 1.4), draw.between(0.5, 0.7), 1, draw.count(2, 4)),
        "kitchen": (draw.between(0.6, 1.6), draw.between(0.8, 0.95), draw.between(0.5, 0.65), draw.count(1, 3), 2),
        "nightstand": (draw.between(0.4, 0.6), draw.between(0.45, 0.65), draw.between(0.35, 0.45), 1, draw.count(1, 3)),
        "hutch": (draw.between(0.8, 1.3), draw.between(1.6, 2.0), draw.between(0.38, 0.5), 2, 3),
    }[kind]
    legs = kind in ("sideboard", "nightstand", "chest", "hutch") and draw.chance(0.6)
    foot = draw.between(0.08, 0.25) if legs else 0.0
    base = draw.between(0.03, 0.08) if not legs else 0.0
    parts: list[Part] = [("body", board) for board in _case(width, height - foot, depth, foot)]
    if draw.chance(0.5):
        parts.append(("body", standing(width + 0.05, 0.03, depth + 0.05, (0, height, 0), 0.008)))
    front, bottom, rim = depth / 2, foot + base + 0.02, 0.025
    inner, tall = width - 2 * rim, height - rim - bottom
    shares = _rows(draw, kind, rows)
    swing = kind in ("wardrobe", "kitchen", "sideboard", "hutch") and draw.chance(0.3)
    handle = draw.pick(["bar", "knob", "rail", "ring"])
    y = bottom
    for row, share in enumerate(shares):
        drawers = (
            kind in ("chest", "filing", "nightstand")
            or (kind in ("kitchen", "hutch") and row == 1)
            or (kind == "sideboard" and row == 1)
        )
        panel_height = tall * share - 0.012
        for column in range(columns):
            panel_width = inner / columns - 0.012
            x = inner * ((column + 0.5) / columns - 0.5)
            middle = (x, y + tall * share / 2, front + 0.009)
            grip = _handle(draw, handle, panel_width, panel_height, drawers, column, columns)
            pieces = [("drawer" if drawers else "door", box((panel_width, panel_height, 0.022), middle, 0.006))]
            if not drawers and kind in ("wardrobe", "kitchen", "hutch") and row != 1 and panel_width > 0.25:
                pieces.append(
                    (
                        "door",
                        box(
                            (panel_width * 0.65, panel_height * 0.8, 0.012),
                            (middle[0], middle[1], middle[2] + 0.012),
                            0.004,
                        ),
                    )
                )
            pieces += [("handle", g.moved(middle[0], middle[1], middle[2] + 0.011)) for g in grip]
            if swing and not drawers and column == 0:
                hinge = (x - panel_width / 2, 0.0, front)
                angle = -draw.between(0.3, 1.4)
                pieces = [(name, piece.turned("y", angle, hinge)) for name, piece in pieces]
            parts += pieces
        y += tall * share
    if legs:
        thick = draw.between(0.03, 0.05)
        spots = [(a * (width / 2 - 0.06), b * (depth / 2 - 0.06)) for a in (-1, 1) for b in (-1, 1)]
        parts += [("leg", rod((a * 1.03, 0, b * 1.03), (a, foot + 0.005, b), thick * 0.6, thick)) for a, b in spots]
    return parts


def _case(width: float, height: float, depth: float, floor: float) -> list[Solid]:
    """Make a case that is open to the front, where doors and drawers close it."""
    board, middle = 0.022, floor + height / 2
    sides = [box((board, height, depth), (s * (width - board) / 2, middle, 0), 0.003) for s in (-1, 1)]
    flat = (width - 2 * board, board, depth)
    ends = [box(flat, (0, middle + s * (height - board) / 2, 0), 0.003) for s in (-1, 1)]
    return [*sides, *ends, box((width - 2 * board, height - 2 * board, board), (0, middle, (board - depth) / 2))]


def _rows(draw: Draw, kind: str, rows: int) -> list[float]:
    if kind == "hutch":
        return [0.36, 0.14, 0.5]
    if kind in ("kitchen", "sideboard") and rows == 2:
        low = draw.between(0.6, 0.78)
        return [low, 1 - low]
    weights = [1 + draw.between(0, 0.15) * (rows - row) for row in range(rows)]
    return [weight / sum(weights) for weight in weights]


def _handle(draw: Draw, kind: str, width: float, height: float, drawer: bool, column: int, columns: int) -> list[Solid]:
    out = 0.028
    side = 1 if column % 2 == 0 and columns > 1 else -1
    x = 0.0 if drawer else side * (width / 2 - 0.05)
    if kind == "knob":
        places = [-0.25 * width, 0.25 * width] if drawer and width > 0.5 else [x]
        return [ellipsoid((0.04, 0.04, 0.04), (p, 0, 0.018)) for p in places]
    if kind == "ring":
        return [cylinder(0.028, 0.014, soft=0.005).turned("x", np.pi / 2).moved(x)]
    long = min(0.4, (width if drawer else height) * (0.75 if kind == "rail" else 0.35))
    if drawer:
        bar = [box((long, 0.016, 0.014), (0, 0, out), 0.005)]
        return bar + [box((0.012, 0.012, out), (s * long * 0.45, 0, out / 2)) for s in (-1, 1)]
    bar = [box((0.016, long, 0.014), (x, 0, out), 0.005)]
    return bar + [box((0.012, 0.012, out), (x, s * long * 0.45, out / 2)) for s in (-1, 1)]
