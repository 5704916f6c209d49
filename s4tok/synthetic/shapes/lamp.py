"""Lamps."""

import numpy as np

from s4tok.shapes import Array
from s4tok.synthetic.outlines import curve, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import (
    Part,
    Solid,
    cylinder,
    ellipsoid,
    laid,
    loft,
    revolve,
    rod,
    standing,
    tube,
)


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
