"""The shell of a room: floor, walls with doors and windows in them, and for buildings ceiling, columns and beams."""

from typing import NamedTuple

import numpy as np

from s4tok.synthetic.materials import tint
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Builder
from s4tok.synthetic.solids import Number, Solid, box, cylinder, ellipsoid, sheet

THICK = 0.15  # of a wall, outward


class Opening(NamedTuple):
    """A hole in a wall, measured along it and from the floor."""

    kind: str  # "door" or "window"
    start: float
    end: float
    bottom: float
    top: float


class Wall(NamedTuple):
    """An inner face of the room: the room lies to its left when walked from start to end."""

    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def length(self) -> float:
        """Give its length."""
        return abs(self.end[0] - self.start[0]) + abs(self.end[1] - self.start[1])

    @property
    def heading(self) -> float:
        """Give the direction it is walked in."""
        return float(np.arctan2(self.end[1] - self.start[1], self.end[0] - self.start[0]))

    def carry(self, solid: Solid) -> Solid:
        """Bring a solid from the wall's own frame (x along it, y into the room, z up) into the room's."""
        return solid.turned("z", self.heading).moved(self.start[0], self.start[1])

    def at(self, along: Number, into: Number) -> tuple[float, float]:
        """Give a place beside the wall."""
        cosine, sine = np.cos(self.heading), np.sin(self.heading)
        return float(self.start[0] + along * cosine - into * sine), float(self.start[1] + along * sine + into * cosine)


class Plan(NamedTuple):
    """A floor plan: a rectangle from the origin, perhaps with a corner cut off."""

    width: float
    depth: float
    height: float
    notch: tuple[float, float]  # of the corner at (width, depth); zeros for none

    def walls(self) -> list[Wall]:
        """Give the walls, counterclockwise."""
        w, d, (a, b) = self.width, self.depth, self.notch
        corners = [(0.0, 0.0), (w, 0.0), (w, d), (0.0, d)]
        if a > 0:
            corners[2:3] = [(w, d - b), (w - a, d - b), (w - a, d)]
        return [Wall(one, other) for one, other in zip(corners, corners[1:] + corners[:1], strict=True)]

    def holds(self, low: tuple[float, float], high: tuple[float, float]) -> bool:
        """Tell whether an upright box of the floor lies within the room."""
        if low[0] < 0 or low[1] < 0 or high[0] > self.width or high[1] > self.depth:
            return False
        return self.notch[0] == 0 or high[0] <= self.width - self.notch[0] or high[1] <= self.depth - self.notch[1]


def build_shell(
    builder: Builder, draw: Draw, plan: Plan, windows: int, doors: int, sills: tuple[float, float] = (0.6, 1.0)
) -> list[tuple[Wall, list[Opening]]]:
    """Build floor and walls, and say where their doors and windows are; `sills` is how high windows begin."""
    w, d, h = plan.width, plan.depth, plan.height
    floor, paint = tint("floor", draw), tint("paint", draw)
    builder.add_solid("floor", box((w + 2 * THICK, d + 2 * THICK, 0.1), (w / 2, d / 2, -0.05)), floor)
    walls = plan.walls()
    order = sorted(range(len(walls)), key=lambda k: -walls[k].length)
    kinds: dict[int, list[str]] = {k: [] for k in range(len(walls))}
    for number in range(doors + windows):
        kinds[order[number % len(order)]].append("door" if number < doors else "window")
    done = []
    for k, wall in enumerate(walls):
        openings = _openings(draw, wall.length, h, kinds[k], sills)
        for part, panel in enumerate(_panels(wall.length, h, openings)):
            builder.add_solid("wall", wall.carry(panel), paint, joins=part > 0)
        for opening in openings:
            _fill(builder, draw, wall, opening)
        done.append((wall, openings))
    return done


def _openings(draw: Draw, length: float, height: float, kinds: list[str], sills: tuple[float, float]) -> list[Opening]:
    openings, start = [], 0.25
    share = (length - 0.5) / max(len(kinds), 1)
    for kind in kinds:
        wide = min(draw.between(0.8, 1.05) if kind == "door" else draw.between(0.9, 2.0), share - 0.2)
        if wide > 0.6:
            place = start + draw.between(0.1, max(0.1, share - wide - 0.1))
            low = 0.0 if kind == "door" else draw.between(*sills)
            top = draw.between(2.0, 2.15) if kind == "door" else min(low + draw.between(1.0, 1.5), height - 0.2)
            openings.append(Opening(kind, place, place + wide, low, top))
        start += share
    return openings


def _panels(length: float, height: float, openings: list[Opening]) -> list[Solid]:
    """Give what is left of a wall around its openings."""
    spans, reached = [], 0.0
    for opening in openings:
        spans.append((reached, opening.start, 0.0, height))
        if opening.bottom > 0:
            spans.append((opening.start, opening.end, 0.0, opening.bottom))
        spans.append((opening.start, opening.end, opening.top, height))
        reached = opening.end
    spans.append((reached, length, 0.0, height))
    return [box((e - s, THICK, t - b), ((s + e) / 2, -THICK / 2, (b + t) / 2)) for s, e, b, t in spans]


