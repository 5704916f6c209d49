"""The rooms of home-scans: six kinds of rooms of homes, furnished from any source and lit by their own lights."""

from collections.abc import Callable, Mapping

import numpy as np

from s4tok.synthetic.bathrooms import furnish_bathroom
from s4tok.synthetic.furnishing import Floor, Spot
from s4tok.synthetic.furniture import Furniture, narrower
from s4tok.synthetic.home import Home
from s4tok.synthetic.kinds import CLASSES_OF_HOMES
from s4tok.synthetic.kitchens import furnish_kitchen
from s4tok.synthetic.materials import tint
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.room_light import light_room
from s4tok.synthetic.scenes import Builder, Scene
from s4tok.synthetic.shells import Opening, Plan, build_shell, hang_curtain, lid

ROOMY = 0.3  # of a plan's sides, that a corner cut off takes
STORAGE = frozenset({"bookshelf", "sideboard", "tall cabinet", "dresser", "small table", "piano", "television stand"})


def make_home_room(kind: str, draw: Draw, furniture: Furniture) -> Scene:
    """Build, furnish and light a room of a home."""
    (narrow, wide), (short, long), furnish = ROOMS[kind]
    width, depth = draw.between(narrow, wide), draw.between(short, long)
    notch = (width * draw.between(0.2, ROOMY), depth * draw.between(0.2, ROOMY)) if draw.chance(0.2) else (0.0, 0.0)
    plan = Plan(width, depth, draw.between(2.4, 2.8), notch if min(width, depth) > 3 else (0.0, 0.0))
    builder = Builder(dict(CLASSES_OF_HOMES))
    wet = kind in ("kitchen", "bathroom")
    windows, doors = draw.count(0 if kind == "bathroom" else 1, 2), draw.count(1, 1 if kind == "bathroom" else 2)
    walls = build_shell(builder, draw, plan, windows, doors, sills=(1.05, 1.3) if wet else (0.6, 1.0))
    builder.add_solid("ceiling", lid(plan), tint("white", draw))
    floor = Floor(builder, draw, plan, walls, furniture)
    home = Home(floor)
    if not wet:
        _dress_windows(home)
        if draw.chance(0.4):
            home.lay_rug()
    furnish(home)
    _add_extras(home, wet)
    builder.lighting = light_room(builder, draw, plan, walls)
    return builder.scene(floor.free_places(draw.count(3, 5), clear=0.3))


def _dress_windows(home: Home) -> None:
    """Hang curtains beside windows, and stand radiators under them."""
    draw = home.draw
    for wall, openings in home.floor.walls:
        for window in [each for each in openings if each.kind == "window"]:
            if draw.chance(0.5):
                hang_curtain(home.floor.builder, draw, wall, window)
                openings.append(Opening("curtain", window.start - 0.12, window.end + 0.12, 0.0, window.top + 0.15))
            elif draw.chance(0.4):
                room = min(window.end - window.start + 0.3, wall.length - 0.2)
                thing = home.find("radiator", narrower(room, window.bottom))
                if thing:
                    half = float(thing.size[0]) / 2 + 0.05
                    along = float(np.clip((window.start + window.end) / 2, half, wall.length - half))
                    home.at_wall("radiator", thing, wall, along)


def _furnish_living_room(home: Home) -> None:
    draw = home.draw
    sofa = home.stand_surely("sofa")
    if sofa:
        table = home.before("coffee table", sofa, draw.between(0.35, 0.5))
        if table:
            home.put_on(table, "table things", draw.count(1, 4))
            for side in (-1, 1):
                if draw.chance(0.65):
                    _face(home, "armchair", table, side)
        if draw.chance(0.5):
            lamp_table = home.beside("small table", sofa, draw.pick([-1, 1]), narrower(0.7))
            if lamp_table:
                home.put_on(lamp_table, "table lamp", 1)
    if draw.chance(0.8):
        stand = home.stand("television stand")
        if stand:
            home.put_on(stand, "television", 1, straight=True)
            home.put_on(stand, "shelf things", draw.count(0, 3), into=True)
    _stand_some(
        home,
        ("bookshelf", 0.8), ("bookshelf", 0.4), ("sideboard", 0.5), ("sofa", 0.45), ("piano", 0.15),
        ("fireplace", 0.25), ("tall cabinet", 0.25),
    )  # fmt: skip
    if draw.chance(0.4):
        home.stand_free("armchair", turn=draw.between(0, 6.28))


def _furnish_bedroom(home: Home) -> None:
    draw = home.draw
    bed = home.stand_surely("bed")
    if bed:
        for side in (-1, 1):
            table = home.beside("bedside table", bed, side)
            if table:
                home.put_on(table, draw.pick(["table lamp", "table lamp", "desk things"]), 1)
    _stand_some(
        home,
        ("wardrobe", 0.9), ("dresser", 0.6), ("bookshelf", 0.4), ("crib", 0.12), ("armchair", 0.3), ("bed", 0.12),
        ("tall cabinet", 0.2),
    )  # fmt: skip
    if draw.chance(0.6):
        _furnish_desk(home)


