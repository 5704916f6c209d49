"""A home that is being furnished: pieces to walls, under windows, before and beside others, onto and into them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from s4tok.synthetic.furnishing import Floor, Spot
from s4tok.synthetic.furniture import Fits, anything, narrower
from s4tok.synthetic.materials import tint
from s4tok.synthetic.objects import Object
from s4tok.synthetic.shells import Opening, Wall
from s4tok.synthetic.solids import Solid, box
from s4tok.synthetic.supports import levels

TRIES = 3  # pieces of a kind, before there is none
PLACES = 12  # of one small thing
CLEAR = 0.02  # metres between small things, and above them
LOWEST = 0.15  # metres above the floor; nothing is put onto what is lower
STEP = 0.05  # metres between two boards at least
USUAL = 1.4  # metres above the floor at which things hang that do not say


class Place(NamedTuple):
    """A place on a piece, in the piece's own frame: to its right, towards its front, above its lowest point."""

    sideways: float
    ahead: float
    level: float


Taken = tuple[Place, float, float]  # with half of what it takes of both ways


def plain(solids: Sequence[Solid], colors: Sequence[tuple[float, float, float]]) -> Object:
    """Make an object of solids that have a colour each."""
    starts = np.cumsum([0] + [len(solid.vertices) for solid in solids[:-1]])
    faces = np.concatenate([solid.faces + start for solid, start in zip(solids, starts, strict=True)])
    of_face = np.repeat(np.array(colors), [len(solid.faces) for solid in solids], axis=0)
    nothing = np.full(len(faces), -1)
    return Object("", np.concatenate([solid.vertices for solid in solids]), faces, nothing, nothing, of_face)