def _fill(builder: Builder, draw: Draw, wall: Wall, opening: Opening) -> None:
    """Hang a door or a window, with its frame, into an opening."""
    kind, start, end, bottom, top = opening
    wide, tall, rim = end - start, top - bottom, 0.06
    middle, level = (start + end) / 2, (bottom + top) / 2
    wood = tint(draw.pick(["wood", "white"]), draw)
    frame = [box((rim, 0.09, tall), (x, 0.0, level)) for x in (start + rim / 2, end - rim / 2)]
    frame.append(box((wide, 0.09, rim), (middle, 0.0, top - rim / 2)))
    if kind == "door":
        leaf = [box((wide - 2 * rim, 0.04, tall - rim), (middle, -0.02, level - rim / 2))]
        panes = draw.count(1, 2)
        for pane in range(panes):
            z = (tall - 0.2) * (pane + 0.5) / panes + 0.08
            leaf.append(box((wide * 0.6, 0.015, (tall - 0.3) / panes * 0.85), (middle, 0.003, z), 0.004))
        leaf.append(ellipsoid((0.13, 0.05, 0.03), (end - 0.16, 0.03, 1.02), 0.5))
        if draw.chance(0.3):
            angle = draw.between(0.3, 1.3)
            leaf = [piece.turned("z", angle, (start + rim, 0.0, 0.0)) for piece in leaf]
        for number, piece in enumerate(frame + leaf):
            builder.add_solid("door", wall.carry(piece), wood, joins=number > 0)
        return
    frame.append(box((wide + 0.1, 0.16, 0.03), (middle, 0.03, bottom + 0.015)))
    bars, white = draw.count(0, 2), tint("white", draw)
    frame += [box((0.04, 0.05, tall), (start + wide * (k + 1) / (bars + 1), -0.03, level)) for k in range(bars)]
    for number, piece in enumerate(frame):
        builder.add_solid("window", wall.carry(piece), white, joins=number > 0)
    glass = box((wide - 2 * rim, 0.01, tall - rim), (middle, -0.05, level))
    builder.add_solid("window", wall.carry(glass), tint("sky", draw), joins=True)


def hang_curtain(builder: Builder, draw: Draw, wall: Wall, opening: Opening) -> None:
    """Hang a pair of curtains beside a window."""
    color, wide = tint("linen", draw), (opening.end - opening.start) * draw.between(0.25, 0.45)
    low = draw.between(0.05, 0.3)
    for start in (opening.start - 0.1, opening.end + 0.1 - wide):
        x, z = np.meshgrid(np.linspace(start, start + wide, 33), np.linspace(low, opening.top + 0.15, 5), indexing="ij")
        fold = 0.11 + 0.025 * np.sin((x - start) / wide * 2 * np.pi * draw.count(3, 5))
        builder.add_solid("curtain", wall.carry(sheet(np.stack([x, fold, z], -1), 0.01)), color)


def hang_panel(
    builder: Builder, draw: Draw, name: str, wall: Wall, along: float, wide: float, tall: float, level: float
) -> None:
    """Hang a picture or a board on a wall."""
    rim = 0.03
    inner = tint("paper" if name == "picture" else draw.pick(["white", "glass"]), draw)
    panel = box((wide, 0.02, tall), (along, 0.01, level))
    frame = [box((wide + rim, 0.035, rim), (along, 0.017, level + side * tall / 2)) for side in (-1, 1)]
    frame += [box((rim, 0.035, tall), (along + side * wide / 2, 0.017, level)) for side in (-1, 1)]
    builder.add_solid(name, wall.carry(panel), inner)
    edge = tint(draw.pick(["wood", "metal"]), draw)
    for side in frame:
        builder.add_solid(name, wall.carry(side), edge, joins=True)
    if name == "board":
        builder.add_solid(
            name, wall.carry(box((wide, 0.08, 0.02), (along, 0.05, level - tall / 2 - 0.02))), edge, joins=True
        )


def cover(builder: Builder, draw: Draw, plan: Plan) -> None:
    """Put a ceiling on a room, often with beams under it."""
    w, d, h = plan.width, plan.depth, plan.height
    paint = tint("white", draw)
    builder.add_solid("ceiling", lid(plan), paint)
    if draw.chance(0.75):
        deep, thick = draw.between(0.2, 0.45), draw.between(0.2, 0.4)
        across = draw.chance(0.6)
        count = max(1, round((w if across else d) / draw.between(2.5, 4)))
        for k in range(count):
            place = (k + 0.5) / count
            size, middle = ((thick, d, deep), (w * place, d / 2)) if across else ((w, thick, deep), (w / 2, d * place))
            builder.add_solid("beam", box(size, (*middle, h - deep / 2)), tint("paint", draw))


def lid(plan: Plan) -> Solid:
    """Make the ceiling of a room."""
    width, depth = plan.width, plan.depth
    return box((width + 2 * THICK, depth + 2 * THICK, 0.1), (width / 2, depth / 2, plan.height + 0.05))


def erect_column(builder: Builder, draw: Draw, x: float, y: float, height: float, wide: float) -> None:
    """Put a column between floor and ceiling."""
    if draw.chance(0.5):
        solid = box((wide, wide, height), (x, y, height / 2), 0.01)
    else:
        solid = cylinder(wide / 2, height).turned("x", np.pi / 2).moved(x, y)
    builder.add_solid("column", solid, tint("paint", draw))
