"""Chairs: dining, bar, lounge chairs and benches."""

import numpy as np

from s4tok.synthetic.outlines import rounded_path, rounded_rectangle, superellipse
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, between, box, cylinder, ellipsoid, plate, rod, sheet, standing, tube


def chair(draw: Draw) -> list[Part]:
    """Make a chair: seat, back, legs of some kind, often armrests."""
    base = draw.pick(["straight", "splayed", "swivel", "sled", "pedestal", "cantilever", "block"])
    size = draw.pick(["dining", "dining", "bar", "lounge", "bench"])
    height = {"bar": draw.between(0.6, 0.8), "lounge": draw.between(0.25, 0.36)}.get(size, draw.between(0.4, 0.5))
    width, depth = draw.between(0.38, 0.56), draw.between(0.38, 0.52)
    if size == "lounge":
        width, depth = draw.between(0.5, 0.72), draw.between(0.6, 0.9)
    elif size == "bench":
        width = draw.between(0.8, 1.4)
    thickness = draw.between(0.03, 0.13) if base in ("swivel", "block") else draw.between(0.02, 0.08)
    parts = [("seat", _seat(draw, width, height, depth, thickness))]
    parts += [("leg", leg) for leg in _chair_base(draw, base, width, height - thickness, depth)]
    lean = draw.between(0.35, 0.7) if size == "lounge" else draw.between(0.02, 0.25)
    parts += [("back", piece) for piece in _chair_back(draw, width, height, depth, lean, low=size in ("bar", "bench"))]
    if draw.chance(0.45):
        parts += [("armrest", arm) for arm in _chair_arms(draw, width, height - thickness / 2, depth)]
    return parts


def _seat(draw: Draw, width: float, height: float, depth: float, thickness: float) -> Solid:
    kind = draw.pick(["square", "square", "round", "tapered", "dished"])
    if kind == "round":
        outline = superellipse(40, draw.between(0, 0.4)) * np.array([width, depth]) / 2
    elif kind == "tapered":
        narrow = draw.between(0.7, 0.9)
        outline = rounded_rectangle(width, depth, max(0.05, 0.55 * thickness))
        outline = outline * np.column_stack(
            [narrow + (1 - narrow) * (0.5 - outline[:, 1] / depth), np.ones(len(outline))]
        )
    elif kind == "dished":
        x, z = np.meshgrid(
            np.linspace(-width / 2, width / 2, 13), np.linspace(depth / 2, -depth / 2, 13), indexing="ij"
        )
        dip = draw.between(0.01, 0.035)
        y = height - thickness / 2 - dip * (1 - (2 * x / width) ** 2) * (1 - (2 * z / depth) ** 2)
        return sheet(np.stack([x, y, z], -1), thickness)
    else:
        outline = rounded_rectangle(width, depth, max(draw.between(0.005, 0.08), 0.55 * thickness))
    flat = plate(outline, thickness, soft=draw.between(0.1, 0.5) * thickness)
    return flat.turned("x", -np.pi / 2).moved(y=height - thickness / 2)


def _chair_base(draw: Draw, base: str, width: float, height: float, depth: float) -> list[Solid]:
    thick = draw.between(0.02, 0.055)
    square = draw.pick([0.0, 0.85])
    reach, inset = (draw.between(0.02, 0.1), 0.06) if base == "splayed" else (0.0, thick / 2)
    corners = [(x, z) for x in (-1, 1) for z in (-1, 1)]
    top = [(x * (width / 2 - inset), height, z * (depth / 2 - inset)) for x, z in corners]
    if base in ("straight", "splayed"):
        foot = [(p[0] + x * reach, 0.0, p[2] + z * reach) for p, (x, z) in zip(top, corners, strict=True)]
        taper = draw.between(0.5, 1)
        legs = [rod(low, high, thick * taper, thick, square) for low, high in zip(foot, top, strict=True)]
        if draw.chance(0.4):
            level = draw.between(0.25, 0.6)
            middle = [between(low, high, level) for low, high in zip(foot, top, strict=True)]
            legs += [rod(middle[a], middle[b], thick * 0.6) for a, b in ((0, 1), (2, 3))]
        return legs
    if base == "swivel":
        spokes = draw.pick([4, 5])
        reach = draw.between(0.24, 0.32)
        turn = [2 * np.pi * k / spokes for k in range(spokes)]
        legs = [cylinder(draw.between(0.02, 0.03), height - 0.08, (0, 0.08, 0))]
        legs += [rod((0, 0.1, 0), (reach * np.sin(a), 0.07, reach * np.cos(a)), 0.05, 0.03, 0.6) for a in turn]
        legs += [ellipsoid((0.06, 0.06, 0.06), (reach * np.sin(a), 0.03, reach * np.cos(a))) for a in turn]
        return legs
    if base == "pedestal":
        disc = cylinder(draw.between(0.18, 0.26), draw.between(0.015, 0.04), soft=0.01)
        return [disc, cylinder(draw.between(0.03, 0.06), height - 0.02, (0, 0.02, 0), top=draw.between(0.02, 0.08))]
    if base == "block":
        return [standing(width * 0.96, height, depth * 0.96, soft=0.02)]
    low = 0.015
    sides = []
    for side in (-1, 1):
        x = side * (width / 2 - 0.02)
        if base == "sled":
            knots = [
                (x, height, depth * 0.42),
                (x, low, depth * 0.48),
                (x, low, -depth * 0.48),
                (x, height, -depth * 0.42),
            ]
        else:
            knots = [
                (x, height, -depth * 0.4),
                (x, height, depth * 0.46),
                (x, low, depth * 0.46),
                (x, low, -depth * 0.46),
            ]
        sides.append(tube(rounded_path(knots), 0.026))
    if base == "cantilever":
        sides.append(rod((-width / 2 + 0.02, low, -depth * 0.46), (width / 2 - 0.02, low, -depth * 0.46), 0.026))
    return sides


