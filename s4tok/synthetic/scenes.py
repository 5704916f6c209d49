"""A room as one mesh: what is where, of which class, which thing and which part, in which colour. Metres, z up."""

from dataclasses import dataclass, field

import numpy as np

from s4tok.shapes import Array, Float64, Int
from s4tok.synthetic.lighting import Lighting
from s4tok.synthetic.materials import colors_of
from s4tok.synthetic.objects import Object, on_grid
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Number, Solid

NO_PART = -1


@dataclass(frozen=True, eq=False)
class Scene:
    """Triangles with what is known of each."""

    vertices: Float64[Array, "p 3"]
    faces: Int[Array, "f 3"]
    classes: Int[Array, " f"]  # -1 where the dataset's list has no name for it
    things: Int[Array, " f"]  # index into `names`
    parts: Int[Array, " f"]  # index into the category's `all_parts`; -1 for walls and the like
    colors: Float64[Array, "f 3"]
    names: tuple[str, ...]  # what each thing is: a category of objects or a part of the building
    free: Float64[Array, "k 2"]  # places on the floor where somebody can stand
    sights: Float64[Array, "s 3"]  # middles of the objects, where a camera would look
    headings: tuple[float, ...] = ()  # of each thing: how far its front is turned from -y
    sources: tuple[str, ...] = ()  # of each thing: the key of the model it is; empty where it is made
    lighting: Lighting | None = None  # None: from above, the same everywhere


@dataclass
class Builder:
    """Collects the things of a room; `classes` maps what a thing is to its class in the dataset."""

    classes: dict[str, int]
    names: list[str] = field(default_factory=list)
    meshes: list[tuple[Array, Array, Array, Array, int]] = field(default_factory=list)
    sights: list[Array] = field(default_factory=list)
    headings: list[float] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    lighting: Lighting | None = None

    def add_solid(self, name: str, solid: Solid, color: tuple[float, float, float], joins: bool = False) -> None:
        """Add a part of the building, already in the room's frame; `joins` makes it part of the thing before."""
        parts = np.full(len(solid.faces), NO_PART)
        colors = np.broadcast_to(np.array(color), (len(solid.faces), 3))
        self._add(solid.vertices, solid.faces, parts, colors, name, joins)

    def add_object(self, name: str, thing: Object, draw: Draw, x: Number, y: Number, z: Number, turn: Number) -> None:
        """Stand an object on a place of the room, its front turned from -y, counterclockwise seen from above."""
        vertices = place_vertices(thing, x, y, z, turn)
        self.sights.append((vertices.min(0) + vertices.max(0)) / 2)
        self._add(vertices, thing.faces, thing.parts, colors_of(thing, draw), name, joins=False)
        self.headings[-1], self.sources[-1] = float(turn), thing.source

    def _add(self, vertices: Array, faces: Array, parts: Array, colors: Array, name: str, joins: bool) -> None:
        if not joins:
            self.names.append(name)
            self.headings.append(0.0)
            self.sources.append("")
        number = len(self.names) - 1
        self.meshes.append(
            (vertices, faces, np.column_stack([np.full(len(faces), self.classes.get(name, -1)), parts]), colors, number)
        )

    def tops(self) -> list[tuple[str, tuple[float, float, float]]]:
        """Give the middle of the top of each thing, with what it is."""
        found: dict[int, tuple[float, float, float]] = {}
        for vertices, _, _, _, number in self.meshes:
            low, high = vertices.min(0), vertices.max(0)
            found[number] = (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2, float(high[2]))
        return [(self.names[number], top) for number, top in found.items()]

    def scene(self, free: Float64[Array, "k 2"]) -> Scene:
        """Put everything into one mesh."""
        vertices, faces, known, colors, numbers = zip(*self.meshes, strict=True)
        starts = np.cumsum([0] + [len(each) for each in vertices[:-1]])
        known_of_all = np.concatenate(known)
        return Scene(
            vertices=on_grid(np.concatenate(vertices)),
            faces=np.concatenate([each + start for each, start in zip(faces, starts, strict=True)]),
            classes=known_of_all[:, 0],
            things=np.repeat(numbers, [len(each) for each in faces]),
            parts=known_of_all[:, 1],
            colors=np.concatenate(colors),
            names=tuple(self.names),
            free=free,
            sights=np.array(self.sights or [np.array([*free.mean(0), 1.0])]),
            headings=tuple(self.headings),
            sources=tuple(self.sources),
            lighting=self.lighting,
        )


def place_vertices(thing: Object, x: Number, y: Number, z: Number, turn: Number) -> Float64[Array, "p 3"]:
    """Bring an object's vertices into a room: its +y is up, its front looks to -y and is then turned."""
    cosine, sine = np.cos(turn), np.sin(turn)
    right, up, front = thing.vertices.T
    return np.column_stack([cosine * right + sine * front + x, sine * right - cosine * front + y, up + z])
