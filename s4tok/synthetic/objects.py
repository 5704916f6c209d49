"""Objects of the world: made whole from a seed and a name, and sampled into points."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from s4tok.shapes import Array, Float32, Float64, Int
from s4tok.synthetic.categories import category_of
from s4tok.synthetic.hidden import hidden_faces
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import joined

GRID = 1e-6  # what coordinates are rounded to: the last bits of a sine differ from one C library to the next


@dataclass(frozen=True, eq=False)
class Object:
    """A labelled mesh in metres, standing on y = 0, +y up, looking along +z."""

    category: str
    vertices: Float64[Array, "p 3"]
    faces: Int[Array, "f 3"]
    parts: Int[Array, " f"]  # of each face, an index into the category's `all_parts`
    pieces: Int[Array, " f"]  # of each face, the solid it belongs to
    colors: Float64[Array, "f 3"] | None = None  # where it brings its own
    elevation: float = 0.0  # metres above the floor that it hangs at by itself
    source: str = ""  # the key of the model it is, where it is one

    @property
    def size(self) -> Float64[Array, "3"]:
        """Give the sides of its bounding box."""
        extent: Array = np.ptp(self.vertices, axis=0)
        return extent

    def in_unit_sphere(self) -> "Object":
        """Put the middle of its bounding box at the origin and its farthest vertex at distance 1."""
        low, high = self.vertices.min(0), self.vertices.max(0)
        centered = self.vertices - (low + high) / 2
        scaled = centered / np.sqrt((centered**2).sum(1).max())
        vertices = on_grid(scaled)
        real = areas(vertices, self.faces) > GRID**2
        return Object(self.category, vertices, self.faces[real], self.parts[real], self.pieces[real])


class SurfacePoints(NamedTuple):
    """Points on a surface."""

    xyz: Float64[Array, "n 3"]
    normals: Float32[Array, "n 3"]
    faces: Int[Array, " n"]  # the face each point lies on


def make_object(category: str, draw: Draw) -> Object:
    """Make an object of a category."""
    row = category_of(category)
    pieces = row.make(draw)
    numbers = {name: number for number, name in enumerate(row.all_parts)}
    whole = joined([solid for _, solid in pieces])
    piece = np.repeat(np.arange(len(pieces)), [len(solid.faces) for _, solid in pieces])
    parts = np.array([numbers[name] for name, _ in pieces])[piece]
    vertices = on_grid(whole.vertices - np.array([0, whole.vertices[:, 1].min(), 0]))
    real = areas(vertices, whole.faces) > GRID**2  # poles of a revolution collapse to nothing
    real &= ~hidden_faces([solid for _, solid in pieces])
    return Object(category, vertices, whole.faces[real], parts[real], piece[real])


def on_grid(coordinates: Float64[Array, "p 3"]) -> Float64[Array, "p 3"]:
    """Round coordinates to the grid, where they no longer depend on the machine that computed them."""
    rounded: Array = np.round(coordinates / GRID) * GRID + 0.0  # no negative zeros
    return rounded


def areas(vertices: Float64[Array, "p 3"], faces: Int[Array, "f 3"]) -> Float64[Array, " f"]:
    """Give the area of each face."""
    area: Array = np.sqrt((crossed(vertices, faces) ** 2).sum(1)) / 2
    return area


def crossed(vertices: Float64[Array, "p 3"], faces: Int[Array, "f 3"]) -> Float64[Array, "f 3"]:
    """Give each face's outward normal, as long as twice its area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal: Array = np.cross(b - a, c - a)
    return normal


def spread_points(vertices: Float64[Array, "p 3"], faces: Int[Array, "f 3"], n: int, draw: Draw) -> SurfacePoints:
    """Spread points evenly over a mesh's area, in random order.

    Faces are met at equal steps of accumulated area from a random start, so that each gets its share to within one
    point; within its face a point lies anywhere.
    """
    normal = crossed(vertices, faces)
    length = np.sqrt((normal**2).sum(1))
    reached = np.cumsum(length)
    steps = (np.arange(n) + float(draw.generator.random())) / n
    face = np.minimum(np.searchsorted(reached, steps * reached[-1], side="right"), len(faces) - 1)
    face = face[draw.generator.permutation(n)]
    u, v = draw.generator.random((2, n, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    a, b, c = (vertices[faces[face, k]] for k in range(3))
    unit = normal[face] / length[face, None]
    return SurfacePoints(on_grid(a + u * (b - a) + v * (c - a)), unit.astype(np.float32), face)
