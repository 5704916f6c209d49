"""Airplanes."""

from typing import NamedTuple

import numpy as np

from s4tok.synthetic.outlines import curve, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, cylinder, ellipsoid, laid, loft, rod, standing

WING_SECTION = np.array(
    [(0.5, 0), (0.25, 0.45), (-0.1, 0.7), (-0.38, 0.6), (-0.5, 0), (-0.38, -0.35), (-0.1, -0.4), (0.25, -0.25)]
)


class Kind(NamedTuple):
    """Ranges of what makes an airplane what it is; lengths in units of about a tenth of a real one."""

    length: tuple[float, float]
    girth: tuple[float, float]  # radius of the body, as a share of its length
    span: tuple[float, float]  # of one wing
    sweep: tuple[float, float]  # how far a wing's tip lies behind its root, as a share of the span
    root: tuple[float, float]  # a wing's depth at the body
    tip: tuple[float, float]  # and at its end, as a share of that
    nose: tuple[float, float]  # 0 pointed, 1 blunt


KINDS = {
    "airliner": Kind((1.7, 2.3), (0.05, 0.075), (0.75, 1.05), (0.25, 0.5), (0.28, 0.42), (0.1, 0.35), (0.6, 0.9)),
    "business": Kind((1.3, 1.8), (0.055, 0.08), (0.6, 0.85), (0.15, 0.35), (0.26, 0.36), (0.4, 0.7), (0.5, 0.7)),
    "propeller": Kind((1.3, 1.7), (0.055, 0.08), (0.7, 1.0), (-0.03, 0.08), (0.2, 0.28), (0.5, 0.95), (0.6, 0.9)),
    "biplane": Kind((1.2, 1.6), (0.055, 0.08), (0.6, 0.8), (-0.03, 0.08), (0.2, 0.28), (0.8, 0.95), (0.7, 0.9)),
    "glider": Kind((1.0, 1.3), (0.035, 0.045), (1.1, 1.5), (-0.03, 0.05), (0.14, 0.2), (0.4, 0.7), (0.5, 0.7)),
    "fighter": Kind((1.3, 1.8), (0.055, 0.08), (0.4, 0.6), (0.4, 0.7), (0.6, 0.85), (0.08, 0.35), (0.2, 0.3)),
    "delta": Kind((2.2, 2.8), (0.03, 0.04), (0.5, 0.65), (0.9, 1.1), (1.1, 1.4), (0.1, 0.25), (0.2, 0.3)),
}


def airplane(draw: Draw) -> list[Part]:
    """Make an airplane, nose towards +z: body, wings, tail, often engines."""
    kind = draw.pick(["airliner", *KINDS])
    length, girth, span, sweep, root, tip, nose = (draw.between(*limits) for limits in KINDS[kind])
    girth, tip = girth * length, tip * root
    stations = np.array([0, 0.03, 0.1, 0.22, 0.6, 0.85, 1.0])
    widths = np.array([0.12, 0.45 * nose + 0.1, 0.5 + 0.5 * nose, 1, 1, 0.55, 0.18])
    rise = np.array([-0.2, -0.15, -0.06, 0, 0, 0.25, 0.5])
    line = curve(np.column_stack([stations, widths, rise]), 36)
    circle = superellipse(28)
    height = girth * draw.between(0.95, 1.25)
    rings = np.stack(
        [
            np.column_stack(
                [circle[:, 0] * girth * w, circle[:, 1] * height * w + girth * r, np.full(28, length * (0.5 - s))]
            )
            for s, w, r in line[::-1]
        ]
    )
    parts = [("body", loft(rings))]
    if kind in ("fighter", "propeller", "biplane", "glider"):
        parts.append(
            (
                "body",
                ellipsoid(
                    (girth * 1.2, height * 1.3, length * 0.22), (0, height * 0.75, length * draw.between(0.12, 0.25))
                ),
            )
        )
    z = length * draw.between(0.0, 0.1) + (root / 2 if kind not in ("fighter", "delta") else 0)
    level = height * (
        draw.between(0.7, 0.9) if kind in ("propeller", "glider") and draw.chance(0.6) else draw.between(-0.6, -0.3)
    )
    lift = span * draw.between(0.02, 0.12)
    levels = [-height * 0.6, height * 1.9] if kind == "biplane" else [level]
    for y in levels:
        parts += [
            ("wing", _wing(span, root, tip, sweep, lift, 0.1, side).moved(y=y, z=z - root / 2)) for side in (-1, 1)
        ]
    if kind == "biplane":
        parts += [
            (
                "wing",
                rod(
                    (s * span * 0.7, -height * 0.6 + lift * 0.7, z - root / 2),
                    (s * span * 0.7, height * 1.9 + lift * 0.7, z - root / 2),
                    0.02,
                ),
            )
            for s in (-1, 1)
        ]
    parts += [("tail", piece) for piece in _tail(draw, kind, length, girth, span, root)]
    parts += [
        ("engine", piece) for piece in _engines(draw, kind, length, girth, span, sweep, z - root / 2, level, lift)
    ]
    if draw.chance(0.4):  # in flight
        parts = laid(parts, "x", draw.between(-0.6, 0.4))
        return laid(parts, "z", draw.between(-1.0, 1.0))
    return parts


