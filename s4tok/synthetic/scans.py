"""The rooms of toy-scans: furnished homes, and the walk of a hand-held depth camera through them."""

import numpy as np

from s4tok.geometry.rays import looking
from s4tok.shapes import Array, Float64
from s4tok.synthetic.furnishing import Floor, Spot, height
from s4tok.synthetic.furniture import hangs
from s4tok.synthetic.objects import Object
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Builder, Scene
from s4tok.synthetic.shells import Plan, build_shell, hang_curtain

# ScanNet's names where it has one, in its order, then names of our own; mugs, caps and knives stay unlabelled, as
# small things are in ScanNet's twenty classes.
CLASSES = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture", "curtain",
    "lamp", "monitor", "laptop", "guitar",
)  # fmt: skip
STRUCTURE = frozenset({"wall", "floor"})  # classes that are no things

FRAMES_A_LOOK = 20  # so that every 20th frame, the default of scenes, shows something else


def make_scan_room(draw: Draw) -> Scene:
    """Build and furnish a room of a home."""
    kind = draw.pick(["bedroom", "living room", "study", "dining room"])
    width, depth = draw.between(2.9, 4.4), draw.between(3.2, 5.2)
    notch = (draw.between(0.7, 1.2), draw.between(0.7, 1.4)) if draw.chance(0.3) else (0.0, 0.0)
    plan = Plan(width, depth, draw.between(2.4, 2.7), notch)
    builder = Builder({name: number for number, name in enumerate(CLASSES)})
    walls = build_shell(builder, draw, plan, windows=draw.count(1, 2), doors=draw.count(1, 2))
    for wall, openings in walls:
        for opening in openings:
            if opening.kind == "window" and draw.chance(0.4):
                hang_curtain(builder, draw, wall, opening)
    floor = Floor(builder, draw, plan, walls)
    for _ in range(draw.count(0, 3)):
        floor.hang_on_wall("picture", draw.between(0.4, 1.1), draw.between(0.4, 0.8), draw.between(1.45, 1.7))
    {"bedroom": _bedroom, "living room": _living_room, "study": _study, "dining room": _dining_room}[kind](floor, draw)
    _extras(floor, draw)
    return builder.scene(floor.free_places(5))


def _bedroom(floor: Floor, draw: Draw) -> None:
    bed = floor.against_wall("bed", floor.make("bed"))
    if bed:
        half = float(bed.thing.vertices[:, 0].max())
        back = float(bed.thing.vertices[:, 2].min())
        for side in (-1, 1):
            stand = floor.make("cabinet", height(0.3, 0.75))
            wide = float(stand.vertices[:, 0].max())
            spot = floor.beside("cabinet", stand, bed, side * (half + wide + 0.08), back + 0.3, 0.0)
            if spot and draw.chance(0.7):
                floor.on_top("lamp", floor.make("lamp", _table_lamp), spot, 0.0, 0.0)
    floor.against_wall("cabinet", floor.make("cabinet", height(1.4, 2.3)))
    if draw.chance(0.6):
        _desk(floor, draw)
    if draw.chance(0.5):
        floor.against_wall("bookshelf", floor.make("bookshelf"))


def _living_room(floor: Floor, draw: Draw) -> None:
    sofa = floor.against_wall("sofa", floor.make("sofa", lambda thing: bool(np.ptp(thing.vertices[:, 0]) > 1.5)))
    if sofa:
        coffee = floor.make("table", lambda thing: float(thing.vertices[:, 1].max()) < 0.55)
        ahead = float(sofa.thing.vertices[:, 2].max() + np.ptp(coffee.vertices[:, 2]) / 2 + 0.35)
        table = floor.beside("table", coffee, sofa, 0.0, ahead, 0.0)
        if table and draw.chance(0.7):
            floor.on_top(
                "mug", floor.make("mug"), table, draw.between(-0.15, 0.15), draw.between(-0.1, 0.1), draw.between(0, 6)
            )
    low = floor.against_wall("cabinet", floor.make("cabinet", height(0.4, 0.9)))
    if low:
        screen = floor.make("monitor", lambda thing: bool(np.ptp(thing.vertices[:, 0]) > 0.6))
        floor.on_top("monitor", screen, low, 0.0, 0.0)
    for _ in range(draw.count(1, 2)):
        floor.against_wall("bookshelf", floor.make("bookshelf"))
    for _ in range(draw.count(0, 2)):
        floor.anywhere("chair", floor.make("chair", height(0.5, 1.2)), turn=draw.between(0, 6.28))
    if draw.chance(0.5):
        floor.against_wall("sofa", floor.make("sofa", lambda thing: bool(np.ptp(thing.vertices[:, 0]) < 1.4)))


def _study(floor: Floor, draw: Draw) -> None:
    for _ in range(draw.count(1, 3)):
        _desk(floor, draw)
    for _ in range(draw.count(1, 3)):
        floor.against_wall("bookshelf", floor.make("bookshelf"))
    floor.against_wall("cabinet", floor.make("cabinet"))
    if draw.chance(0.4):
        floor.against_wall("sofa", floor.make("sofa"))


def _dining_room(floor: Floor, draw: Draw) -> None:
    big = floor.make("table", lambda thing: height(0.64, 0.82)(thing) and bool(np.ptp(thing.vertices[:, 0]) > 1.1))
    table = floor.anywhere("table", big, margin=0.75)
    if table:
        seat_round(floor, draw, table, draw.count(3, 6))
    for _ in range(draw.count(1, 2)):
        floor.against_wall("cabinet", floor.make("cabinet"))
    if draw.chance(0.5):
        floor.against_wall("bookshelf", floor.make("bookshelf"))
    lamp = floor.make("lamp", hangs)
    if hangs(lamp):
        floor.hang("lamp", lamp, floor.plan.height - 0.1)


