"""The rooms of toy-rooms: offices, conference rooms, lounges and hallways of one building, ceilings and all."""

from types import MappingProxyType

import numpy as np

from s4tok.geometry.rays import looking
from s4tok.shapes import Array, Float64
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.furnishing import Floor, height
from s4tok.synthetic.furniture import Furniture
from s4tok.synthetic.home import Home, Place
from s4tok.synthetic.kinds import OF_HOMES
from s4tok.synthetic.objects import Object
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.room_light import light_room
from s4tok.synthetic.scans import FRAMES_A_LOOK, equip_desk, seat_round
from s4tok.synthetic.scenes import Builder, Scene
from s4tok.synthetic.shells import Plan, build_shell, cover, erect_column

CLASSES = (
    "ceiling", "floor", "wall", "beam", "column", "window", "door", "table", "chair", "sofa", "bookcase", "board",
    "clutter",
)  # fmt: skip
STRUCTURE = frozenset({"ceiling", "floor", "wall", "beam", "column"})  # classes that are no things
BOX_CLASSES = tuple(name for name in CLASSES if name not in STRUCTURE | {"clutter"})
# Furniture that S3DIS has no name for is its clutter.
NAMED = {"table": "table", "desk": "table", "chair": "chair", "sofa": "sofa", "bookshelf": "bookcase"}
NAMES = MappingProxyType(
    {name: CLASSES.index(NAMED.get(kind.label, "clutter")) for name, kind in OF_HOMES.items()}
    | {name: CLASSES.index(NAMED.get(name, "clutter")) for name in CATEGORIES}
    | {name: number for number, name in enumerate(CLASSES)}
)

USUAL = {"table": ("desk things", 3), "bookshelf": ("shelf things", 5)}  # what lies there, and how much at most
ABOUT = (
    ("plant", 0.7), ("plant", 0.4), ("waste bin", 0.7), ("waste bin", 0.4), ("wardrobe", 0.3), ("tall cabinet", 0.4),
    ("armchair", 0.3), ("carton", 0.4), ("floor lamp", 0.3), ("stool", 0.3), ("sideboard", 0.4), ("radiator", 0.4),
)  # fmt: skip

GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))  # radians; successive looks are spread all around
PITCHES = (-0.35, 0.0, 0.4)


def make_building_room(draw: Draw, furniture: Furniture | None = None) -> Scene:
    """Build and furnish a room of an office building, with procedural furniture where no other is given."""
    kind = draw.pick(["office", "office", "conference", "lounge", "hallway"])
    width, depth = draw.between(4.8, 9.0), draw.between(4.5, 7.0)
    if kind == "hallway":
        width, depth = draw.between(9.0, 16.0), draw.between(2.0, 3.2)
    notch = (draw.between(1.2, 2.5), draw.between(1.0, 2.0)) if kind != "hallway" and draw.chance(0.25) else (0.0, 0.0)
    plan = Plan(width, depth, draw.between(2.7, 3.6), notch)
    builder = Builder(dict(NAMES))
    doors = draw.count(3, 6) if kind == "hallway" else draw.count(1, 2)
    walls = build_shell(builder, draw, plan, windows=0 if kind == "hallway" else draw.count(1, 4), doors=doors)
    cover(builder, draw, plan)
    floor = Floor(builder, draw, plan, walls, furniture)
    _columns(floor, draw)
    for _ in range(draw.count(1, 3) if kind in ("office", "conference") else draw.count(0, 1)):
        floor.hang_on_wall("board", draw.between(1.2, 2.6), draw.between(0.9, 1.2), 1.5)
    {"office": _office, "conference": _conference, "lounge": _lounge, "hallway": _hallway}[kind](floor, draw)
    if furniture is not None:
        use_offices(Home(floor))
        builder.lighting = light_room(builder, draw, plan, walls)
    return builder.scene(floor.free_places(8, clear=0.4))


def use_offices(home: Home) -> None:
    """Add what lies on desks and stands about where people work."""
    draw = home.draw
    for spot, thing, sideways, ahead in home.floor.lying:
        half = float(max(thing.size[0], thing.size[2])) / 2
        home.take(spot, Place(sideways, ahead, spot.top - spot.thing.elevation), half, half)
    for name, spot in list(home.floor.standing):
        if name in ("table", "bookshelf"):
            home.put_on(spot, *USUAL[name], into=name == "bookshelf")
    for name, chance in ABOUT:
        if draw.chance(chance):
            home.stand(name)
    for _ in range(draw.count(0, 3)):
        home.stand_free("floor things", margin=0.02, turn=draw.between(0, 6.28))


