"""Tables and desks."""

import numpy as np

from s4tok.synthetic.outlines import curve, rounded_path, rounded_rectangle, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import (
    Part,
    Solid,
    box,
    cylinder,
    plate,
    revolve,
    rod,
    standing,
    tube,
)


def table(draw: Draw) -> list[Part]:
    """Make a table: a top on legs, a column, trestles, panels or a drum; desks have drawers."""
    height = draw.pick(
        [draw.between(0.32, 0.5), draw.between(0.65, 0.8), draw.between(0.68, 0.78), draw.between(0.9, 1.1)]
    )
    width, depth = draw.between(0.5, 1.9), draw.between(0.45, 0.95)
    top = draw.pick(["rectangle", "rectangle", "rounded", "round", "oval"])
    if top == "round":
        width = depth = draw.between(0.5, 1.3)
    if height > 0.85:
        width, depth = min(width, 0.9), min(depth, 0.7)
    thickness = draw.between(0.015, 0.07)
    square = {"rectangle": 1, "rounded": draw.between(0.5, 0.75), "round": 0.0, "oval": 0.0}[top]
    outline = superellipse(56, square) * np.array([width, depth]) / 2
    if top == "rectangle":
        outline = rounded_rectangle(width, depth, max(draw.between(0.002, 0.05), 0.5 * thickness))
    board = plate(outline, thickness, soft=thickness * draw.between(0.1, 0.45)).turned("x", -np.pi / 2)
    parts = [("top", board.moved(y=height - thickness / 2))]
    under, reach = height - thickness, (0.36 if top in ("round", "oval") else 0.47)
    kind = draw.pick(["legs", "legs", "splayed", "column", "panels", "trestle", "drum", "sled"])
    parts += [("leg", leg) for leg in _table_base(draw, kind, width * reach, under, depth * reach)]
    if kind in ("legs", "panels") and top == "rectangle" and height > 0.6 and draw.chance(0.5):
        parts += [("drawer", piece) for piece in _drawers(draw, width, under, depth)]
    return parts


def _table_base(draw: Draw, kind: str, x: float, height: float, z: float) -> list[Solid]:
    thick = draw.between(0.03, 0.09)
    square = draw.pick([0.0, 0.85])
    corners = [(i * (x - thick / 2), k * (z - thick / 2)) for i in (-1, 1) for k in (-1, 1)]
    if kind in ("legs", "splayed"):
        foot = draw.between(0.35, 1)
        lean = draw.between(0.02, 0.12) if kind == "splayed" else 0.0
        bases = [(a * (1 + lean / x) - a * lean, b * (1 + lean / z)) for a, b in corners]
        legs = [
            rod((a, 0, b), (c, height, d), thick * foot, thick, square)
            for (a, b), (c, d) in zip(bases, corners, strict=True)
        ]
        if kind == "legs" and draw.chance(0.5):
            rail = draw.between(0.05, 0.1)
            legs += [
                standing(2 * x - 2 * thick, rail, 0.02, (0, height - rail, side * (z - thick / 2))) for side in (-1, 1)
            ]
            legs += [
                standing(0.02, rail, 2 * z - 2 * thick, (side * (x - thick / 2), height - rail, 0)) for side in (-1, 1)
            ]
        return legs
    if kind == "column":
        waist = draw.between(0.03, 0.08)
        profile = curve(
            [
                (waist * 1.8, 0.03),
                (waist * draw.between(0.7, 1.6), height * 0.3),
                (waist, height * 0.7),
                (waist * 1.8, height),
            ]
        )
        spread = 0.75 * min(x, z) + 0.08
        if draw.chance(0.5):
            return [revolve(profile), cylinder(spread, draw.between(0.02, 0.05), soft=0.015)]
        feet = draw.pick([3, 4])
        turns = [2 * np.pi * (k + 0.5) / feet for k in range(feet)]
        claws = [curve([(0, 0.22, 0), (0, 0.15, spread * 0.5), (0, 0.02, spread)], 10) for _ in turns]
        return [revolve(profile), *(tube(claw, 0.045).turned("y", a) for claw, a in zip(claws, turns, strict=True))]
    if kind == "panels":
        sides = [standing(thick * 0.6, height, 2 * z, (side * (x - thick), 0, 0), 0.005) for side in (-1, 1)]
        back = draw.between(0.2, 0.7) * height
        return [*sides, standing(2 * x - 2 * thick, back, 0.02, (0, height - back, -z * draw.between(0, 0.8)))]
    if kind == "trestle":
        legs = []
        for side in (-1, 1):
            place = side * x * 0.85
            spread = z * draw.between(0.5, 0.95)
            cross = -spread if draw.chance(0.5) else 0.05
            legs += [
                rod((place, 0, s * spread), (place, height, s * cross), thick * 0.7, squareness=square) for s in (-1, 1)
            ]
        return [*legs, rod((-x * 0.85, height * 0.45, 0), (x * 0.85, height * 0.45, 0), thick * 0.6, squareness=square)]
    if kind == "drum":
        wide = draw.between(0.5, 0.8)
        return [cylinder(min(x, z) * wide, height, top=min(x, z) * draw.between(0.4, 0.9), soft=0.01)]
    loops = [
        rounded_path([(s * x, height, z), (s * x, 0.02, z), (s * x, 0.02, -z), (s * x, height, -z)], 0.1)
        for s in (-1, 1)
    ]
    return [tube(loop, thick * 0.8, squareness=square) for loop in loops]


def _drawers(draw: Draw, width: float, height: float, depth: float) -> list[Solid]:
    wide, tall = draw.between(0.25, 0.35) * width, draw.between(0.12, height * 0.85)
    rows = 1 + int(tall / 0.2)
    sides = draw.pick([[-1], [1], [-1, 1]])
    pieces = []
    for side in sides:
        x = side * (width / 2 - wide / 2 - 0.07)
        pieces.append(standing(wide, tall, depth * 0.8, (x, height - tall, 0)))
        for row in range(rows):
            middle = (x, height - tall * (row + 0.5) / rows, depth * 0.4 + 0.01)
            pieces.append(box((wide * 0.94, tall / rows * 0.88, 0.02), middle, 0.004))
            pieces.append(box((wide * 0.3, 0.015, 0.02), (x, middle[1], middle[2] + 0.018), 0.004))
    return pieces
