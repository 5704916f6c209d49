"""Knives."""

import numpy as np

from s4tok.shapes import Array
from s4tok.synthetic.outlines import curve, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, box, cylinder, laid, loft


def knife(draw: Draw) -> list[Part]:
    """Make a knife, its point towards +x, edge down, or lying flat, or hanging: blade and handle."""
    kind = draw.pick(["chef", "paring", "cleaver", "bread", "dagger", "butter", "curved", "folding"])
    long = {
        "paring": draw.between(0.07, 0.12),
        "cleaver": draw.between(0.15, 0.2),
        "folding": draw.between(0.07, 0.1),
    }.get(kind, draw.between(0.14, 0.26))
    high = {
        "cleaver": draw.between(0.07, 0.1),
        "bread": draw.between(0.025, 0.035),
        "paring": 0.022,
        "butter": 0.022,
    }.get(kind, draw.between(0.028, 0.052))
    edge = {
        "chef": [(0, -0.5), (0.5, -0.5), (0.85, -0.25), (1, 0.45)],
        "paring": [(0, -0.5), (0.6, -0.45), (1, 0.3)],
        "cleaver": [(0, -0.5), (0.5, -0.52), (1, -0.5)],
        "bread": [(0, -0.5), (0.9, -0.5), (1, 0.0)],
        "dagger": [(0, -0.5), (0.75, -0.42), (1, 0)],
        "butter": [(0, -0.45), (0.6, -0.55), (0.9, -0.5), (1, 0)],
        "curved": [(0, -0.5), (0.4, -0.55), (0.8, 0.0), (1, 0.9)],
        "folding": [(0, -0.5), (0.6, -0.5), (1, 0.2)],
    }[kind]
    spine = {
        "chef": [(1, 0.45), (0.6, 0.5), (0, 0.5)],
        "cleaver": [(1, 0.5), (0.5, 0.5), (0, 0.5)],
        "dagger": [(1, 0), (0.75, 0.42), (0, 0.5)],
        "butter": [(1, 0), (0.9, 0.4), (0.3, 0.35), (0, 0.3)],
        "curved": [(1, 0.9), (0.7, 0.6), (0.35, 0.42), (0, 0.5)],
        "bread": [(1, 0.0), (0.9, 0.45), (0, 0.5)],
    }.get(kind, [(1, edge[-1][1]), (0.7, 0.48), (0, 0.5)])
    size = np.array([long, high])
    lower, upper = curve(edge, 28) * size, (curve(spine, 28) * size)[::-1]
    blade = _blade(lower, upper, draw.between(0.0025, 0.004))
    parts: list[Part] = [("blade", blade)]
    grip, thick = draw.between(0.09, 0.13), draw.between(0.014, 0.022)
    girth = draw.between(0.022, 0.032) if kind != "cleaver" else 0.03
    style = draw.pick(["straight", "swelling", "hooked", "box"])
    widths = {
        "straight": [0.85, 1.0, 1.0, 0.9],
        "swelling": [0.7, 1.15, 0.85, 1.0],
        "hooked": [0.75, 0.9, 0.95, 1.3],
        "box": [1.0, 1.0, 1.0, 1.0],
    }[style]
    droop = {"hooked": 0.3, "swelling": 0.12}.get(style, 0.0) * girth
    line = curve(np.column_stack([np.linspace(0, 1, 4), widths, [0.0, 0.0, -0.3 * droop, -droop]]), 16)
    level = 0.25 * high - girth * 0.2 if kind in ("chef", "cleaver") else 0.0
    path = np.column_stack([-line[:, 0] * grip, line[:, 2] + level, 0 * line[:, 0]])
    handle = _grip(path, line[:, 1] * girth, line[:, 1] * thick, 0.75 if style == "box" else draw.between(0.1, 0.5))
    pieces = [handle]
    if kind == "dagger" or draw.chance(0.2):
        pieces.append(box((0.012, high * draw.between(1.3, 1.9), thick * 1.2), (0.0, 0, 0), 0.004))
    if kind == "folding":
        angle = draw.between(-0.2, 1.3)
        parts = [("blade", blade.turned("z", angle))]
        pieces.append(cylinder(0.008, thick * 1.3, soft=0.002).turned("x", np.pi / 2).moved(z=-thick * 0.65))
    axis, angle = draw.pick([("y", 0.0), ("y", 0.0), ("x", np.pi / 2), ("z", -np.pi / 2), ("y", np.pi / 2)])
    return laid(parts + [("handle", piece) for piece in pieces], axis, angle)


def _grip(path: Array, high: Array, thick: Array, squareness: float) -> Solid:
    section = superellipse(20, squareness)
    rings = [
        np.column_stack([np.full(20, p[0]), p[1] + section[:, 0] * h / 2, section[:, 1] * t / 2])
        for p, h, t in zip(path, high, thick, strict=True)
    ]
    return loft(np.stack(rings[::-1]))


def _blade(edge: Array, spine: Array, thick: float) -> Solid:
    """Grind a blade: as thick as given along the spine and sharp along the edge."""
    share = np.array([0, 0.5, 1])
    rings = []
    for low, high in zip(edge, spine, strict=True):
        line = low + (high - low) * share[:, None]
        width = thick / 2 * np.array([0.08, 0.8, 1])
        left, right = np.column_stack([line, -width]), np.column_stack([line, width])
        rings.append(np.concatenate([right[::-1], left])[::-1])
    return loft(np.stack(rings))