def _columns(floor: Floor, draw: Draw) -> None:
    """Stand columns along the walls, or a row of them in a deep room."""
    wide = draw.between(0.3, 0.55)
    plan = floor.plan
    for place in (0.0, 0.5, 1.0):
        if draw.chance(0.45):
            x = wide / 2 + place * (plan.width - wide)
            y = wide / 2 if draw.chance(0.7) else plan.depth / 2
            ground = ((x - wide / 2, y - wide / 2), (x + wide / 2, y + wide / 2))
            if plan.depth > 3.5 and floor.claim(*ground, margin=0.05):
                erect_column(floor.builder, draw, x, y, plan.height, wide)


def _office(floor: Floor, draw: Draw) -> None:
    for _ in range(draw.count(4, 9)):
        spot = floor.against_wall("table", floor.make("table", is_desk))
        if spot:
            equip_desk(floor, draw, spot)
    for _ in range(draw.count(2, 6)):
        floor.against_wall("bookshelf", floor.make("bookshelf", height(1.2, 2.3)))
    for _ in range(draw.count(1, 3)):
        floor.against_wall("cabinet", floor.make("cabinet"))
    for _ in range(draw.count(0, 2)):
        island = floor.anywhere("table", floor.make("table", is_desk), margin=0.6)
        if island:
            equip_desk(floor, draw, island)
    for _ in range(draw.count(1, 4)):
        floor.anywhere("chair", floor.make("chair", height(0.6, 1.3)), turn=draw.between(0, 6.28))


def _conference(floor: Floor, draw: Draw) -> None:
    big = floor.make("table", lambda thing: is_desk(thing) and bool(np.ptp(thing.vertices[:, 0]) > 1.5))
    for _ in range(draw.count(1, 3)):
        table = floor.anywhere("table", big, margin=0.7, turn=0.0)
        if table:
            seat_round(floor, draw, table, draw.count(4, 8))
    floor.against_wall("cabinet", floor.make("cabinet", height(0.5, 1.2)))
    for _ in range(draw.count(1, 5)):
        floor.against_wall("chair", floor.make("chair", height(0.6, 1.3)))


def _lounge(floor: Floor, draw: Draw) -> None:
    for _ in range(draw.count(2, 4)):
        sofa = floor.against_wall("sofa", floor.make("sofa"))
        if sofa:
            low = floor.make("table", lambda thing: float(thing.vertices[:, 1].max()) < 0.55)
            ahead = float(sofa.thing.vertices[:, 2].max() + np.ptp(low.vertices[:, 2]) / 2 + 0.4)
            floor.beside("table", low, sofa, 0.0, ahead, 0.0)
    for _ in range(draw.count(1, 3)):
        table = floor.anywhere("table", floor.make("table", is_desk), margin=0.6)
        if table:
            seat_round(floor, draw, table, draw.count(2, 4))
    for _ in range(draw.count(1, 3)):
        floor.against_wall("bookshelf", floor.make("bookshelf"))
    floor.against_wall("lamp", floor.make("lamp", height(1.0, 2.0)))


def _hallway(floor: Floor, draw: Draw) -> None:
    for name in ("bookshelf", "chair", "chair", "cabinet", "table", "sofa"):
        if draw.chance(0.5):
            narrow = floor.make(name, lambda thing: bool(np.ptp(thing.vertices[:, 2]) < 0.75))
            floor.against_wall(name, narrow)


def photo_tour(scene: Scene, frames: int) -> list[Float64[Array, "4 4"]]:
    """Give the poses of a camera that stands at every free place in turn and looks all around, down, ahead and up."""
    up, poses = np.array([0.0, 0.0, 1.0]), []
    for number in range(frames):
        place = scene.free[number * len(scene.free) // frames]
        heading, pitch = GOLDEN_ANGLE * (number // FRAMES_A_LOOK), PITCHES[number // FRAMES_A_LOOK % len(PITCHES)]
        eye = np.array([*place, 1.55])
        ahead = np.array([np.cos(heading), np.sin(heading), np.tan(pitch)])
        poses.append(looking(eye, eye + ahead, up))
    return poses


def is_desk(thing: Object) -> bool:
    """Tell whether a table is one to sit and work at."""
    return height(0.64, 0.82)(thing) and bool(np.ptp(thing.vertices[:, 0]) > 0.9)


def whereabouts(draw: Draw) -> Float64[Array, "3"]:
    """Say where in the building a room's corner lies, storeys 3.6 m apart."""
    return np.array([round(draw.between(-40, 40), 3), round(draw.between(-40, 40), 3), 3.6 * draw.count(0, 2)])
