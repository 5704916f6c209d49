"""Furnishing: finding objects that fit and places where they stand free."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from s4tok.shapes import Array, Float64
from s4tok.synthetic.furniture import Fits, Furniture, Procedural, anything
from s4tok.synthetic.kinds import OF_CATEGORY, OF_HOMES
from s4tok.synthetic.objects import Object
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Builder, place_vertices
from s4tok.synthetic.shells import Opening, Plan, Wall, hang_panel
from s4tok.synthetic.solids import Number

QUARTER = np.pi / 2
Box = tuple[tuple[float, float], tuple[float, float]]


class Spot(NamedTuple):
    """Where an object stands, and what it is."""

    thing: Object
    x: float
    y: float
    turn: float

    @property
    def top(self) -> float:
        """Give the height of its top."""
        return self.thing.elevation + float(self.thing.vertices[:, 1].max())


class Floor:
    """A room's floor and what stands on it."""

    def __init__(
        self,
        builder: Builder,
        draw: Draw,
        plan: Plan,
        walls: list[tuple[Wall, list[Opening]]],
        furniture: Furniture | None = None,
    ) -> None:
        self.builder, self.draw, self.plan, self.walls = builder, draw, plan, walls
        self.furniture = furniture or Procedural()
        self.standing: list[tuple[str, Spot]] = []
        self.lying: list[tuple[Spot, Object, float, float]] = []  # on which spot what lies where
        self.taken: list[Box] = [
            _around(*wall.at((opening.start + opening.end) / 2, 0.5), 0.6, 0.6)
            for wall, openings in walls
            for opening in openings
            if opening.kind == "door"
        ]

    def make(self, category: str, fits: Fits = anything) -> Object:
        """Make an object of a category, one that fits where there is one."""
        thing = self.furniture.make(OF_CATEGORY[category], self.draw, fits)
        assert thing is not None, category
        return thing

    def find(self, name: str, fits: Fits = anything) -> Object | None:
        """Find a piece of a kind of homes, where there is one that fits."""
        kind = OF_HOMES[name]
        thing = self.furniture.make(kind, self.draw, fits)
        return thing if thing is not None and kind.holds(thing) and fits(thing) else None

    def against_wall(self, name: str, thing: Object, gap: Number = 0.03, margin: Number = 0.05) -> Spot | None:
        """Stand an object with its back to a wall, where there is room."""
        low, high = thing.vertices.min(0), thing.vertices.max(0)
        half = float(max(-low[0], high[0]))
        for _ in range(60):
            wall, openings = self.draw.pick(self.walls)
            if wall.length < 2 * half + 0.1:
                continue
            along = self.draw.between(half + 0.05, wall.length - half - 0.05)
            if any(o.start - half < along < o.end + half and high[1] > o.bottom - 0.1 for o in openings):
                continue
            x, y = wall.at(along, gap - low[2])
            spot = Spot(thing, x, y, wall.heading + np.pi)  # fronts look to -y; a wall has the room to its left
            if self.settle(name, spot, margin):
                return spot
        return None

    def anywhere(self, name: str, thing: Object, margin: Number = 0.3, turn: Number | None = None) -> Spot | None:
        """Stand an object freely in the room."""
        for _ in range(25):
            x, y = self.draw.between(0.3, self.plan.width - 0.3), self.draw.between(0.3, self.plan.depth - 0.3)
            spot = Spot(thing, x, y, self.draw.count(0, 3) * QUARTER if turn is None else turn)
            if self.settle(name, spot, margin):
                return spot
        return None

    def beside(
        self, name: str, thing: Object, spot: Spot, sideways: Number, ahead: Number, turn: Number
    ) -> Spot | None:
        """Stand an object at a place given in another one's frame, its front turned from the other's."""
        cosine, sine = np.cos(spot.turn), np.sin(spot.turn)
        x = float(spot.x + cosine * sideways + sine * ahead)
        y = float(spot.y + sine * sideways - cosine * ahead)
        other = Spot(thing, x, y, spot.turn + turn)
        return other if self.settle(name, other, -0.12) else None

    def on_top(self, name: str, thing: Object, spot: Spot, sideways: Number, ahead: Number, turn: Number = 0.0) -> None:
        """Put an object onto another one; a model not so far back that it would stick out behind."""
        if thing.source:
            ahead = max(ahead, float(spot.thing.vertices[:, 2].min() - thing.vertices[:, 2].min()))
        cosine, sine = np.cos(spot.turn), np.sin(spot.turn)
        x, y = spot.x + cosine * sideways + sine * ahead, spot.y + sine * sideways - cosine * ahead
        self.builder.add_object(name, thing, self.draw, float(x), float(y), spot.top, spot.turn + turn)
        self.lying.append((spot, thing, float(sideways), float(ahead)))

    def hang_on_wall(self, name: str, wide: float, tall: float, level: float) -> None:
        """Hang a picture or a board where there is room, and keep tall furniture from standing before it."""
        for _ in range(10):
            wall, openings = self.draw.pick(self.walls)
            if wall.length > wide + 0.7:
                along = self.draw.between(wide / 2 + 0.3, wall.length - wide / 2 - 0.3)
                start, end = along - wide / 2 - 0.1, along + wide / 2 + 0.1
                if all(end < other.start or start > other.end for other in openings):
                    hang_panel(self.builder, self.draw, name, wall, along, wide, tall, level)
                    openings.append(Opening(name, start, end, level - tall / 2, level + tall / 2))
                    return

    def hang(self, name: str, thing: Object, height: float) -> None:
        """Hang an object from a height over some place."""
        x, y = self.draw.between(0.3, 0.7) * self.plan.width, self.draw.between(0.3, 0.7) * self.plan.depth
        if self.plan.holds((x - 0.5, y - 0.5), (x + 0.5, y + 0.5)):
            self.builder.add_object(name, thing, self.draw, x, y, height - float(thing.vertices[:, 1].max()), 0.0)

    def free_places(self, count: int, clear: float = 0.35) -> Float64[Array, "k 2"]:
        """Find places where somebody can stand, spread over the room."""
        places: list[tuple[float, float]] = []
        apart = 0.3 * min(self.plan.width, self.plan.depth)
        for attempt in range(400):
            x = self.draw.between(0.5, self.plan.width - 0.5)
            y = self.draw.between(0.5, self.plan.depth - 0.5)
            apart *= 0.99 if attempt > 40 else 1
            if self._is_free(_around(x, y, clear, clear)) and all(np.hypot(x - a, y - b) > apart for a, b in places):
                places.append((x, y))
                if len(places) == count:
                    break
        return np.array(places or [(self.plan.width / 2, self.plan.depth / 2)])

    def claim(self, low: tuple[float, float], high: tuple[float, float], margin: Number) -> bool:
        """Take a place of the floor, unless it is taken or outside."""
        wide = (low[0] - margin, low[1] - margin), (high[0] + margin, high[1] + margin)
        if not self.plan.holds(low, high) or not self._is_free(wide):
            return False
        self.taken.append((low, high))
        return True

    def openings(self, wall: Wall) -> list[Opening]:
        """Give what is in a wall and hangs on it."""
        return next(openings for other, openings in self.walls if other == wall)

    def is_free(self, x: float, y: float, half: float) -> bool:
        """Tell whether nothing stands around a place."""
        return self._is_free(_around(x, y, half, half))

    def settle(self, name: str, spot: Spot, margin: float) -> bool:
        """Stand an object on its spot, unless the place is taken or outside."""
        flat = place_vertices(spot.thing, spot.x, spot.y, 0.0, spot.turn)[:, :2]
        low, high = flat.min(0), flat.max(0)
        ground: Box = ((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))
        if not self.claim(*ground, margin):
            return False
        self.builder.add_object(name, spot.thing, self.draw, spot.x, spot.y, spot.thing.elevation, spot.turn)
        self.standing.append((name, spot))
        return True

    def _is_free(self, wanted: Box) -> bool:
        (a, b), (c, d) = wanted
        return all(c <= low[0] or a >= high[0] or d <= low[1] or b >= high[1] for low, high in self.taken)


def _around(x: float, y: float, half_width: float, half_depth: float) -> Box:
    return (x - half_width, y - half_depth), (x + half_width, y + half_depth)


def height(low: float, high: float) -> Callable[[Object], bool]:
    """Ask for an object of some height."""
    return lambda thing: low <= float(thing.vertices[:, 1].max()) <= high
