"""Mugs."""

import numpy as np

from s4tok.synthetic.outlines import arc, curve, rounded_path
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import (
    Part,
    Solid,
    bowl,
    laid,
    tube,
)


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
