"""Beds, cabinets and bookshelves."""

import numpy as np

from s4tok.worlds.outlines import superellipse
from s4tok.worlds.randomness import Draw
from s4tok.worlds.solids import Part, Solid, box, cylinder, ellipsoid, plate, rod, standing


def bed(draw: Draw) -> list[Part]:
    """Make a bed, its head at -z: mattress, headboard, pillows and a frame of some kind."""
    width, length = (
        draw.pick([draw.between(0.85, 1.0), draw.between(1.2, 1.6), draw.between(1.6, 2.0)]),
        draw.between(1.9, 2.15),
    )
    kind = draw.pick(["platform", "legs", "box", "footboard", "canopy", "sleigh", "bunk"])
    thick = draw.between(0.14, 0.3)
    under = {"box": draw.between(0.2, 0.32), "bunk": draw.between(0.25, 0.4)}.get(kind, draw.between(0.16, 0.34))
    rail = draw.between(0.1, 0.18)
    floor = 0.0 if kind == "box" else under - rail if kind != "platform" else max(under - rail, 0.05)
    margin = draw.between(0.05, 0.2) if kind == "platform" else 0.03
    if kind == "bunk":
        width, thick = min(width, 1.0), min(thick, 0.16)
    decks = [0.0, draw.between(0.95, 1.15)] if kind == "bunk" else [0.0]
    parts: list[Part] = []
    for deck in decks:
        parts.append(("frame", standing(width + margin, under - floor, length + margin, (0, deck + floor, 0), 0.012)))
        parts.append(("mattress", standing(width, thick, length, (0, deck + under, 0), min(0.07, thick * 0.4))))
        parts += [("pillow", pillow.moved(y=deck + under + thick)) for pillow in _pillows(draw, width, length)]
        if kind != "bunk" and draw.chance(0.45):
            cover = length * draw.between(0.45, 0.7)
            drop = draw.between(0.3, 0.95) * thick
            parts.append(
                (
                    "mattress",
                    standing(
                        width + 0.05, drop + 0.03, cover, (0, under + thick - drop, length / 2 - cover / 2 + 0.02), 0.03
                    ),
                )
            )
    top = under + thick + (draw.between(0.3, 0.75) if kind != "bunk" else 0.3)
    back = -length / 2 - margin / 2
    high = decks[-1] + top
    parts += [("headboard", piece) for piece in _headboard(draw, kind, width + margin, high, back)]
    corners = [
        (x * (width / 2 + margin / 2 - 0.03), z * (length / 2 + margin / 2 - 0.03)) for x in (-1, 1) for z in (-1, 1)
    ]
    if kind in ("legs", "footboard", "sleigh") or (kind == "platform" and floor > 0.05):
        inset = 0.75 if kind == "platform" else 1
        parts += [
            ("frame", cylinder(0.03, floor, (x * inset, 0, z * inset), top=0.035)) for x, z in corners if floor > 0.01
        ]
    if kind == "footboard":
        parts.append(
            (
                "frame",
                standing(
                    width + margin, draw.between(0.45, 0.7), 0.05, (0, 0.1, length / 2 + margin / 2 + 0.02), 0.015
                ),
            )
        )
    if kind == "sleigh":
        foot = draw.between(0.55, 0.75)
        panel = rod((-width / 2, foot, length / 2 + 0.1), (width / 2, foot, length / 2 + 0.1), 0.12)
        parts += [("frame", panel), ("frame", standing(width, foot - 0.1, 0.05, (0, 0.1, length / 2 + 0.06), 0.01))]
    if kind in ("canopy", "bunk"):
        post = draw.between(0.04, 0.08)
        tall = draw.between(1.7, 2.1) if kind == "canopy" else high
        parts += [("frame", standing(post, tall, post, (x, 0, z), 0.008)) for x, z in corners]
        (x, z) = corners[-1]
        if kind == "canopy":
            parts += [("frame", box((2 * x, post * 0.8, post * 0.8), (0, tall, s * z))) for s in (-1, 1)]
            parts += [("frame", box((post * 0.8, post * 0.8, 2 * z), (s * x, tall, 0))) for s in (-1, 1)]
        else:
            parts.append(
                ("frame", box((0.03, 0.12, length * 0.7), (x, decks[-1] + under + thick + 0.18, -length * 0.12), 0.008))
            )
            parts += [
                ("frame", rod((-x + 0.02, y, z + 0.03), (-x + 0.4, y, z + 0.03), 0.03))
                for y in np.linspace(0.3, high - 0.2, 4)
            ]
            parts.append(("frame", standing(0.03, high - 0.05, 0.03, (-x + 0.42, 0, z + 0.03))))
    return parts


