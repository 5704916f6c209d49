"""Kitchens of homes: runs of units under a worktop, cupboards above."""

from dataclasses import replace
from typing import NamedTuple

from s4tok.synthetic.furnishing import Spot
from s4tok.synthetic.furniture import Fits, narrower
from s4tok.synthetic.home import Home, Place, plain
from s4tok.synthetic.materials import colors_of, tint
from s4tok.synthetic.objects import Object
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.shells import Wall
from s4tok.synthetic.solids import box

WORKTOP = 0.03  # metres thick
LIP = 0.045  # metres that it reaches down over models, whose own tops often end in a rim
GAP = 0.003  # metres between units
STEP = 0.05  # metres along the wall by which a unit is moved where it has no room
UNIT = (0.8, 0.96)  # heights over which a worktop is laid


class Unit(NamedTuple):
    """A unit of a run, by its place along the wall."""

    start: float
    end: float
    top: float
    deep: float
    is_covered: bool  # by the worktop
    wants_basin: bool  # let into it
    has_rim: bool


def furnish_kitchen(home: Home) -> None:
    """Furnish a kitchen: a run or two along the walls, a refrigerator, a table."""
    draw, fronts = home.draw, home.draw.count(0, 2**31)
    _run(home, fronts, is_first=True)
    if draw.chance(0.5):
        _run(home, fronts, is_first=False)
    home.stand_surely("refrigerator")
    table = home.stand_free(draw.pick(["table", "small table"]), margin=0.5)
    if table:
        home.seat_round(table, draw.count(2, 4))
        home.put_on(table, "table things", draw.count(2, 6))
    for name, chance in (("stool", 0.3), ("washing machine", 0.4), ("waste bin", 0.7), ("tall cabinet", 0.4)):
        if draw.chance(chance):
            home.stand(name)


def _run(home: Home, fronts: int, is_first: bool) -> None:
    """Stand units side by side along a free stretch of a wall, cupboards above, and lay worktops over them."""
    draw = home.draw
    wall, along, end = _stretches(home)[0 if is_first else 1]
    names = ["kitchen unit", "kitchen sink", "kitchen unit", "cooker"] if is_first else ["kitchen unit"] * 2
    has_cupboards, units = draw.chance(0.8), []
    for name in names + ["kitchen unit"] * draw.count(1, 3):
        thing = _find(home, name, fronts, narrower(end - along))
        wants_basin = name == "kitchen sink" and thing is None
        if wants_basin:
            thing = _find(home, "kitchen unit", fronts, narrower(end - along))
        spot = None
        while thing and spot is None and along + thing.size[0] < end:
            spot = home.at_wall(_called(name, thing), thing, wall, along + float(thing.size[0]) / 2, margin=-0.01)
            along += 0.0 if spot else STEP
        if thing and spot:
            reach = along + float(thing.size[0])
            covered = UNIT[0] < spot.top < UNIT[1] and name != "cooker"
            deep = float(thing.size[2])
            units.append(Unit(along, reach, spot.top, deep, covered, wants_basin, has_rim=bool(thing.source)))
            if has_cupboards:
                above = "range hood" if name == "cooker" else "hanging cupboard"
                _hang_above(home, above, fronts, wall, spot, (along + reach) / 2)
            along = reach + GAP
    color = tint(draw.pick(["wood", "metal", "ceramic"]), draw)
    for group in _neighbours(units):
        _lay_worktop(home, wall, group, color)


def _called(name: str, thing: Object) -> str:
    """Say what a unit of a run is: one that is made with a basin in its worktop is no sink by itself."""
    return name if thing.source or name == "cooker" else "kitchen unit"


def _neighbours(units: list[Unit]) -> list[list[Unit]]:
    """Give the groups of units that stand side by side and get a worktop."""
    groups: list[list[Unit]] = []
    for unit in (each for each in units if each.is_covered):
        if groups and unit.start - groups[-1][-1].end < 2 * GAP:
            groups[-1].append(unit)
        else:
            groups.append([unit])
    return groups


def _stretches(home: Home) -> list[tuple[Wall, float, float]]:
    """Give the stretches of the walls without doors or low windows, from the longest to the shortest."""
    found = []
    for wall, openings in home.floor.walls:
        closed = sorted((o.start - 0.15, o.end + 0.15) for o in openings if o.bottom < UNIT[1])
        starts = [0.03, *[end for _, end in closed]]
        ends = [*[start for start, _ in closed], wall.length - 0.03]
        found += [(wall, start, end) for start, end in zip(starts, ends, strict=True)]
    return sorted(found, key=lambda each: each[1] - each[2])


def _find(home: Home, name: str, fronts: int, fits: Fits) -> Object | None:
    """Find a piece of a kitchen; those that are made have fronts of one colour."""
    thing = home.find(name, fits)
    return thing if thing is None or thing.source else replace(thing, colors=colors_of(thing, Draw(fronts)))


def _hang_above(home: Home, name: str, fronts: int, wall: Wall, spot: Spot, along: float) -> None:
    """Hang a cupboard or a hood above a unit, where there is no window."""
    thing = _find(home, name, fronts, lambda piece: bool(piece.size[0] <= spot.thing.size[0] + 0.02))
    if thing is None:
        return
    half, tall = float(thing.size[0]) / 2, float(thing.size[1])
    bottom = min(max(thing.elevation, spot.top + 0.5), home.floor.plan.height - 0.05 - tall)
    openings = home.floor.openings(wall)
    if bottom > spot.top + 0.35 and all(along + half < o.start or along - half > o.end for o in openings):
        home.hang_at(name, thing, wall, along, bottom)


def _lay_worktop(home: Home, wall: Wall, units: list[Unit], color: tuple[float, float, float]) -> None:
    """Lay a worktop over neighbouring units, with a basin where one is wanted, and put things on it."""
    start, end, deep = units[0].start, units[-1].end, max(unit.deep for unit in units) + 0.02
    lip = LIP if any(unit.has_rim for unit in units) else 0.0
    slab = plain([box((end - start, WORKTOP + lip, deep), (0, (WORKTOP + lip) / 2, deep / 2), 0.004)], [color])
    middle = (start + end) / 2
    spot = home.spot_at(wall, replace(slab, elevation=max(unit.top for unit in units) - lip), middle)
    home.add("counter", spot)
    for unit in units:
        basin = home.find("basin") if unit.wants_basin else None
        if basin is not None:
            leftwards = middle - (unit.start + unit.end) / 2  # a wall runs to the left of what has its back to it
            place = Place(leftwards, deep / 2, WORKTOP + lip)
            home.put_at(spot, "basin", basin, place)
            home.take(spot, place, float(basin.size[0]) / 2, float(basin.size[2]) / 2)
    home.put_on(spot, "kitchen things", home.draw.count(2, 6), straight=True)
