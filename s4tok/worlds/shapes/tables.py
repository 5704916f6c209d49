"""Tables and desks, lamps and mugs."""

import numpy as np

from s4tok.shapes import Array
from s4tok.worlds.outlines import arc, curve, rounded_path, rounded_rectangle, superellipse
from s4tok.worlds.randomness import Draw
from s4tok.worlds.solids import (
    Part,
    Solid,
    bowl,
    box,
    cylinder,
    ellipsoid,
    laid,
    loft,
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
        outline = rounded_rectangle(width, depth, draw.between(0.002, 0.05))
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


def lamp(draw: Draw) -> list[Part]:
    """Make a lamp that stands on the floor or a table, bends over it or hangs: shade, pole, base."""
    kind = draw.pick(["floor", "table", "vase", "desk", "arc", "pendant", "tripod", "mushroom", "chandelier"])
    if kind == "pendant":
        drop = draw.between(0.3, 0.9)
        shade, tall = _shade(draw, draw.between(0.12, 0.28))
        canopy = cylinder(draw.between(0.04, 0.08), 0.03, (0, tall + drop, 0), soft=0.01)
        cord = rod((0, tall * 0.9, 0), (0, tall + drop, 0), draw.between(0.008, 0.02))
        return [("shade", shade), ("pole", cord), ("base", canopy)]
    if kind == "chandelier":
        return _chandelier(draw)
    if kind in ("desk", "arc"):
        return _bending_lamp(draw, kind)
    height = {"floor": draw.between(1.1, 1.6), "tripod": draw.between(0.5, 1.5)}.get(kind, draw.between(0.25, 0.5))
    shade, tall = _shade(draw, draw.between(0.14, 0.26) if height < 0.6 else draw.between(0.15, 0.3))
    width = draw.between(0.012, 0.035)
    if kind == "vase":
        girth, body = draw.between(0.06, 0.13), height * draw.between(0.5, 0.8)
        knots = [
            (girth * draw.between(0.5, 0.9), 0),
            (girth, body * draw.between(0.25, 0.7)),
            (girth * 0.35, body * 0.95),
            (0.015, body),
        ]
        base = [revolve(curve(knots, 28))]
        start = body * 0.98
    elif kind == "tripod":
        start, spread = height * draw.between(0.5, 0.85), height * draw.between(0.2, 0.35)
        turns = [2 * np.pi * k / 3 for k in range(3)]
        base = [rod((spread * np.sin(a), 0, spread * np.cos(a)), (0, start, 0), 0.02, 0.03) for a in turns]
    elif kind == "mushroom":
        start = height * 0.2
        base = [revolve(curve([(draw.between(0.08, 0.14), 0), (0.07, start * 0.6), (0.03, start)], 20))]
        width = draw.between(0.03, 0.06)
    else:
        radius = draw.between(0.08, 0.17)
        start = draw.between(0.015, 0.06)
        dome = revolve([(radius * np.cos(a), start * np.sin(a)) for a in np.linspace(0, np.pi / 2, 10)])
        flat = cylinder(radius, start, soft=0.008)
        block = standing(radius * 1.7, start, radius * 1.7, soft=0.008)
        base = [draw.pick([dome, flat, block])]
    pole = rod((0, start - 0.005, 0), (0, height + tall * 0.3, 0), width)
    return [("shade", shade.moved(y=height)), ("pole", pole), *(("base", piece) for piece in base)]


def _shade(draw: Draw, radius: float) -> tuple[Solid, float]:
    """Give a shade whose lower rim is at y = 0, and its height."""
    kind = draw.pick(["cone", "cone", "drum", "bell", "dome", "globe", "square"])
    tall = radius * draw.between(0.8, 1.7)
    top = radius * draw.between(0.35, 0.75)
    wall = 0.008
    if kind == "globe":
        return ellipsoid((2 * radius, tall * 1.3, 2 * radius), (0, tall * 0.65, 0)), tall * 1.3
    if kind == "square":
        rise, share = np.linspace(0, 1, 6), np.linspace(1, top / radius, 6)
        return _open_shade(superellipse(40, 0.85), radius * 0.85 * share, tall * rise, wall), tall
    if kind == "dome":
        tall = radius * draw.between(0.5, 0.9)
        angle = np.linspace(0, np.pi / 2 * 0.93, 16)
        return _open_shade(superellipse(40), radius * np.cos(angle), tall * np.sin(angle), wall), tall
    knots = {
        "cone": [(radius, 0), (top, tall)],
        "drum": [(radius, 0), (radius * 0.97, tall)],
        "bell": [(radius, 0), (radius * 0.72, tall * 0.35), (top * 0.9, tall)],
    }[kind]
    line = curve(knots, 14)
    return _open_shade(superellipse(40), line[:, 0], line[:, 1], wall), tall


def _open_shade(outline: Array, radius: Array, height: Array, wall: float) -> Solid:
    """Make a thin skin open at its lower end and nearly closed at its upper one."""
    radii = np.concatenate([radius, (radius - wall)[::-1]])
    heights = np.concatenate([height, np.minimum(height, height[-1] - wall)[::-1]])
    x, z = outline.T
    rings = np.stack([np.outer(radii, x), np.repeat(heights[:, None], len(x), 1), -np.outer(radii, z)], -1)
    return loft(np.concatenate([rings, rings[:1]]), open_ended=True)


def _bending_lamp(draw: Draw, kind: str) -> list[Part]:
    radius = draw.between(0.09, 0.15)
    foot = cylinder(radius, draw.between(0.02, 0.04), soft=0.01)
    if kind == "arc":
        height, reach = draw.between(1.2, 1.9), draw.between(0.5, 1.1)
        path = curve([(0, 0.02, 0), (-0.05, height * 0.6, 0), (reach * 0.45, height, 0), (reach, height * 0.82, 0)], 30)
        shade, tall = _shade(draw, draw.between(0.13, 0.22))
        foot = cylinder(radius * 1.5, 0.05, soft=0.01)
        pole = tube(path, draw.between(0.02, 0.04))
        return [("base", foot), ("pole", pole), ("shade", shade.moved(reach, height * 0.82 - tall + 0.01, 0))]
    lower, upper = draw.between(0.22, 0.4), draw.between(0.2, 0.38)
    lean, bend = draw.between(0.1, 0.7), draw.between(0.5, 1.2)
    elbow = (-lower * np.sin(lean), 0.02 + lower * np.cos(lean), 0.0)
    hand = (elbow[0] + upper * np.sin(bend), elbow[1] + upper * np.cos(bend), 0.0)
    if draw.chance(0.4):
        path = curve([(0, 0.02, 0), elbow, hand], 24)
        arms = [tube(path, draw.between(0.015, 0.03))]
    else:
        arms = [rod((0, 0.02, 0), elbow, 0.02), rod(elbow, hand, 0.018), ellipsoid((0.035, 0.035, 0.035), elbow)]
    shade, tall = _shade(draw, draw.between(0.07, 0.12))
    tip = draw.between(-0.2, 0.7)
    shade = shade.moved(y=-tall).turned("z", tip).moved(*hand)
    return [("base", foot), *(("pole", arm) for arm in arms), ("shade", shade)]


def _chandelier(draw: Draw) -> list[Part]:
    arms, reach, drop = draw.count(3, 6), draw.between(0.25, 0.5), draw.between(0.2, 0.6)
    shade, _ = _shade(draw, draw.between(0.07, 0.12))
    dip = draw.between(0.05, 0.15)
    arm = curve([(0, 0, 0), (reach * 0.5, -dip, 0), (reach, 0.03, 0)], 16)
    parts = [("base", cylinder(0.06, 0.03, (0, drop, 0), soft=0.01)), ("pole", rod((0, -0.03, 0), (0, drop, 0), 0.02))]
    for k in range(arms):
        turn = 2 * np.pi * k / arms
        parts += [
            ("pole", tube(arm, 0.016).turned("y", turn)),
            ("shade", shade.moved(reach, 0.03, 0).turned("y", turn)),
        ]
    return laid(parts, "y", draw.between(0, np.pi))


def mug(draw: Draw) -> list[Part]:
    """Make a mug: a hollow body and a handle."""
    radius = draw.between(0.035, 0.045)
    height = radius * draw.pick([draw.between(0.9, 1.5), draw.between(1.8, 2.4), draw.between(2.4, 4.2)])
    kind = draw.pick(["straight", "tapered", "belly", "tulip", "barrel", "footed", "square"])
    knots = {
        "straight": [(0.97, 0), (1, 0.03), (1, 0.5), (1, 1)],
        "tapered": [(draw.between(0.6, 0.8), 0), (0.85, 0.5), (1, 1)],
        "belly": [(0.75, 0), (1.12, 0.35), (1.0, 0.75), (0.9, 1)],
        "tulip": [(0.55, 0), (0.85, 0.25), (0.82, 0.6), (1.05, 1)],
        "barrel": [(0.85, 0), (1.08, 0.5), (0.88, 1)],
        "footed": [(0.75, 0), (0.55, 0.1), (0.95, 0.35), (1, 1)],
        "square": [(0.95, 0), (1, 0.06), (1, 1)],
    }[kind]
    line = curve(knots, 24) * np.array([radius, height])
    wall = radius * draw.between(0.06, 0.14)
    body = bowl(line, wall, wall * 1.3)
    if kind == "square":
        section = np.linalg.norm(body.vertices[:, ::2], axis=1)
        angle = np.arctan2(body.vertices[:, 2], body.vertices[:, 0])
        grown = section / np.maximum(np.abs(np.cos(angle)) ** 6 + np.abs(np.sin(angle)) ** 6, 1e-9) ** (1 / 6)
        body = Solid(np.stack([grown * np.cos(angle), body.vertices[:, 1], grown * np.sin(angle)], 1), body.faces)
    low, high = draw.between(0.12, 0.3) * height, draw.between(0.7, 0.92) * height
    at_low, at_high = (float(np.interp(y, line[:, 1], line[:, 0])) - wall * 0.4 for y in (low, high))
    reach = draw.between(0.5, 0.95) * radius
    style = draw.pick(["c", "d", "ear", "low"])
    if style == "c":
        path = curve(
            [
                (at_low, low, 0),
                (at_low + reach * 0.9, low + (high - low) * 0.2, 0),
                (at_high + reach, high * 0.85, 0),
                (at_high, high, 0),
            ]
        )
    elif style == "d":
        path = rounded_path(
            [(at_low, low, 0), (at_low + reach, low, 0), (at_high + reach, high, 0), (at_high, high, 0)], 0.35
        )
    elif style == "ear":
        path = curve(
            [
                (at_low, low, 0),
                (at_low + reach * 0.4, low * 1.3, 0),
                (at_high + reach * 1.1, high, 0),
                (at_high, high * 0.97, 0),
            ]
        )
    else:
        half = (high - low) / 2
        path = np.column_stack(
            [arc(1, -np.pi / 2, np.pi / 2, 20) * np.array([reach, half]) + np.array([at_low, low + half]), np.zeros(20)]
        )
    handle = tube(path, draw.between(0.008, 0.012), draw.between(0.009, 0.02), squareness=draw.between(0, 0.5))
    return laid([("body", body), ("handle", handle)], "y", draw.pick([0.0, draw.between(-np.pi, np.pi)]))
