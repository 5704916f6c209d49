"""Laptops and monitors."""

import numpy as np

from s4tok.shapes import Array
from s4tok.worlds.outlines import rounded_path, rounded_rectangle
from s4tok.worlds.randomness import Draw
from s4tok.worlds.solids import Part, Solid, box, cylinder, ellipsoid, joined, loft, plate, rod, standing, tube


def laptop(draw: Draw) -> list[Part]:
    """Make a laptop, open at some angle: screen and keyboard."""
    width = draw.between(0.26, 0.4)
    depth = width * draw.between(0.6, 0.76)
    kind = draw.pick(["thin", "thin", "old", "tent"])
    thick = draw.between(0.012, 0.02) if kind != "old" else draw.between(0.025, 0.045)
    lid = draw.between(0.006, 0.01) if kind != "old" else draw.between(0.012, 0.02)
    round_ = draw.between(0.004, 0.025)
    base = plate(rounded_rectangle(width, depth, round_), thick, soft=thick * 0.35).turned("x", -np.pi / 2)
    parts = [("keyboard", base.moved(y=thick / 2))]
    keys_deep, front = depth * draw.between(0.42, 0.55), depth * draw.between(0.02, 0.12)
    rows, columns = draw.count(4, 6), draw.count(9, 13)
    if draw.chance(0.75):
        pitch_x, pitch_z = width * 0.88 / columns, keys_deep / rows
        for row in range(rows):
            for column in range(columns):
                spot = (pitch_x * (column + 0.5 - columns / 2), thick, pitch_z * (row + 0.5 - rows / 2) - front)
                parts.append(("keyboard", standing(pitch_x * 0.8, 0.003, pitch_z * 0.8, spot)))
    else:
        parts.append(("keyboard", standing(width * 0.88, 0.003, keys_deep, (0, thick, -front), 0.001)))
    parts.append(("keyboard", standing(width * draw.between(0.25, 0.4), 0.002, depth * 0.22, (0, thick, depth * 0.34))))
    angle = draw.between(-0.35, 1.0) if kind != "tent" else draw.between(1.2, 1.55)
    hinge = (0.0, thick, -depth / 2 + 0.005)
    panel = plate(rounded_rectangle(width, depth, round_), lid, soft=lid * 0.35).moved(y=depth / 2)
    rim = draw.between(0.005, 0.02)
    frame = _rim(width, depth, rim, lid).moved(y=depth / 2, z=lid / 2)
    parts += [("screen", piece.turned("x", -angle).moved(*hinge)) for piece in (panel, frame)]
    if kind == "old":
        parts.append(("screen", rod((-width * 0.4, thick, hinge[2]), (width * 0.4, thick, hinge[2]), 0.025)))
    return parts


def _rim(width: float, height: float, wide: float, thick: float) -> Solid:
    deep = thick * 0.35
    across = [box((width * 0.99, wide, deep), (0, s * (height / 2 - wide / 2) * 0.99, 0)) for s in (-1, 1)]
    along = [box((wide, height * 0.98 - 2 * wide, deep), (s * (width / 2 - wide / 2) * 0.99, 0, 0)) for s in (-1, 1)]
    return joined(across + along)


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
        screen.append(_rim(width, height, rim, 0.02).moved(z=thick / 2))
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
    return corners * np.array([width, height]) / 2


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
