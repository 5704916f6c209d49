"""Sofas."""

import numpy as np

from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, box, cylinder, ellipsoid, rod, standing, tube


def sofa(draw: Draw) -> list[Part]:
    """Make a sofa: seats, backs, two arms or none, sometimes a chaise and feet."""
    kind = draw.pick(["box", "rolled", "slim", "low", "chesterfield", "corner", "curved"])
    places = draw.pick([1, 2, 2, 3, 3, 4])
    place = draw.between(0.52, 0.72)
    arm = (
        0.0
        if kind == "low" and draw.chance(0.5)
        else draw.between(0.08, 0.14)
        if kind == "slim"
        else draw.between(0.16, 0.28)
    )
    inner, depth = places * place, draw.between(0.75, 1.0)
    seat, foot = draw.between(0.36, 0.46), draw.between(0.0, 0.14) if kind != "slim" else draw.between(0.12, 0.2)
    back = seat + (draw.between(0.25, 0.35) if kind in ("low", "chesterfield") else draw.between(0.32, 0.55))
    deep = draw.between(0.14, 0.24)
    soft = draw.between(0.02, 0.07)
    cushion = draw.between(0.1, 0.17)
    width = inner + 2 * arm
    parts = [("seat", standing(inner, seat - cushion - foot, depth - deep, (0, foot, deep / 2), 0.02))]
    one_cushion = draw.chance(0.25)
    cushions = 1 if one_cushion else places
    for k in range(cushions):
        x = inner * ((k + 0.5) / cushions - 0.5)
        parts.append(
            ("seat", box((inner / cushions - 0.01, cushion, depth - deep), (x, seat - cushion / 2, deep / 2), soft))
        )
    rest = -depth / 2 + deep / 2
    if kind == "curved":
        across = np.linspace(-width / 2, width / 2, 17)
        bend = draw.between(0.1, 0.3)
        path = np.column_stack(
            [across, np.full(17, (back + foot) / 2), rest + bend * ((2 * across / width) ** 2 - 0.3)]
        )
        parts.append(("back", tube(path, deep, back - foot, segments=28, squareness=0.7)))
    else:
        lean = draw.between(0.0, 0.12)
        shell = standing(width, back - foot, deep, (0, foot, rest), soft).turned("x", -lean, (0, foot, rest))
        parts.append(("back", shell))
        if kind != "chesterfield" and draw.chance(0.7):
            pad = draw.between(0.1, 0.16)
            for k in range(cushions):
                x = inner * ((k + 0.5) / cushions - 0.5)
                pillow = ellipsoid(
                    (inner / cushions * 0.97, back - seat, pad * 1.4),
                    (x, (back + seat) / 2, rest + deep / 2 + pad * 0.4),
                    0.6,
                )
                parts.append(("back", pillow.turned("x", -lean, (0, seat, rest))))
    if arm > 0:
        high = back if kind == "chesterfield" else seat + draw.between(0.1, 0.24)
        for side in (-1, 1):
            x = side * (width / 2 - arm / 2)
            if kind in ("rolled", "chesterfield"):
                roll = rod((x, high - arm * 0.5, rest), (x, high - arm * 0.5, depth / 2), arm * 1.1)
                parts += [
                    ("armrest", roll),
                    ("armrest", standing(arm * 0.8, high - arm * 0.5 - foot, depth - deep, (x, foot, deep / 2))),
                ]
            else:
                parts.append(
                    (
                        "armrest",
                        standing(arm, high - foot, depth - deep * 0.5, (x, foot, deep * 0.25), min(soft, arm * 0.4)),
                    )
                )
    if kind == "corner" or (kind in ("low", "box") and draw.chance(0.2)):
        side, long = draw.pick([-1, 1]), draw.between(0.5, 0.8)
        x = side * (inner / 2 - place / 2)
        parts.append(("seat", standing(place, seat - foot - 0.01, long, (x, foot, depth / 2 + long / 2), soft)))
    if foot > 0.04:
        thick = draw.between(0.03, 0.06)
        spots = [(x * (width / 2 - 0.08), z * (depth / 2 - 0.08)) for x in (-1, 1) for z in (-1, 1)]
        parts += [("leg", cylinder(thick * 0.35, foot, (x, 0, z), top=thick * 0.6)) for x, z in spots]
    return parts