def seat_round(floor: Floor, draw: Draw, table: Spot, seats: int) -> None:
    """Push chairs of one kind up to a table's long sides."""
    chair = floor.make("chair", lambda other: bool(height(0.6, 1.3)(other) and np.ptp(other.vertices[:, 0]) < 0.75))
    half = np.ptp(table.thing.vertices, axis=0) / 2
    deep = float(chair.vertices[:, 2].max())
    per_side = (seats + 1) // 2
    for seat in range(seats):
        side = 1 if seat % 2 else -1
        along = float(half[0] * 2 * ((seat // 2 + 0.5) / per_side - 0.5))
        ahead = side * float(half[2] + deep - draw.between(0.05, 0.25))
        turn = (np.pi if side > 0 else 0.0) + draw.between(-0.2, 0.2)
        floor.beside("chair", chair, table, along, ahead, turn)


def _desk(floor: Floor, draw: Draw) -> None:
    desk = floor.make("table", lambda thing: height(0.64, 0.82)(thing) and bool(np.ptp(thing.vertices[:, 0]) > 0.9))
    spot = floor.against_wall("table", desk)
    if spot:
        equip_desk(floor, draw, spot)


def equip_desk(floor: Floor, draw: Draw, spot: Spot) -> None:
    """Put a screen, a laptop or a mug on a desk and a chair before it."""
    half = np.ptp(spot.thing.vertices, axis=0) / 2
    if draw.chance(0.65):
        screen = floor.make("monitor", lambda thing: bool(np.ptp(thing.vertices[:, 0]) < 0.75))
        floor.on_top("monitor", screen, spot, draw.between(-0.2, 0.2) * float(half[0]), -0.35 * float(half[2]))
    if draw.chance(0.45):
        floor.on_top("laptop", floor.make("laptop"), spot, 0.55 * float(half[0]), 0.1, draw.between(-0.3, 0.3))
    if draw.chance(0.4):
        floor.on_top("mug", floor.make("mug"), spot, -0.6 * float(half[0]), 0.1 * float(half[2]), draw.between(0, 6))
    if draw.chance(0.4):
        floor.on_top("lamp", floor.make("lamp", _table_lamp), spot, -0.75 * float(half[0]), -0.4 * float(half[2]))
    chair = floor.make("chair", lambda thing: bool(height(0.6, 1.3)(thing) and np.ptp(thing.vertices[:, 0]) < 0.75))
    ahead = float(half[2] + chair.vertices[:, 2].max() - draw.between(0.0, 0.2))
    floor.beside("chair", chair, spot, draw.between(-0.2, 0.2), ahead, np.pi + draw.between(-0.5, 0.5))


def _extras(floor: Floor, draw: Draw) -> None:
    """Add what any room may hold."""
    for name in ("cabinet", "bookshelf", "chair", "table", "chair", "sofa"):
        if draw.chance(0.6):
            floor.against_wall(name, floor.make(name, lambda thing: bool(np.ptp(thing.vertices[:, 0]) < 1.3)))
    for _ in range(draw.count(1, 3)):
        name = draw.pick(["chair", "table", "chair"])
        small = floor.make(name, lambda thing: bool(np.ptp(thing.vertices[:, 0]) < 0.9))
        floor.anywhere(name, small, turn=draw.between(0, 6.28))
    if draw.chance(0.6):
        lamp = floor.make("lamp", lambda thing: float(thing.vertices[:, 1].max()) > 1.0 and not hangs(thing))
        floor.against_wall("lamp", lamp)
    if draw.chance(0.5):
        floor.against_wall("guitar", floor.make("guitar"))


def _table_lamp(thing: Object) -> bool:
    return float(thing.vertices[:, 1].max()) < 0.75 and not hangs(thing)


def camera_path(draw: Draw, scene: Scene, frames: int) -> list[Float64[Array, "4 4"]]:
    """Give the poses of a camera that walks from one free place to the next and looks from one thing to another."""
    stops = max(2, frames // FRAMES_A_LOOK + 1)
    eyes, targets = [], []
    for stop in range(stops):
        x, y = scene.free[stop * len(scene.free) // stops]
        eye = np.array([x + draw.between(-0.15, 0.15), y + draw.between(-0.15, 0.15), draw.between(1.3, 1.65)])
        away = scene.sights[np.hypot(*(scene.sights[:, :2] - eye[:2]).T) > 1.2]
        # Where nothing is far enough, the camera turns to the middle of everything.
        target = away[draw.count(0, len(away) - 1)] if len(away) else scene.sights.mean(0) + np.array([0.5, 0.5, 0])
        jitter = [draw.between(-0.4, 0.4), draw.between(-0.4, 0.4), draw.between(-0.2, 0.2)]
        eyes.append(eye)
        targets.append(target + np.array(jitter))
    way = np.arange(frames) / FRAMES_A_LOOK
    knots = np.arange(stops)
    eye_at, target_at = (
        np.stack([np.interp(way, knots, np.array(points)[:, axis]) for axis in range(3)], 1)
        for points in (eyes, targets)
    )
    up = np.array([0.0, 0.0, 1.0])
    return [looking(eye, target, up) for eye, target in zip(eye_at, target_at, strict=True)]