def _chair_back(draw: Draw, width: float, height: float, depth: float, lean: float, low: bool) -> list[Solid]:
    kind = draw.pick(["panel", "shell", "slats", "ladder", "spindles", "oval", "frame"])
    rise = draw.between(0.2, 0.38) if low else draw.between(0.32, 0.5) if draw.chance(0.6) else draw.between(0.55, 0.85)
    wide = width * draw.between(0.8, 1)
    thick = draw.between(0.02, 0.05)
    bend = draw.between(0.0, 0.08)
    post = 0.03
    if kind in ("panel", "shell", "oval"):
        gap = draw.between(0.05, 0.2) if draw.chance(0.5) and rise > 0.4 else 0.0
        square = {"panel": 0.75, "shell": draw.between(0.3, 0.6), "oval": 0.0}[kind]
        outline = superellipse(48, square) * np.array([wide, rise - gap]) / 2
        pieces = [plate(outline, thick, soft=thick * 0.4, bow=bend).moved(y=(rise + gap) / 2)]
        if gap or kind == "oval":
            reach = wide * (0.12 if kind == "oval" else 0.35)
            pieces += [rod((x, -0.01, 0), (x, gap + 0.06, 0), post * 0.8) for x in (-reach, reach)]
    else:
        x = wide / 2 - post / 2
        pieces = [rod((side * x, -0.01, 0), (side * x, rise, 0), post, squareness=0.7) for side in (-1, 1)]
        top = draw.between(0.04, 0.1)
        pieces.append(box((wide + 0.02, top, post * 1.2), (0, rise - top / 2, 0), 0.012))
        inner = wide - 2 * post
        if kind == "ladder":
            rails = draw.count(2, 4)
            rail = draw.between(0.03, 0.06)
            pieces += [box((inner, rail, 0.018), (0, rise * (k + 0.6) / (rails + 0.6), 0), 0.006) for k in range(rails)]
        elif kind == "frame":
            gap = draw.between(0.05, 0.12)
            pieces.append(box((inner, rise - top - gap, 0.022), (0, (rise - top + gap) / 2, 0), 0.008))
        else:
            bars = max(draw.count(3, 5) if kind == "slats" else draw.count(5, 8), round(width / 0.14))
            bar = draw.between(0.03, 0.055) if kind == "slats" else draw.between(0.012, 0.02)
            places = np.linspace(-1, 1, bars) * (inner / 2 - bar)
            flat = 0.015 if kind == "slats" else bar
            pieces += [box((bar, rise - top, flat), (float(p), (rise - top) / 2, 0), flat * 0.4) for p in places]
    return [piece.turned("x", -lean).moved(y=height, z=-depth / 2 + thick / 2) for piece in pieces]


def _chair_arms(draw: Draw, width: float, height: float, depth: float) -> list[Solid]:
    kind = draw.pick(["posts", "loop", "panel", "single"])
    rise, thick = draw.between(0.17, 0.27), draw.between(0.03, 0.06)
    arms = []
    for side in (-1, 1):
        x = side * (width / 2 + 0.02)
        if kind == "panel":
            arms.append(standing(thick, rise, depth * 0.9, (x, height, 0), soft=thick * 0.3))
        elif kind == "loop":
            knots = [
                (x, height, depth * 0.3),
                (x, height + rise, depth * 0.35),
                (x, height + rise, -depth * 0.35),
                (x, height, -depth * 0.4),
            ]
            arms.append(tube(rounded_path(knots), thick * 0.8))
        else:
            arms.append(box((thick, 0.03, depth * 0.8), (x, height + rise, 0), 0.012))
            feet = (-depth * 0.3, depth * 0.3) if kind == "posts" else (0.0,)
            arms += [rod((x, height, z), (x, height + rise, z), thick * 0.6) for z in feet]
    return arms
