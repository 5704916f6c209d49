"""Pictures of the world, for people: objects with a colour a part, and rooms looked into from above."""

import numpy as np

from s4tok.datasets.reader import FolderLayout
from s4tok.geometry.rays import Surface, looking, pinhole_rays
from s4tok.shapes import Array, Float64, Int, UInt8
from s4tok.synthetic.buildings import make_building_room
from s4tok.synthetic.capture import HAND_HELD, TRIPOD, Capture, Eye, scan_room, thinned
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.home_datasets import HomeRooms, HomeScans
from s4tok.synthetic.objects import Object, crossed, make_object
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import make_scan_room

PART_COLORS = np.array(
    [[86, 130, 196], [236, 148, 62], [102, 178, 108], [206, 92, 92], [152, 120, 186]], float
)  # of a category's parts, in their order
PAPER = 255


def contact_sheet(columns: int = 8, size: int = 120, seed: int = 0) -> UInt8[Array, "h w 3"]:
    """Draw some objects of every category, a category a row in the table's order."""
    rows = [
        [draw_object(make_object(name, Draw(seed, "picture", name, column)), size) for column in range(columns)]
        for name in CATEGORIES
    ]
    return np.concatenate([np.concatenate(row, 1) for row in rows])


def room_sheet(size: int = 480, seed: int = 0) -> UInt8[Array, "h w 3"]:
    """Draw two rooms of each kind, toy-scans above toy-rooms: as they are coloured, and a colour a class."""
    rows = []
    for make, scanner, low in ((make_scan_room, HAND_HELD, 0.03), (make_building_room, TRIPOD, 0.03)):
        row = []
        for number in range(2):
            draw = Draw(seed, "picture", make.__name__, number)
            seen = thinned(scan_room(Eye(make(draw)), draw, scanner, triangulated=False), low)
            row += [draw_room(seen, seen.color, size), draw_room(seen, class_colors(seen.classes), size)]
        rows.append(np.concatenate(row, 1))
    return np.concatenate(rows)


def home_sheet(furniture: FolderLayout | None, size: int = 420, seed: int = 0) -> UInt8[Array, "h w 3"]:
    """Draw a room of each kind of homes and two of the office building: as coloured, and a colour a class."""
    scans = HomeScans(furniture=furniture, sizes=(6, 0, 0), seed=seed)
    offices = HomeRooms(furniture=furniture, sizes=(2, 0, 0), seed=seed)
    captures = [dataset.capture(key) for dataset in (scans, offices) for key in dataset.keys]
    cells = [
        [draw_room(seen, seen.color, size), draw_room(seen, class_colors(seen.classes), size)] for seen in captures
    ]
    rows = [np.concatenate([*cells[row], *cells[row + 1]], 1) for row in range(0, len(cells), 2)]
    return np.concatenate(rows)


def draw_object(thing: Object, size: int, azimuth: float = 0.65, elevation: float = 0.4) -> UInt8[Array, "h w 3"]:
    """Draw an object from its front, a little from the side and from above."""
    small = thing.in_unit_sphere()
    eye = 3.6 * np.array([np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)])
    pose = looking(eye, np.zeros(3), np.array([0.0, 1.0, 0.0]))
    fine = 2 * size
    intrinsics = np.array([[1.72 * fine, 0, (fine - 1) / 2], [0, 1.72 * fine, (fine - 1) / 2], [0, 0, 1]])
    world: Array = pinhole_rays(fine, fine, intrinsics) @ pose[:3, :3].T
    hits = Surface(small.vertices, small.faces).cast(pose[:3, 3], world)
    normal = crossed(small.vertices, small.faces)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    facing = np.abs((normal[hits.face] * world).sum(-1)) / np.linalg.norm(world, axis=-1)
    light = 0.42 + 0.5 * facing + 0.13 * normal[hits.face][..., 1]
    lit = np.minimum(PART_COLORS[small.parts][hits.face] * light[..., None], 255)
    picture = np.where(hits.is_hit[..., None], lit, PAPER)
    halved: Array = picture.reshape(size, 2, size, 2, 3).mean((1, 3))
    return halved.astype(np.uint8)


def draw_room(seen: Capture, color: UInt8[Array, "n 3"], size: int, azimuth: float = 0.5) -> UInt8[Array, "h w 3"]:
    """Draw a room's points in parallel projection from above, without ceiling, beams and the two nearer walls."""
    low, high = seen.xyz.min(0), seen.xyz.max(0)
    far = (seen.xyz[:, 1] > high[1] - 0.45) | (seen.xyz[:, 0] < low[0] + 0.45)
    lid, wall = _named(seen, "ceiling", "beam"), _named(seen, "wall", "window", "door", "board", "picture", "curtain")
    shown = ~lid & (far | ~wall)
    x, y, z = (seen.xyz[shown] - (low + high) / 2).T
    right, away = x * np.cos(azimuth) + y * np.sin(azimuth), y * np.cos(azimuth) - x * np.sin(azimuth)
    up = 0.5 * away + 0.86 * z
    scale = 0.94 * size / max(float(np.ptp(right)), float(np.ptp(up)))
    column = ((right - (right.max() + right.min()) / 2) * scale + size / 2).astype(int)
    row = (size / 2 - (up - (up.max() + up.min()) / 2) * scale).astype(int)
    picture = np.full((size, size, 3), PAPER, np.uint8)
    order = np.argsort(0.5 * z - 0.86 * away)  # from far to near: of several writes to one pixel the last one stays
    dot = 2 if len(order) > 60_000 else 3  # pixels; larger where points lie farther apart
    for down in range(dot):
        for beside in range(dot):
            picture[row[order] - down, column[order] - beside] = color[shown][order]
    return picture


def class_colors(classes: Int[Array, " n"]) -> UInt8[Array, "n 3"]:
    """Give every class a colour of its own, by turns of the golden angle; grey where there is no class."""
    hue = (classes * 0.381966) % 1.0
    share = 0.55 + 0.4 * (classes % 3) / 2
    rgb = np.stack([0.5 + 0.5 * np.cos(2 * np.pi * (hue + shift)) for shift in (0, 1 / 3, 2 / 3)], -1)
    mixed: Float64[Array, "n 3"] = 255 * (0.15 + 0.8 * rgb) * share[:, None] + 20
    return np.where(classes[:, None] < 0, 128, np.clip(mixed, 0, 255)).astype(np.uint8)


def _named(seen: Capture, *names: str) -> Array:
    wanted = np.array([name in names for name in seen.names])
    return wanted[seen.things]