def _furnish_study(home: Home) -> None:
    draw = home.draw
    for _ in range(draw.count(1, 3)):
        _furnish_desk(home)
    _stand_some(
        home,
        ("bookshelf", 0.95), ("bookshelf", 0.6), ("tall cabinet", 0.5), ("sideboard", 0.4), ("sofa", 0.25),
        ("armchair", 0.4),
    )  # fmt: skip
    home.stand("waste bin")


def _furnish_dining_room(home: Home) -> None:
    draw = home.draw
    table = home.stand_free("table", margin=0.7) or home.stand_surely("table")
    if table:
        home.seat_round(table, draw.count(4, 6))
        home.put_on(table, "table things", draw.count(2, 7))
    _stand_some(
        home,
        ("sideboard", 0.9), ("tall cabinet", 0.5), ("bookshelf", 0.3), ("piano", 0.15), ("armchair", 0.3),
    )  # fmt: skip


def _furnish_desk(home: Home) -> None:
    """Stand a desk with what is on it and a chair before it."""
    draw, desk = home.draw, home.stand_surely("desk")
    if desk is None:
        return
    home.before("chair", desk, draw.between(-0.05, 0.15), narrower(0.8), turn=np.pi + draw.between(-0.4, 0.4))
    if draw.chance(0.7):
        home.put_on(desk, draw.pick(["screen", "screen", "laptop"]), 1, straight=True)
    home.put_on(desk, "table lamp", draw.count(0, 1))
    home.put_on(desk, "desk things", draw.count(1, 4), straight=True)


def _face(home: Home, name: str, table: Spot, side: int) -> None:
    """Stand a seat at the end of a table, facing it."""
    thing = home.find(name)
    if thing is not None:
        reach = float(table.thing.size[0]) / 2 + float(thing.vertices[:, 2].max()) + home.draw.between(0.15, 0.3)
        home.near(name, thing, table, side * reach, home.draw.between(-0.1, 0.1), side * np.pi / 2)


def _stand_some(home: Home, *chances: tuple[str, float]) -> None:
    """Stand pieces to the walls, each with its chance, and put things onto and into them."""
    for name, chance in chances:
        if home.draw.chance(chance):
            spot = home.stand(name)
            if spot and name in STORAGE:
                _fill(home, spot)


def _fill(home: Home, spot: Spot) -> None:
    """Put things onto a piece and into it, where it has boards for them."""
    if spot.top < 1.3:
        home.put_on(spot, home.draw.pick(["shelf things", "table things", "table lamp"]), home.draw.count(0, 3))
    home.put_on(spot, "shelf things", home.draw.count(1, 6), into=True)


def _add_extras(home: Home, wet: bool) -> None:
    """Add what any room may hold."""
    draw, floor = home.draw, home.floor
    lamp = home.find("ceiling lamp", lambda thing: float(thing.size[1]) < floor.plan.height - 1.9)
    if lamp and draw.chance(0.6):
        floor.hang("ceiling lamp", lamp, floor.plan.height)
    for _ in range(0 if wet else draw.count(0, 3)):
        floor.hang_on_wall("picture", draw.between(0.3, 1.1), draw.between(0.3, 0.8), draw.between(1.45, 1.7))
    for name, chance in (("wall lamp", 0.25), ("television", 0.08)):
        if draw.chance(chance):
            home.hang(name)
    if not wet:
        _stand_some(
            home,
            ("floor lamp", 0.5), ("plant", 0.6), ("chair", 0.6), ("armchair", 0.3), ("small table", 0.35),
            ("stool", 0.2), ("bench", 0.1), ("sideboard", 0.3), ("bookshelf", 0.3), ("plant", 0.3),
        )  # fmt: skip
        for _ in range(draw.count(1, 4)):
            home.stand_free("chair", narrower(0.9), margin=0.05, turn=draw.between(0, 6.28))
    for name in ("floor things", "carton", "floor things", "waste bin"):
        if draw.chance(0.35):
            home.stand_free(name, margin=0.02, turn=draw.between(0, 6.28))


Range = tuple[float, float]
# Kind of room -> the ranges of its sides in metres, and how it is furnished.
ROOMS: Mapping[str, tuple[Range, Range, Callable[[Home], None]]] = {
    "living room": ((3.4, 5.4), (3.6, 5.4), _furnish_living_room),
    "bedroom": ((2.8, 4.1), (3.1, 4.7), _furnish_bedroom),
    "study": ((2.6, 4.0), (2.8, 4.4), _furnish_study),
    "dining room": ((2.9, 4.3), (3.1, 4.7), _furnish_dining_room),
    "kitchen": ((2.6, 4.1), (2.8, 4.5), furnish_kitchen),
    "bathroom": ((2.2, 3.4), (2.4, 3.8), furnish_bathroom),
}
