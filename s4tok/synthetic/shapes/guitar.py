"""Guitars."""

import numpy as np

from s4tok.shapes import Array
from s4tok.synthetic.outlines import curve, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, box, cylinder, ellipsoid, laid, plate, rod, tube


def guitar(draw: Draw) -> list[Part]:
    """Make a guitar, upright with its strings towards +z, lying, leaning or on its side: body, neck, head."""
    kind = draw.pick(["acoustic", "acoustic", "cutaway", "electric", "horned", "vee", "ukulele", "banjo"])
    body = {"ukulele": draw.between(0.24, 0.3), "banjo": draw.between(0.28, 0.36)}.get(kind, draw.between(0.4, 0.52))
    wide = body * draw.between(0.68, 0.86)
    thick = draw.between(0.08, 0.13) if kind in ("acoustic", "cutaway", "banjo") else draw.between(0.035, 0.06)
    if kind == "ukulele":
        thick = 0.07
    outline = _guitar_outline(draw, kind) * np.array([wide / 2, body / 2])
    top = float(outline[np.abs(outline[:, 0]) < wide * 0.12, 1].max())
    parts: list[Part] = [("body", plate(outline, thick, soft=min(0.012, thick * 0.3)))]
    front = thick / 2
    if kind in ("acoustic", "cutaway", "ukulele"):
        hole = cylinder(wide * 0.15, 0.004).turned("x", np.pi / 2).moved(y=body * 0.1, z=front - 0.001)
        bridge = box((wide * 0.45, body * 0.05, 0.012), (0, -body * 0.24, front + 0.006), 0.003)
        parts += [("body", hole), ("body", bridge)]
    elif kind != "banjo":
        pickups = [
            box((wide * 0.3, 0.03, 0.012), (0, y * body, front + 0.005), 0.003)
            for y in draw.pick([[-0.05, 0.12], [-0.1, 0.02, 0.14]])
        ]
        bridge = box((wide * 0.28, 0.03, 0.016), (0, -body * 0.22, front + 0.007), 0.003)
        knobs = [
            cylinder(0.01, 0.015).turned("x", np.pi / 2).moved(wide * 0.25, y * body, front) for y in (-0.15, -0.25)
        ]
        parts += [("body", piece) for piece in (*pickups, bridge, *knobs)]
    else:
        parts.append(("body", cylinder(wide * 0.46, 0.012, soft=0.004).turned("x", np.pi / 2).moved(z=front)))
    long = (draw.between(0.2, 0.28) if kind == "ukulele" else draw.between(0.4, 0.56)) * draw.between(0.95, 1.1)
    neck, reach = draw.between(0.045, 0.06), top - body * 0.14
    end = top + long
    parts.append(
        (
            "neck",
            tube(
                np.array([[0, reach, front], [0, end, front]]),
                np.array([0.045, 0.025]),
                np.array([neck, neck * 0.8]),
                squareness=0.5,
            ).moved(z=0.004),
        )
    )
    parts += [("head", piece.moved(y=end, z=front)) for piece in _guitar_head(draw, kind)]
    pose = draw.pick(["upright", "upright", "lying", "edge", "leaning"])
    axis, angle = {
        "upright": ("y", 0.0),
        "lying": ("x", -np.pi / 2),
        "edge": ("z", np.pi / 2),
        "leaning": ("x", -draw.between(0.1, 0.4)),
    }[pose]
    return laid(parts, axis, float(angle))


def _guitar_outline(draw: Draw, kind: str) -> Array:
    """Give half or all of a body's outline within -1 .. 1, counterclockwise from its lower end."""
    waist, shoulder = draw.between(0.55, 0.75), draw.between(0.68, 0.85)
    if kind == "banjo":
        return superellipse(48)
    if kind == "vee":
        return np.array(
            [
                (0, -0.35),
                (0.55, -1),
                (0.95, -0.9),
                (0.32, 0.9),
                (0.12, 1),
                (-0.12, 1),
                (-0.32, 0.9),
                (-0.95, -0.9),
                (-0.55, -1),
            ]
        )
    right = [(0, -1), (0.65, -0.92), (1, -0.5), (0.85, -0.1), (waist, 0.2), (shoulder, 0.62), (0.5, 0.95), (0.12, 1.0)]
    left = [(-x, y) for x, y in right[:0:-1]]
    if kind == "cutaway":
        right[5:] = [(shoulder * 0.95, 0.55), (0.62, 0.8), (0.35, 0.62), (0.13, 0.62)]
    if kind in ("electric", "horned"):
        horn = draw.between(0.9, 1.15)
        right[5:] = [(shoulder, 0.6), (shoulder * 0.75, horn * 0.88), (0.4, 0.62), (0.12, 0.58)]
        if kind == "horned":
            left[:3] = [(-0.12, 0.58), (-0.4, 0.66), (-shoulder * 0.8, horn)]
    return curve(right + left, 72, closed=True)


def _guitar_head(draw: Draw, kind: str) -> list[Solid]:
    tall = 0.12 if kind == "ukulele" else draw.between(0.15, 0.2)
    wide = draw.between(0.065, 0.09)
    style = draw.pick(["paddle", "slim", "flared", "arrow"])
    outline = {
        "paddle": [(-0.4, 0), (0.4, 0), (0.5, 0.2), (0.5, 0.95), (0, 1), (-0.5, 0.95), (-0.5, 0.2)],
        "slim": [(-0.35, 0), (0.35, 0), (0.8, 0.35), (0.55, 1), (0.1, 1), (-0.3, 0.5)],
        "flared": [(-0.35, 0), (0.35, 0), (0.65, 1), (0.25, 0.95), (-0.25, 0.95), (-0.65, 1)],
        "arrow": [(-0.35, 0), (0.35, 0), (0.7, 0.45), (0, 1.1), (-0.7, 0.45)],
    }[style]
    lean = draw.between(0.0, 0.25)
    board = plate(np.array(outline) * np.array([wide, tall]), 0.018, soft=0.004)
    pegs = [
        pin
        for k in range(3)
        for side in (-1, 1)
        for pin in (
            rod(
                (side * wide * 0.4, tall * (0.25 + 0.25 * k), 0),
                (side * (wide * 0.5 + 0.02), tall * (0.25 + 0.25 * k), 0),
                0.007,
            ),
            ellipsoid((0.018, 0.016, 0.012), (side * (wide * 0.5 + 0.024), tall * (0.25 + 0.25 * k), 0)),
        )
    ]
    return [piece.turned("x", -lean) for piece in (board, *pegs)]