class Home:
    """A floor with the kinds of furniture of homes; whatever finds no place is left out."""

    def __init__(self, floor: Floor) -> None:
        self.floor, self.draw = floor, floor.draw
        self.taken: dict[tuple[float, float], list[Taken]] = {}  # what lies on pieces, by where they stand

    def find(self, name: str, fits: Fits = anything) -> Object | None:
        """Find a piece of a kind."""
        return self.floor.find(name, fits)

    def stand(self, name: str, fits: Fits = anything, margin: float = 0.05) -> Spot | None:
        """Stand a piece with its back to a wall."""
        for _ in range(TRIES):
            thing = self.find(name, fits)
            spot = self.floor.against_wall(name, thing, gap=0.02, margin=margin) if thing else None
            if spot:
                return spot
        return None

    def stand_surely(self, name: str) -> Spot | None:
        """Stand a piece that the room is for: to a wall, or else free with its sides along the walls."""
        for _ in range(TRIES):
            spot = self.stand(name, margin=0.02)
            if spot:
                return spot
        return self.stand_free(name, margin=0.02)

    def stand_free(
        self, name: str, fits: Fits = anything, margin: float = 0.3, turn: float | None = None
    ) -> Spot | None:
        """Stand a piece anywhere."""
        for _ in range(TRIES):
            thing = self.find(name, fits)
            spot = self.floor.anywhere(name, thing, margin, turn) if thing else None
            if spot:
                return spot
        return None

    def at_wall(self, name: str, thing: Object, wall: Wall, along: float, margin: float = 0.0) -> Spot | None:
        """Stand a piece at one place of a wall."""
        spot = self.spot_at(wall, thing, along)
        return spot if self.floor.settle(name, spot, margin) else None

    def spot_at(self, wall: Wall, thing: Object, along: float, gap: float = 0.02) -> Spot:
        """Say where a piece stands that has its back to a place of a wall."""
        return Spot(thing, *wall.at(along, gap - float(thing.vertices[:, 2].min())), wall.heading + np.pi)

    def wall_of(self, spot: Spot) -> tuple[Wall, float]:
        """Say which wall a piece has at its back, and how far along it stands."""

        def away(wall: Wall) -> tuple[float, float]:
            x, y = spot.x - wall.start[0], spot.y - wall.start[1]
            cosine, sine = np.cos(wall.heading), np.sin(wall.heading)
            return float(abs(cosine * y - sine * x)), float(cosine * x + sine * y)

        facing = [wall for wall, _ in self.floor.walls if np.cos(wall.heading + np.pi - spot.turn) > 1 - 1e-6]
        wall = min(facing or [wall for wall, _ in self.floor.walls], key=lambda each: away(each)[0])
        return wall, away(wall)[1]

    def add(self, name: str, spot: Spot) -> None:
        """Add a piece on its spot, whatever is there."""
        self.floor.builder.add_object(name, spot.thing, self.draw, spot.x, spot.y, spot.thing.elevation, spot.turn)

    def put_at(self, spot: Spot, name: str, thing: Object, place: Place, turn: float = 0.0) -> None:
        """Put a thing on a place of a piece."""
        x, y = _carried(spot, place.sideways, place.ahead)
        level = spot.thing.elevation + place.level
        self.floor.builder.add_object(name, thing, self.draw, x, y, level, spot.turn + turn)

    def hang_at(self, name: str, thing: Object, wall: Wall, along: float, bottom: float) -> None:
        """Hang a piece on a place of a wall, where nothing else will hang."""
        self.add(name, self.spot_at(wall, replace(thing, elevation=bottom), along, gap=0.005))
        half = float(thing.size[0]) / 2
        opening = Opening(name, along - half, along + half, bottom, bottom + float(thing.size[1]))
        self.floor.openings(wall).append(opening)

    def beside(self, name: str, spot: Spot, side: int, fits: Fits = anything) -> Spot | None:
        """Stand a piece beside another one, both with their backs to the same wall."""
        thing = self.find(name, fits)
        if thing is None:
            return None
        edge = float(spot.thing.vertices[:, 0].max() + thing.size[0] / 2) + self.draw.between(0.02, 0.12)
        back = float(spot.thing.vertices[:, 2].min() - thing.vertices[:, 2].min())
        return self.near(name, thing, spot, side * edge, back)

    def before(self, name: str, spot: Spot, gap: float, fits: Fits = anything, turn: float = 0.0) -> Spot | None:
        """Stand a piece before another one; turned by pi it faces it."""
        thing = self.find(name, fits)
        if thing is None:
            return None
        reach = float(thing.vertices[:, 2].max() if abs(turn) > np.pi / 2 else -thing.vertices[:, 2].min())
        ahead = float(spot.thing.vertices[:, 2].max()) + reach + gap
        return self.near(name, thing, spot, 0.0, ahead, turn, margin=min(gap, 0.0))

    def near(
        self,
        name: str,
        thing: Object,
        spot: Spot,
        sideways: float,
        ahead: float,
        turn: float = 0.0,
        margin: float = 0.0,
    ) -> Spot | None:
        """Stand a piece at a place given in another one's frame, where nothing else is."""
        x, y = _carried(spot, sideways, ahead)
        there = Spot(thing, x, y, spot.turn + turn)
        return there if self.floor.settle(name, there, margin) else None

    def seat_round(self, table: Spot, seats: int) -> None:
        """Put chairs of one kind round a table, pushed up to it."""
        chair = self.find("chair", narrower(0.75))
        if chair is None:
            return
        half = table.thing.size / 2
        deep = float(chair.vertices[:, 2].max())
        sides = [(0, 1), (0, -1)] if half[0] > half[2] * 1.2 else [(0, 1), (0, -1), (1, 0), (-1, 0)]
        for seat in range(seats):
            x_side, z_side = sides[seat % len(sides)]
            per_side = -(-seats // len(sides))
            share = ((seat // len(sides) + 0.5) / per_side - 0.5) * 2
            pushed = deep + self.draw.between(-0.08, 0.12)
            sideways = x_side * (float(half[0]) + pushed) + (z_side != 0) * share * float(half[0])
            ahead = z_side * (float(half[2]) + pushed) + (x_side != 0) * share * float(half[2])
            facing = float(np.arctan2(x_side, z_side)) + np.pi + self.draw.between(-0.15, 0.15)
            self.floor.beside("chair", chair, table, sideways, ahead, facing)

    def put_on(
        self,
        spot: Spot,
        name: str,
        count: int,
        straight: bool = False,
        into: bool = False,
    ) -> None:
        """Put small things onto a piece, or into it: on any of its boards."""
        size = spot.thing.size
        for _ in range(count):
            thing = self.find(name, lambda item: bool(item.size[0] < 0.6 * size[0] and item.size[2] < 0.9 * size[2]))
            turn = self.draw.between(-0.2, 0.2) if straight or into else self.draw.between(-np.pi, np.pi)
            found = self._free_place(spot, thing, turn, into) if thing else None
            if thing and found:
                self.take(spot, *found)
                self.put_at(spot, name, thing, found[0], turn)

    def take(self, spot: Spot, place: Place, half_x: float, half_z: float) -> None:
        """Keep a place of a piece from other small things."""
        self.taken.setdefault((spot.x, spot.y), []).append((place, half_x, half_z))

    def _free_place(self, spot: Spot, thing: Object, turn: float, into: bool) -> Taken | None:
        """Find a flat free place on a piece for a small thing."""
        cosine, sine = abs(np.cos(turn)), abs(np.sin(turn))
        half_x = float(cosine * thing.size[0] + sine * thing.size[2]) / 2
        half_z = float(sine * thing.size[0] + cosine * thing.size[2]) / 2
        low, high = spot.thing.vertices.min(0), spot.thing.vertices.max(0)
        if high[0] - low[0] < 2 * half_x or high[2] - low[2] < 2 * half_z:
            return None
        for _ in range(PLACES):
            x = self.draw.between(float(low[0]) + half_x, float(high[0]) - half_x)
            z = self.draw.between(float(low[2]) + half_z, float(high[2]) - half_z)
            found = [each for each in levels(spot.thing, x, z, half_x, half_z) if each.room > thing.size[1] + CLEAR]
            if not found or found[-1].height + spot.thing.elevation < LOWEST:
                continue
            place = Place(x, z, self.draw.pick(found).height if into else found[-1].height)
            if all(
                abs(x - other.sideways) > half_x + wide + CLEAR
                or abs(z - other.ahead) > half_z + deep + CLEAR
                or abs(place.level - other.level) > STEP
                for other, wide, deep in self.taken.get((spot.x, spot.y), ())
            ):
                return place, half_x, half_z
        return None

    def hang(self, name: str, level: float | None = None) -> None:
        """Hang a piece on a wall where nothing is; at its own height, or with its bottom at a level."""
        thing = self.find(name)
        if thing is None:
            return
        half = float(thing.size[0]) / 2
        bottom = level if level is not None else thing.elevation or USUAL
        for _ in range(10):
            wall, openings = self.draw.pick(self.floor.walls)
            if wall.length < 2 * half + 0.4:
                continue
            along = self.draw.between(half + 0.1, wall.length - half - 0.1)
            apart = all(along + half < o.start - 0.05 or along - half > o.end + 0.05 for o in openings)
            if apart and self.floor.is_free(*wall.at(along, half), half):
                self.hang_at(name, thing, wall, along, bottom)
                return

    def lay_rug(self) -> None:
        """Lay a rug somewhere, under what will stand there."""
        plan, draw = self.floor.plan, self.draw
        wide, deep = plan.width * draw.between(0.3, 0.55), plan.depth * draw.between(0.3, 0.55)
        x = draw.between(wide / 2 + 0.2, plan.width - wide / 2 - 0.2)
        y = draw.between(deep / 2 + 0.2, plan.depth - deep / 2 - 0.2)
        if plan.holds((x - wide / 2, y - deep / 2), (x + wide / 2, y + deep / 2)):
            self.floor.builder.add_solid("rug", box((wide, deep, 0.008), (x, y, 0.004)), tint("fabric", draw))


def _carried(spot: Spot, sideways: float, ahead: float) -> tuple[float, float]:
    """Bring a place of a piece's frame into the room's."""
    cosine, sine = np.cos(spot.turn), np.sin(spot.turn)
    return float(spot.x + cosine * sideways + sine * ahead), float(spot.y + sine * sideways - cosine * ahead)
