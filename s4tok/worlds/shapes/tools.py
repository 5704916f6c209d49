"""Guitars, knives and caps."""

import numpy as np

from s4tok.shapes import Array
from s4tok.worlds.outlines import curve, superellipse
from s4tok.worlds.randomness import Draw
from s4tok.worlds.solids import Part, Solid, box, cylinder, ellipsoid, laid, loft, plate, revolve, rod, sheet, tube


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
        "straight": [0.85, 1, 1, 0.9],
        "swelling": [0.7, 1.15, 0.85, 1.0],
        "hooked": [0.75, 0.9, 0.95, 1.3],
        "box": [1, 1, 1, 1],
    }[style]
    droop = {"hooked": 0.3, "swelling": 0.12}.get(style, 0.0) * girth
    spots = np.linspace(0, 1, 16)
    line = curve(np.column_stack([np.linspace(0, 1, 4), widths, [0, 0, -0.3 * droop, -droop]]), 16)
    path = np.column_stack(
        [
            -line[:, 0] * grip,
            line[:, 2] + (0.25 * high - girth * 0.2 if kind in ("chef", "cleaver") else 0 * spots),
            0 * spots,
        ]
    )
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
