"""The solids that the world is built of: closed triangle meshes with faces that look outward.

Shapes stand on y = 0 with +y up and look along +z. Lengths are metres, angles radians.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from s4tok.shapes import Array, Bool, Float64, Int
from s4tok.synthetic.outlines import angles, signed_power, superellipse

Number = int | float
Point = tuple[Number, Number, Number]
ORIGIN: Point = (0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Solid:
    """A triangle mesh; moving it gives another one."""

    vertices: Float64[Array, "p 3"]
    faces: Int[Array, "f 3"]

    def moved(self, x: Number = 0, y: Number = 0, z: Number = 0) -> "Solid":
        """Shift it."""
        return Solid(self.vertices + np.array([x, y, z]), self.faces)

    def turned(self, axis: str, angle: Number, about: Point = ORIGIN) -> "Solid":
        """Turn it about an axis through a point, right-handed."""
        return Solid((self.vertices - about) @ rotation(axis, angle).T + about, self.faces)

    def stretched(self, x: Number = 1, y: Number = 1, z: Number = 1) -> "Solid":
        """Scale it about the origin; a negative factor mirrors it, faces still looking outward."""
        faces = self.faces if x * y * z > 0 else self.faces[:, ::-1]
        return Solid(self.vertices * np.array([x, y, z]), faces)

    def without(self, taken: Bool[Array, " f"]) -> "Solid":
        """Take faces away, for example those that another solid covers."""
        return Solid(self.vertices, self.faces[~taken])


Part = tuple[str, Solid]


def laid(parts: list[Part], axis: str, angle: Number) -> list[Part]:
    """Turn a whole object, hold it over the origin and set it down on y = 0."""
    turned = [(name, solid.turned(axis, angle)) for name, solid in parts]
    points = np.concatenate([solid.vertices for _, solid in turned])
    low, high = points.min(0), points.max(0)
    x, z = ((low + high) / 2)[[0, 2]]
    return [(name, solid.moved(-x, -low[1], -z)) for name, solid in turned]


def rotation(axis: str, angle: Number) -> Float64[Array, "3 3"]:
    """Give the matrix of a right-handed turn about an axis."""
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[[i, j, i, j], [i, j, j, i]] = cosine, cosine, -sine, sine
    return matrix


def between(start: Point, end: Point, share: Number) -> Point:
    """Give the point at some share of the way."""
    x, y, z = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    return x, y, z


def joined(solids: Sequence[Solid]) -> Solid:
    """Put solids into one mesh, as they are."""
    starts = np.cumsum([0] + [len(solid.vertices) for solid in solids[:-1]])
    return Solid(
        np.concatenate([solid.vertices for solid in solids]),
        np.concatenate([solid.faces + start for solid, start in zip(solids, starts, strict=True)]),
    )


def box(size: Point, center: Point = ORIGIN, soft: Number = 0) -> Solid:
    """Make a box; `soft` is the radius of its edges."""
    half = np.array(size) / 2
    radius = min(soft, 0.999 * float(half.min()))
    directions, corners, faces = _cube(2 if radius < 0.03 else 4) if radius > 0 else _cube(0)
    return Solid(corners * (half - radius) + directions * radius + np.array(center), faces)


def standing(width: Number, height: Number, depth: Number, at: Point = ORIGIN, soft: Number = 0) -> Solid:
    """Make a box whose bottom's centre is at a point."""
    return box((width, height, depth), (at[0], at[1] + height / 2, at[2]), soft)


def ellipsoid(size: Point, center: Point = ORIGIN, squareness: Number = 0) -> Solid:
    """Make an ellipsoid that turns into a cushion (0.5) and nearly a box (0.9) as it grows squarer."""
    latitude, longitude = np.linspace(-np.pi / 2, np.pi / 2, 17), angles(32)
    power = 1 - squareness
    flat, high = signed_power(np.cos(latitude), power), signed_power(np.sin(latitude), power)
    across, along = signed_power(np.cos(longitude), power), signed_power(np.sin(longitude), power)
    rings = np.stack([np.outer(flat, across), np.repeat(high[:, None], 32, 1), -np.outer(flat, along)], -1)
    return loft(rings * np.array(size) / 2 + np.array(center))