def _pillows(draw: Draw, width: float, length: float) -> list[Solid]:
    count = 1 if width < 1.1 else draw.pick([2, 2, 3])
    wide, deep, high = min(0.75, width / count * 0.88), draw.between(0.35, 0.5), draw.between(0.12, 0.2)
    z = -length / 2 + deep / 2 + 0.06
    tilt = draw.pick([0.0, draw.between(0.3, 0.9)])
    pillow = ellipsoid((wide, high, deep), (0, high * 0.38, 0), draw.between(0.35, 0.6)).turned("x", tilt)
    lift = 0.35 * deep * np.sin(tilt)
    return [pillow.moved(width * ((k + 0.5) / count - 0.5) * 0.96, lift, z) for k in range(count)]


def _headboard(draw: Draw, kind: str, width: float, height: float, z: float) -> list[Solid]:
    style = draw.pick(["panel", "padded", "arch", "slats", "tufted"]) if kind != "bunk" else "slats"
    thick = draw.between(0.03, 0.06)
    if style == "panel":
        return [standing(width * draw.between(1, 1.15), height, thick, (0, 0, z - thick / 2), 0.008)]
    if style == "padded":
        return [standing(width * 1.02, height, 0.12, (0, 0, z - 0.05), 0.05)]
    if style == "tufted":
        columns = max(2, round(width / 0.4))
        step = width / columns
        board = standing(width, height, thick, (0, 0, z - thick / 2))
        pads = [
            box((step * 0.96, height * 0.45, 0.08), (width * ((k + 0.5) / columns - 0.5), height * 0.77, z), 0.035)
            for k in range(columns)
        ]
        return [board, *pads]
    if style == "arch":
        side = superellipse(48, draw.between(0.0, 0.3)) * np.array([width / 2, height * 0.45])
        outline = np.column_stack([side[:, 0], np.maximum(side[:, 1], -height * 0.02) + height * 0.55])
        arch = plate(outline, thick, soft=0.01)
        return [arch.moved(z=z - thick / 2), standing(width, height * 0.54, thick, (0, 0, z - thick / 2))]
    posts = [standing(0.05, height, 0.05, (s * (width / 2 - 0.025), 0, z - 0.025), 0.01) for s in (-1, 1)]
    rails = [box((width - 0.1, 0.06, 0.03), (0, y, z - 0.025), 0.008) for y in (height - 0.04, height * 0.5)]
    bars = draw.count(5, 9)
    rise = height * 0.5 - 0.07
    return (
        posts
        + rails
        + [
            standing(0.03, rise, 0.02, (float(x), height * 0.5 + 0.03, z - 0.025))
            for x in np.linspace(-0.42, 0.42, bars) * width
        ]
    )


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
    parts: list[Part] = [("body", standing(width, height - foot, depth, (0, foot, 0), draw.between(0.002, 0.03)))]
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


def bookshelf(draw: Draw) -> list[Part]:
    """Make a bookshelf: shelves between sides, filled with books standing, leaning and lying."""
    kind = draw.pick(["case", "case", "open", "cubes", "low", "ladder", "tower"])
    width = {"tower": draw.between(0.35, 0.5), "low": draw.between(1.0, 1.8)}.get(kind, draw.between(0.6, 1.2))
    height = {"low": draw.between(0.7, 1.0), "cubes": draw.between(0.8, 1.6)}.get(kind, draw.between(1.4, 2.1))
    depth, board = draw.between(0.24, 0.36), draw.between(0.018, 0.04)
    rows = max(2, round(height / draw.between(0.3, 0.42)))
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
