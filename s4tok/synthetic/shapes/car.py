"""Cars."""

from typing import NamedTuple

import numpy as np

from s4tok.shapes import Array
from s4tok.synthetic.outlines import curve, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, cylinder, loft, standing


class CarKind(NamedTuple):
    """Metres from one bumper to the other, of the body's side, of the cabin; and where the cabin lies."""

    length: tuple[float, float]
    side: tuple[float, float]
    roof: tuple[float, float]
    front: float  # shares of the length, 0.5 at the nose and -0.5 at the tail
    rear: float
    back_slope: float


CARS = {
    "sedan": CarKind((4.2, 5.0), (0.45, 0.65), (0.46, 0.6), 0.2, -0.33, 0.14),
    "hatchback": CarKind((3.4, 4.1), (0.5, 0.68), (0.5, 0.65), 0.22, -0.46, 0.09),
    "wagon": CarKind((4.3, 5.0), (0.45, 0.68), (0.46, 0.6), 0.22, -0.49, 0.05),
    "pickup": CarKind((4.8, 5.6), (0.5, 0.7), (0.5, 0.7), 0.24, -0.06, 0.03),
    "van": CarKind((4.5, 5.5), (0.5, 0.8), (0.6, 1.0), 0.42, -0.495, 0.015),
    "sports": CarKind((3.9, 4.6), (0.4, 0.5), (0.3, 0.4), 0.12, -0.36, 0.2),
    "suv": CarKind((4.3, 5.1), (0.55, 0.75), (0.55, 0.75), 0.25, -0.485, 0.05),
    "micro": CarKind((2.4, 2.9), (0.5, 0.7), (0.6, 0.8), 0.34, -0.47, 0.06),
    "bus": CarKind((6.5, 9.0), (0.6, 0.9), (1.2, 1.6), 0.485, -0.495, 0.008),
    "limousine": CarKind((6.0, 8.0), (0.45, 0.6), (0.46, 0.6), 0.3, -0.4, 0.08),
}


def car(draw: Draw) -> list[Part]:
    """Make a car, front towards +z: body, roof (the cabin with its windows), four wheels."""
    kind = draw.pick(list(CARS))
    (front, rear, back_slope), length = CARS[kind][3:], draw.between(*CARS[kind].length)
    width = draw.between(1.65, 2.0) if kind != "micro" else draw.between(1.4, 1.6)
    wheel = draw.between(0.32, 0.39) if kind not in ("suv", "pickup", "bus") else draw.between(0.4, 0.5)
    ground = wheel * draw.between(0.6, 0.85)
    belt, roof = ground + draw.between(*CARS[kind].side), draw.between(*CARS[kind].roof)
    hood = draw.between(0.68, 0.9) if kind not in ("van", "bus") else 0.95
    boot = draw.between(0.75, 0.95) if kind in ("sedan", "sports") else 1.0
    tall = belt - ground
    knots = [
        (0.5, 0.65 * hood, 0.84),
        (0.485, 0.95 * hood, 0.93),
        (0.35, 0.98 * hood + 0.03, 0.99),
        (front, 1, 1),
        (0, 1, 1),
        (rear * 0.95, 1.0, 1),
        (-0.47, boot, 0.97),
        (-0.5, boot * 0.55, 0.86),
    ]
    section = superellipse(36, draw.between(0.45, 0.7))
    body = _hull([(z * length, ground, ground + tall * h, width * w) for z, h, w in knots], section)
    windscreen = {"van": 0.06, "bus": 0.02}.get(kind, draw.between(0.08, 0.16) * 4.5 / length)
    low, high = belt - 0.08, belt + roof
    inset = draw.between(0.84, 0.93)
    cabin = [
        (front, 0.0, inset),
        (front - windscreen * 0.5, 0.55, inset * 0.97),
        (front - windscreen, 0.95, inset * 0.9),
        (front - windscreen - 0.06, 1, inset * 0.88),
        (rear + back_slope + 0.05, 0.98, inset * 0.87),
        (rear + back_slope, 0.92, inset * 0.89),
        (rear + back_slope * 0.4, 0.5, inset * 0.95),
        (rear, 0.0, inset),
    ]
    shell = [(z * length, low, low + max(h, 0.03) * (high - low), width * w) for z, h, w in cabin]
    cabin_skin = _hull(shell, superellipse(36, 0.55), smooth=False)
    body_at, roof_at = (solid.vertices[solid.faces].mean(1) for solid in (body, cabin_skin))
    covered = (np.abs(body_at[:, 0]) < 0.38 * inset * width) & (body_at[:, 1] > belt - 0.12)
    covered &= (body_at[:, 2] < (front - 0.01) * length) & (body_at[:, 2] > (rear + 0.01) * length)
    parts = [("body", body.without(covered)), ("roof", cabin_skin.without(roof_at[:, 1] < belt - 0.06))]
    if kind == "pickup":
        wall, bed = 0.07, belt - 0.02
        rim = draw.between(0.1, 0.22)
        parts += [
            ("body", standing(wall, rim, length * 0.4, (s * width * 0.46, bed, -length * 0.28), 0.02)) for s in (-1, 1)
        ]
        parts.append(("body", standing(width * 0.92, rim, wall, (0, bed, -length * 0.475), 0.02)))
    base, tire = draw.between(0.28, 0.33) * length, draw.between(0.12, 0.18)
    disc = cylinder(wheel, tire, soft=0.04).turned("z", np.pi / 2)
    hub = cylinder(wheel * 0.55, 0.03, soft=0.01).turned("z", np.pi / 2)
    for side in (-1, 1):
        for z in (base, -base):
            x = side * (width / 2 - tire / 2 + 0.07)
            parts.append(("wheel", disc.moved(x + tire / 2, wheel, z)))
            parts.append(("wheel", hub.moved(x + 0.015 + side * (tire / 2 + 0.012), wheel, z)))
    return parts


def _hull(knots: list[tuple[float, float, float, float]], section: Array, smooth: bool = True) -> Solid:
    """Span a skin over cross-sections given as (z, bottom, top, width), from front to back."""
    line = curve(knots, 40) if smooth else np.array(knots)
    rings = [
        np.column_stack(
            [section[:, 0] * w / 2, (low + high) / 2 + section[:, 1] * (high - low) / 2, np.full(len(section), z)]
        )
        for z, low, high, w in line[::-1]
    ]
    return loft(np.stack(rings))