def _wing(span: float, root: float, tip: float, sweep: float, lift: float, thick: float, side: int) -> Solid:
    """Make a wing from the middle of the body to one side; its chord lies along z, thickest near the front."""
    places = np.linspace(0, 1, 7)
    rings = []
    for place in places:
        chord = root + (tip - root) * place
        section = WING_SECTION[::-1] * np.array([-chord, chord * thick + 0.006])
        rings.append(
            np.column_stack(
                [np.full(8, side * span * place), section[:, 1] + lift * place, section[:, 0] - sweep * span * place]
            )
        )
    ordered = np.stack(rings)
    return loft(ordered[:, ::-1] if side > 0 else ordered)


def _tail(draw: Draw, kind: str, length: float, girth: float, span: float, root: float) -> list[Solid]:
    wide, chord = span * draw.between(0.28, 0.4), root * draw.between(0.35, 0.6)
    if kind in ("fighter", "delta"):
        wide, chord = span * 0.55, root * 0.35
    back, tall = -length / 2 + chord * 0.55, draw.between(0.16, 0.28) * length * 0.75
    high = kind in ("glider", "business") or (kind == "airliner" and draw.chance(0.2))
    level, sweep = (tall * 0.95 if high else girth * 0.35), draw.between(0.2, 0.6)
    fin = _wing(tall, chord * 1.2, chord * 0.6, sweep, 0.0, 0.1, 1).turned("z", np.pi / 2)
    fins = [fin.moved(y=girth * 0.3, z=back)]
    if kind == "fighter" and draw.chance(0.6):
        fins = [fin.turned("z", -side * 0.25).moved(side * girth, girth * 0.3, back) for side in (-1, 1)]
    shift = -sweep * tall * (level / tall if high else 0)
    return fins + [
        _wing(wide, chord, chord * 0.6, sweep, 0.02, 0.1, side).moved(y=level + girth * 0.3, z=back + shift)
        for side in (-1, 1)
    ]


def _engines(
    draw: Draw, kind: str, length: float, girth: float, span: float, sweep: float, z: float, level: float, lift: float
) -> list[Solid]:
    radius, long = girth * draw.between(0.35, 0.5), length * draw.between(0.1, 0.14)
    pod = ellipsoid((2 * radius, 2 * radius, long * 1.2), squareness=0.25)
    if kind == "airliner":
        shares = draw.pick([[0.33], [0.33], [0.28, 0.55]])
        return [
            pod.moved(side * span * p, level + lift * p - radius, z - sweep * span * p + long * 0.5)
            for p in shares
            for side in (-1, 1)
        ]
    if kind == "business":
        return [pod.moved(side * (girth + radius * 0.7), girth * 0.5, -length * 0.24) for side in (-1, 1)]
    if kind in ("propeller", "biplane"):
        two = kind == "propeller" and draw.chance(0.4)
        places = (
            [(side * span * 0.35, level, z + long) for side in (-1, 1)] if two else [(0.0, -0.15 * girth, length / 2)]
        )
        blades = draw.pick([2, 3, 4])
        pieces = []
        for x, y, front in places:
            if two:
                pieces.append(ellipsoid((radius * 1.6, radius * 1.6, long * 1.6), (x, y, front - long * 0.5)))
            pieces.append(ellipsoid((radius, radius, radius * 1.4), (x, y, front + 0.02)))
            blade = standing(0.03, girth * 1.9, 0.012, soft=0.004).turned("y", 0.4)
            pieces += [blade.turned("z", 2 * np.pi * k / blades).moved(x, y, front + 0.03) for k in range(blades)]
        return pieces
    if kind in ("fighter", "delta"):
        count = draw.pick([1, 2])
        nozzle = cylinder(girth * (0.6 if count == 1 else 0.42), length * 0.1, top=girth * 0.4).turned("x", -np.pi / 2)
        return [
            nozzle.moved(x, girth * 0.4, -length * 0.46) for x in ([0.0] if count == 1 else [-girth * 0.4, girth * 0.4])
        ]
    return []