def frame(width: Number, height: Number, wide: Number, thick: Number) -> Solid:
    """Make a flat rectangular frame in the x-y plane about the origin, proud of a panel of some thickness."""
    deep = thick * 0.35
    across = [box((width * 0.99, wide, deep), (0, s * (height / 2 - wide / 2) * 0.99, 0)) for s in (-1, 1)]
    along = [box((wide, height * 0.98 - 2 * wide, deep), (s * (width / 2 - wide / 2) * 0.99, 0, 0)) for s in (-1, 1)]
    return joined(across + along)


def revolve(profile: Sequence[tuple[Number, Number]] | Float64[Array, "k 2"], open_ended: bool = False) -> Solid:
    """Turn a profile of (radius, height) about the y axis, from bottom to top on the outside.

    An open-ended one is a profile that comes back to where it began, as the skin of a thin shell does.
    """
    radius, height = np.asarray(profile, float).T
    around = 24 if radius.max() < 0.05 else 40
    x, z = np.cos(angles(around)), -np.sin(angles(around))
    rings = np.stack([np.outer(radius, x), np.repeat(height[:, None], around, 1), np.outer(radius, z)], -1)
    return loft(rings, open_ended)


def cylinder(radius: Number, height: Number, at: Point = ORIGIN, top: Number | None = None, soft: Number = 0) -> Solid:
    """Make an upright cylinder or cone on a point, its rims rounded by `soft`."""
    top = radius if top is None else top
    soft = min(soft, height / 2, radius * 0.9, top * 0.9)
    bend = np.linspace(0, np.pi / 2, 5) if soft > 0 else np.zeros(1)
    lower = np.stack([radius - soft + soft * np.sin(bend), soft - soft * np.cos(bend)], 1)
    upper = np.stack([top - soft + soft * np.cos(bend), height - soft + soft * np.sin(bend)], 1)
    if soft == 0:
        lower, upper = np.array([[radius, 0.0]]), np.array([[top, height]])
    return revolve(np.concatenate([lower, upper])).moved(*at)


def bowl(outside: Float64[Array, "k 2"], wall: Number, floor: Number) -> Solid:
    """Turn a profile into a hollow vessel with walls and a floor of some thickness."""
    inside = outside[::-1] - np.array([wall, 0])
    inside = inside[(inside[:, 1] > outside[0, 1] + floor) & (inside[:, 0] > 0)]
    bottom = np.array([[inside[-1, 0], outside[0, 1] + floor], [0, outside[0, 1] + floor]])
    start = np.array([[0, outside[0, 1]]])
    return revolve(np.concatenate([start, outside, inside, bottom]))


def tube(
    path: Float64[Array, "k 3"],
    width: Number | Float64[Array, " k"],
    height: Number | Float64[Array, " k"] | None = None,
    segments: int = 12,
    squareness: Number = 0,
) -> Solid:
    """Sweep an ellipse, or a rounder rectangle as it grows squarer, along a path that lies about in a plane.

    `width` is the diameter within that plane and `height` across it.
    """
    step = np.gradient(path, axis=0)
    forward = step / np.linalg.norm(step, axis=1, keepdims=True)
    bends = np.ptp(forward, axis=0).max() > 1e-6
    across = np.linalg.svd(step, full_matrices=False)[2][-1] if bends else _perpendicular(forward[0])
    across = across * np.sign(across[np.argmax(np.abs(across))])  # a singular vector's sign is the library's whim
    inward = np.cross(across, forward)
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    upward = np.cross(forward, inward)
    section = superellipse(segments, squareness)
    wide = np.broadcast_to(np.asarray(width, float) / 2, len(path))[:, None, None]
    high = np.broadcast_to(np.asarray(width if height is None else height, float) / 2, len(path))[:, None, None]
    rings = path[:, None] + wide * section[:, :1] * inward[:, None] + high * section[:, 1:] * upward[:, None]
    return loft(rings)


def rod(start: Point, end: Point, width: Number, top: Number | None = None, squareness: Number = 0) -> Solid:
    """Make a straight rod between two points, thinner or thicker at its end where `top` says so."""
    ends = np.array([start, end], float)
    widths = np.array([width, width if top is None else top], float)
    return tube(ends, widths, squareness=squareness)


