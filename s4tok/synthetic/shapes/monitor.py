"""Monitors and televisions."""

import numpy as np

from s4tok.shapes import Array
from s4tok.synthetic.outlines import rounded_path, rounded_rectangle
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, box, cylinder, ellipsoid, frame, loft, plate, rod, standing, tube


def monitor(draw: Draw) -> list[Part]:
    """Make a monitor or a television: screen, stand, base."""
    kind = draw.pick(["flat", "flat", "ultrawide", "television", "crt", "portrait", "studio"])
    width = {
        "television": draw.between(0.7, 1.3),
        "ultrawide": draw.between(0.7, 0.9),
        "crt": draw.between(0.35, 0.6),
    }.get(kind, draw.between(0.42, 0.65))
    ratio = {
        "ultrawide": draw.between(0.38, 0.44),
        "crt": draw.between(0.75, 0.85),
        "portrait": draw.between(1.5, 1.78),
    }.get(kind, draw.between(0.54, 0.68))
    if kind == "portrait":
        width *= 0.62
    height, thick = width * ratio, draw.between(0.015, 0.05)
    clear = {"television": draw.between(0.03, 0.1), "crt": 0.08}.get(kind, draw.between(0.08, 0.2))
    middle = clear + height / 2
    rim = draw.between(0.008, 0.03)
    tilt = draw.between(-0.05, 0.2)
    bow = draw.between(0.03, 0.09) if kind == "ultrawide" or (kind == "flat" and draw.chance(0.2)) else 0.0
    outline = _fine_rectangle(width, height)
    screen = [plate(outline, thick, soft=0.004, bow=bow)]
    if not bow:
        screen.append(frame(width, height, rim, 0.02).moved(z=thick / 2))
    if kind == "crt":
        deep = width * draw.between(0.7, 0.95)
        sections = [(0.98, 0.0), (0.97, 0.35), (0.7, 0.75), (0.5, 1.0)]
        section = rounded_rectangle(width, height, 0.04)
        rings = [np.column_stack([section * share, np.full(len(section), -deep * z)]) for share, z in sections[::-1]]
        glass = ellipsoid((width * 0.86, height * 0.86, 0.06), squareness=0.6)
        screen = [loft(np.stack(rings)), glass]
    elif draw.chance(0.5):
        screen.append(box((width * 0.45, height * 0.45, 0.04), (0, -0.02, -thick / 2 - 0.015), 0.012))
    parts: list[Part] = [("screen", piece.turned("x", -tilt).moved(y=middle)) for piece in screen]
    back = -thick / 2 - 0.02 if not bow else -0.02
    foot = draw.pick(["plate", "disc", "vee", "ring"])
    if kind == "television" and draw.chance(0.6):
        for side in (-1, 1):
            x = side * width * draw.between(0.3, 0.4)
            parts.append(("stand", rod((x, 0.012, 0), (x, clear + 0.02, 0), 0.03)))
            parts += [("base", rod((x, 0.012, 0), (x, 0.01, s * 0.15), 0.026, 0.018)) for s in (-1, 1)]
        return parts
    if kind == "crt":
        back, foot = -width * 0.3, "disc"
    if kind == "studio":
        foot = "plate"
        parts.append(
            (
                "stand",
                box((width * 0.35, clear + height * 0.5, 0.01), (0, (clear + height * 0.5) / 2, back - 0.02)).turned(
                    "x", -0.12
                ),
            )
        )
    else:
        neck = draw.between(0.03, 0.08)
        low, high = (0.0, 0.005, back - 0.03), (0.0, middle if kind != "crt" else clear + 0.03, back)
        style = draw.pick(["column", "blade", "bent"])
        if style == "blade":
            parts.append(("stand", standing(neck * 1.8, high[1], 0.02, (0, 0, back - 0.01), 0.005)))
        elif style == "bent":
            path = rounded_path([(0, 0.01, back + 0.06), (0, clear * 0.5, back - 0.06), (0, high[1], back)], 0.4)
            parts.append(("stand", tube(path, 0.025, neck, squareness=0.5)))
        else:
            parts.append(("stand", rod(low, high, neck)))
        if kind == "crt":
            parts.append(("stand", cylinder(width * 0.2, clear, (0, 0.01, back), soft=0.01)))
    parts += [
        ("base", piece.moved(z=back - 0.02))
        for piece in _foot(draw, foot, min(width * 0.75, 0.35) if kind != "television" else width * 0.5)
    ]
    return parts


def _fine_rectangle(width: float, height: float) -> Array:
    """Give a rectangle with points along its sides, so that it can be bowed."""
    t = np.linspace(-1, 1, 13)[:-1]
    corners = np.concatenate(
        [
            np.column_stack([-t, 0 * t + 1]),
            np.column_stack([0 * t - 1, -t]),
            np.column_stack([t, 0 * t - 1]),
            np.column_stack([0 * t + 1, t]),
        ]
    )
    outline: Array = corners * np.array([width, height]) / 2
    return outline


def _foot(draw: Draw, kind: str, width: float) -> list[Solid]:
    deep = draw.between(0.14, 0.22)
    if kind == "plate":
        return [
            plate(rounded_rectangle(width, deep, draw.between(0.005, 0.06)), 0.014, soft=0.004)
            .turned("x", -np.pi / 2)
            .moved(y=0.007, z=0.03)
        ]
    if kind == "disc":
        return [cylinder(width * 0.42, 0.016, (0, 0, 0.02), soft=0.006)]
    if kind == "ring":
        angle = np.linspace(0, 2 * np.pi, 33)
        return [
            tube(
                np.column_stack([width * 0.4 * np.cos(angle), 0 * angle + 0.01, deep * 0.6 * np.sin(angle)]),
                0.025,
                0.018,
            )
        ]
    spread = draw.between(0.5, 0.9)
    return [rod((0, 0.012, 0), (side * width * 0.45, 0.01, deep * spread), 0.03, 0.02, 0.5) for side in (-1, 1)]
