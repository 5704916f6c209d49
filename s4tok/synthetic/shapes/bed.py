"""Beds."""

import numpy as np

from s4tok.synthetic.outlines import superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, box, cylinder, ellipsoid, plate, rod, standing


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
        parts += [("frame", rail) for rail in _rails(width, length, margin, deck + floor, under - floor)]
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


def _rails(width: float, length: float, margin: float, floor: float, tall: float) -> list[Solid]:
    """Put four boards round a mattress; a block below it would have a hidden top."""
    wide, long, board = width + margin, length + margin, margin / 2 + 0.03
    rails = [standing(board, tall, long, (s * (wide - board) / 2, floor, 0), 0.01) for s in (-1, 1)]
    rails += [standing(wide - 2 * board, tall, board, (0, floor, s * (long - board) / 2), 0.01) for s in (-1, 1)]
    return rails


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