def plate(outline: Float64[Array, "m 2"], thickness: Number, soft: Number = 0, bow: Number = 0) -> Solid:
    """Give a flat outline (x, y), counterclockwise and star-shaped about its mean, a thickness along z.

    `bow` bends it about a vertical axis until its sides stand that far in front of its middle.
    """
    soft = min(soft, thickness / 2)
    middle = outline.mean(0)
    shrunk = [middle + (outline - middle) * share for share in (np.linspace(0.2, 0.9, 5) if bow else ())]
    along = np.roll(outline, -1, 0) - np.roll(outline, 1, 0)
    inward = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1), 1e-12)[:, None]
    bend = np.linspace(0, np.pi / 2, 4 if soft > 0 else 1)
    half = thickness / 2
    rings = [_at(ring, -half) for ring in shrunk]
    rings += [_at(outline + inward * soft * (1 - np.sin(a)), -half + soft * (1 - np.cos(a))) for a in bend]
    rings += [_at(outline + inward * soft * (1 - np.cos(a)), half - soft * (1 - np.sin(a))) for a in bend]
    solid = loft(np.stack(rings + [_at(ring, half) for ring in shrunk[::-1]]))
    x = solid.vertices[:, 0]
    return Solid(solid.vertices + np.outer(bow * (x / np.abs(x).max()) ** 2, [0, 0, 1]), solid.faces)


def sheet(surface: Float64[Array, "u v 3"], thickness: Number) -> Solid:
    """Give a grid of points a thickness, half to each side."""
    normal = np.cross(np.gradient(surface, axis=0), np.gradient(surface, axis=1))
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-12)
    front, back = surface + normal * thickness / 2, surface - normal * thickness / 2
    rows, columns = surface.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    top = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    rim = np.concatenate([index[:-1, 0], index[-1, :-1], index[:0:-1, -1], index[0, :0:-1]])
    after = np.roll(rim, -1)
    n = rows * columns
    side = np.concatenate([np.stack([rim, rim + n, after + n], 1), np.stack([rim, after + n, after], 1)])
    vertices = np.concatenate([front.reshape(-1, 3), back.reshape(-1, 3)])
    return Solid(vertices, np.concatenate([top, top[:, ::-1] + n, side]))


def loft(rings: Float64[Array, "k m 3"], open_ended: bool = False) -> Solid:
    """Span a skin over rings of points that are counterclockwise about the direction of travel, and close its ends."""
    steps, around = rings.shape[:2]
    lower = (np.arange(steps - 1)[:, None] * around + np.arange(around)).ravel()
    beside = (np.arange(steps - 1)[:, None] * around + np.roll(np.arange(around), -1)).ravel()
    sides = [np.stack([lower, beside, beside + around], 1), np.stack([lower, beside + around, lower + around], 1)]
    if open_ended:
        return Solid(rings.reshape(-1, 3), np.concatenate(sides))
    first = np.arange(around)
    after, last, n = np.roll(first, -1), first + (steps - 1) * around, steps * around
    caps = [
        np.stack([np.full(around, n), after, first], 1),
        np.stack([np.full(around, n + 1), last, np.roll(last, -1)], 1),
    ]
    middle = np.stack([rings[0].mean(0), rings[-1].mean(0)])
    return Solid(np.concatenate([rings.reshape(-1, 3), middle]), np.concatenate(sides + caps))


@cache
def _cube(steps: int) -> tuple[Array, Array, Array]:
    """Give the directions, the corners and the faces of a rounded box with so many steps to a quarter turn."""
    quarter = np.linspace(0, np.pi / 2, steps + 1)
    longitude = (np.arange(4)[:, None] * np.pi / 2 + quarter).ravel()
    latitude = np.concatenate([quarter - np.pi / 2, quarter])
    high = np.repeat([-1.0, 1.0], steps + 1)
    across, along = np.repeat([1.0, -1, -1, 1], steps + 1), np.repeat([1.0, 1, -1, -1], steps + 1)
    shape = (len(latitude), len(longitude))
    flat = np.cos(latitude)[:, None]
    rows = [flat * np.cos(longitude), np.sin(latitude)[:, None] + 0 * flat * longitude, -flat * np.sin(longitude)]
    directions = loft(np.stack([np.broadcast_to(row, shape) for row in rows], -1))
    signs = [np.broadcast_to(across, shape), np.broadcast_to(high[:, None], shape), np.broadcast_to(-along, shape)]
    return directions.vertices, loft(np.stack(signs, -1)).vertices, directions.faces


def _at(outline: Float64[Array, "m 2"], z: Number) -> Float64[Array, "m 3"]:
    return np.column_stack([outline, np.full(len(outline), z)])


def _perpendicular(direction: Float64[Array, "3"]) -> Float64[Array, "3"]:
    axis = np.zeros(3)
    axis[np.argmin(np.abs(direction))] = 1
    side: Array = np.cross(direction, axis)
    unit: Array = side / np.linalg.norm(side)
    return unit
