"""Caps and hats."""

import numpy as np

from s4tok.synthetic.outlines import curve, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, ellipsoid, laid, revolve, sheet


def cap(draw: Draw) -> list[Part]:
    """Make a cap, its brim towards +z, worn, put down on its brim or hung up by it: crown and brim."""
    axis, angle = draw.pick([("y", 0.0), ("y", 0.0), ("x", 0.25), ("x", -1.4), ("x", np.pi)])
    return laid(_worn_cap(draw), axis, angle)


def _worn_cap(draw: Draw) -> list[Part]:
    kind = draw.pick(["baseball", "baseball", "trucker", "flat", "kepi", "bucket", "snapback", "beret", "long"])
    radius = draw.between(0.085, 0.1)
    high = radius * {
        "flat": draw.between(0.4, 0.6),
        "kepi": draw.between(0.8, 1.2),
        "bucket": draw.between(0.85, 1.1),
        "beret": 0.45,
    }.get(kind, draw.between(0.95, 1.45))
    square = {
        "baseball": 0.15,
        "trucker": 0.35,
        "snapback": 0.45,
        "kepi": 0.85,
        "bucket": 0.6,
        "flat": 0.2,
        "beret": 0.3,
        "long": 0.15,
    }[kind]
    profile = superellipse(64, square)[:17] * np.array([radius, high])
    if kind == "bucket":
        profile = curve(
            [(radius, 0), (radius * 0.92, high * 0.6), (radius * 0.82, high * 0.93), (radius * 0.6, high), (0, high)],
            24,
        )
    if kind == "beret":
        profile = curve(
            [(radius * 0.9, 0), (radius * 1.3, high * 0.5), (radius * 1.1, high * 0.95), (0, high * 1.05)], 24
        )
    if kind == "kepi":
        profile = curve(
            [(radius, 0), (radius * draw.between(0.85, 1.1), high * 0.95), (radius * 0.6, high), (0, high)], 24
        )
    wall = 0.004
    inner = np.column_stack([np.maximum(profile[::-1, 0] - wall, 0), np.maximum(profile[::-1, 1] - wall, 0.0)])
    shell = revolve(np.concatenate([profile, inner, profile[:1]]), open_ended=True)
    deep = draw.between(1.1, 1.3)
    if kind in ("flat", "trucker"):
        slope = draw.between(0.15, 0.4) * high
        y = shell.vertices[:, 1]
        shell = Solid(
            shell.vertices - np.outer(y / high * shell.vertices[:, 2] / radius * slope, [0, 1, 0]), shell.faces
        )
    parts: list[Part] = [("crown", shell.stretched(z=deep))]
    if kind in ("baseball", "trucker", "snapback") and draw.chance(0.7):
        parts.append(("crown", ellipsoid((0.016, 0.01, 0.016), (0, high, 0))))
    if kind == "bucket":
        flare, drop = draw.between(0.035, 0.065), draw.between(0.01, 0.04)
        line = [
            (radius - 0.003, 0.004),
            (radius + flare, -drop),
            (radius + flare, -drop - 0.004),
            (radius - 0.003, 0.0),
        ]
        parts.append(("brim", revolve([*line[::-1], line[-1]], open_ended=True).stretched(z=deep)))
        return parts
    reach = {
        "flat": draw.between(0.025, 0.045),
        "kepi": draw.between(0.03, 0.05),
        "beret": 0.025,
        "long": draw.between(0.09, 0.13),
    }.get(kind, draw.between(0.055, 0.085))
    bend = 0.0 if kind == "snapback" else draw.between(0.005, 0.035)
    spread = draw.between(0.9, 1.25)
    angle, out = np.meshgrid(np.linspace(-spread, spread, 25), np.linspace(-0.06, 1, 9), indexing="ij")
    tongue = reach * np.cos(angle / spread * np.pi / 2) ** 0.6
    x, z = radius * np.sin(angle), deep * radius * np.cos(angle) + out * tongue
    drop = -out * draw.between(0.0, 0.02) - bend * (x / radius) ** 2 * np.maximum(out, 0) + 0.004
    parts.append(("brim", sheet(np.stack([x, drop, z], -1)[:, ::-1], 0.004)))
    return parts
