"""Pictures of the world, for people."""

import numpy as np

from s4tok.shapes import Array, Float64, UInt8
from s4tok.worlds.categories import CATEGORIES
from s4tok.worlds.objects import Object, make_object
from s4tok.worlds.randomness import Draw
from s4tok.worlds.sensor import Surface, looking, pinhole_rays

PART_COLORS = np.array(
    [[86, 130, 196], [236, 148, 62], [102, 178, 108], [206, 92, 92], [152, 120, 186]], float
)  # of a category's parts, in their order
PAPER = 255.0


def contact_sheet(
    columns: int = 8, size: int = 160, seed: int = 0, categories: tuple[str, ...] = ()
) -> UInt8[Array, "h w 3"]:
    """Draw some objects of every category, one category a row, each part in a colour of its own."""
    rows = [
        np.concatenate(
            [draw_object(make_object(name, Draw(seed, name, k)).in_unit_sphere(), size) for k in range(columns)], 1
        )
        for name in categories or CATEGORIES
    ]
    return np.concatenate(rows, 0)


def draw_object(thing: Object, size: int, azimuth: float = 0.65, elevation: float = 0.4) -> UInt8[Array, "h w 3"]:
    """Draw one object of the unit sphere from its front, a little from above."""
    eye = 3.6 * np.array([np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)])
    pose = looking(eye, np.zeros(3), np.array([0, 1.0, 0]))
    fine = 2 * size
    focal = fine * 1.72
    intrinsics = np.array([[focal, 0, (fine - 1) / 2], [0, focal, (fine - 1) / 2], [0, 0, 1]])
    picture = shade(
        Surface(thing.vertices, thing.faces),
        thing,
        pose,
        pinhole_rays(fine, fine, intrinsics),
        PART_COLORS[thing.parts],
    )
    small: Array = picture.reshape(size, 2, size, 2, 3).mean((1, 3))
    return small.astype(np.uint8)


def shade(
    surface: Surface,
    thing: Object,
    pose: Float64[Array, "4 4"],
    rays: Float64[Array, "h w 3"],
    colors: Float64[Array, "f 3"],
) -> Float64[Array, "h w 3"]:
    """Light the faces that rays meet, from the camera and from above."""
    world: Array = rays @ pose[:3, :3].T
    hits = surface.cast(pose[:3, 3], world)
    a, b, c = (thing.vertices[thing.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    ahead = -world / np.linalg.norm(world, axis=-1, keepdims=True)
    seen = normal[hits.face]
    facing = np.abs((seen * ahead).sum(-1))
    above = 0.5 + 0.5 * seen[..., 1]
    light = 0.3 + 0.5 * facing + 0.25 * above
    return np.where(hits.is_hit[..., None], np.minimum(colors[hits.face] * light[..., None], 255), PAPER)
