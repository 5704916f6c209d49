"""What sensors bring home from a room: clouds and depth images, with noise, holes and uneven density."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from s4tok.geometry.rays import Surface, panorama_rays, pinhole_rays
from s4tok.shapes import Array, Bool, Float32, Float64, Int, UInt8
from s4tok.synthetic.flaws import lost
from s4tok.synthetic.objects import crossed
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Scene

GRID = 1e-4  # metres; coordinates are rounded to it, so that a ray tracer's last bits do not show


class Scanner(NamedTuple):
    """A sensor that turns about itself."""

    rows: int
    columns: int
    lowest: float  # elevations it sees, in radians
    highest: float
    height: float
    noise: float  # metres at no distance
    growth: float  # more of it, per metre squared
    reach: float  # metres
    narrowest: float = 1.0  # share of a turn that it makes at least
    has_holes: bool = False  # whether it loses dark, thin and grazed things, as depth cameras do


HAND_HELD = Scanner(120, 340, -1.3, 0.35, 1.5, noise=0.0015, growth=0.0012, reach=8.0)
DEPTH_CAMERA = Scanner(190, 480, -1.5, 0.3, 1.5, noise=0.0015, growth=0.0012, reach=5.5, narrowest=0.75, has_holes=True)
TRIPOD = Scanner(240, 480, -1.3, 1.5, 1.6, noise=0.003, growth=0.0, reach=30.0)


@dataclass(frozen=True, eq=False)
class Capture:
    """A scanned room: points, what is known of each, and triangles between neighbouring ones."""

    xyz: Float64[Array, "n 3"]
    color: UInt8[Array, "n 3"]
    classes: Int[Array, " n"]
    things: Int[Array, " n"]
    parts: Int[Array, " n"]
    faces: Int[Array, "f 3"]
    scene: Scene  # what was scanned
    corner: Float64[Array, "3"]  # of the scene, in the coordinates of the points

    @property
    def names(self) -> tuple[str, ...]:
        """Say what each thing is."""
        return self.scene.names

    def moved(self, offset: Float64[Array, "3"]) -> "Capture":
        """Shift it."""
        return replace(self, xyz=np.round((self.xyz + offset) / GRID) * GRID, corner=self.corner + offset)

    def take(self, which: Int[Array, " k"]) -> "Capture":
        """Keep some points and no triangles."""
        return replace(
            self,
            xyz=self.xyz[which],
            color=self.color[which],
            classes=self.classes[which],
            things=self.things[which],
            parts=self.parts[which],
            faces=np.zeros((0, 3), np.int64),
        )


class Glance(NamedTuple):
    """What rays from one place meet."""

    origin: Float64[Array, "3"]
    rays: Float64[Array, "h w 3"]
    distance: Float64[Array, "h w"]  # in lengths of the rays; infinite where they meet nothing
    face: Int[Array, "h w"]  # -1 where they meet nothing


class Eye:
    """A room ready for a camera."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.surface = Surface(scene.vertices, scene.faces)
        normal = crossed(scene.vertices, scene.faces)
        self.normals = normal / np.maximum(np.sqrt((normal**2).sum(1, keepdims=True)), 1e-15)
        self.anchors = scene.vertices[scene.faces[:, 0]]

    def look(self, origin: Float64[Array, "3"], rays: Float64[Array, "h w 3"]) -> Glance:
        """Find what each ray meets, and how far away.

        The tracer says which face; where on it is computed here, in float64, the same on every machine.
        """
        face = self.surface.cast(origin, rays).face
        normal = self.normals[face]
        slope = (normal * rays).sum(-1)
        ahead = (normal * (self.anchors[face] - origin)).sum(-1)
        met = (face >= 0) & (np.abs(slope) > 1e-9)
        distance = np.divide(ahead, slope, out=np.full(face.shape, np.inf), where=met)
        return Glance(origin, rays, distance, np.where(met, face, -1))

    def colors(self, glance: Glance, draw: Draw) -> UInt8[Array, "h w 3"]:
        """Give the colours a camera would see, with some noise; black where there is no face."""
        seen = self._lit(glance) + draw.generator.normal(0, 0.012, (*glance.face.shape, 3))
        return np.where(glance.face[..., None] >= 0, np.clip(np.round(seen * 255), 0, 255), 0).astype(np.uint8)

    def _lit(self, glance: Glance) -> Float64[Array, "h w 3"]:
        """Light what is met by the room's own lights, or from above where it has none."""
        color, normal = self.scene.colors[glance.face], self.normals[glance.face]
        if self.scene.lighting is None:
            light = 0.72 + 0.22 * normal[..., 2] + 0.06 * normal[..., 0]
            from_above: Array = color * light[..., None]
            return from_above
        toward = np.where((normal * glance.rays).sum(-1, keepdims=True) > 0, -normal, normal)
        ahead = np.where(np.isfinite(glance.distance), glance.distance, 0.0)[..., None]
        return self.scene.lighting.shade(color, glance.origin + ahead * glance.rays, toward)

    def misses(self, glance: Glance, draw: Draw) -> Bool[Array, "h w"]:
        """Tell which pixels a depth camera loses."""
        color, normal = self.scene.colors[glance.face], self.normals[glance.face]
        slope = np.abs((normal * glance.rays).sum(-1)) / np.sqrt((glance.rays**2).sum(-1))
        return lost(np.where(glance.face >= 0, glance.distance, np.inf), color.mean(-1), slope, draw)


def scan_room(eye: Eye, draw: Draw, scanner: Scanner, triangulated: bool) -> Capture:
    """Scan a room from its free places, each a turn of the sensor, and join every turn's grid into triangles."""
    rays = panorama_rays(scanner.rows, scanner.columns, scanner.lowest, scanner.highest)
    points, known, colors, start = [], [], [], 0
    triangles = [np.zeros((0, 3), np.int64)]
    scene = eye.scene
    for x, y in scene.free:
        origin = np.array([x, y, scanner.height + draw.between(-0.15, 0.15)])
        turned = np.roll(rays, draw.count(0, scanner.columns - 1), axis=1)
        glance = eye.look(origin, turned)
        face = glance.face
        noise = draw.generator.standard_normal(face.shape)
        seen = (face >= 0) & (glance.distance < scanner.reach)
        if scanner.narrowest < 1:
            seen[:, int(scanner.columns * draw.between(scanner.narrowest, 1)) :] = False
        if scanner.has_holes:
            seen &= ~eye.misses(glance, draw)
        exact = np.where(seen, glance.distance, 0.0)
        measured = exact + noise * (scanner.noise + scanner.growth * exact**2)
        index = np.where(seen, start + np.cumsum(seen).reshape(seen.shape) - 1, -1)
        points.append(origin + (turned * measured[..., None])[seen])
        known.append(face[seen])
        colors.append(eye.colors(glance, draw)[seen])
        if triangulated:
            triangles.append(_triangles(index, exact))
        start += int(seen.sum())
    face = np.concatenate(known)
    return Capture(
        xyz=np.round(np.concatenate(points) / GRID) * GRID,
        color=np.concatenate(colors),
        classes=scene.classes[face],
        things=scene.things[face],
        parts=scene.parts[face],
        faces=np.concatenate(triangles),
        scene=scene,
        corner=np.zeros(3),
    )


def _triangles(index: Int[Array, "h w"], distance: Float64[Array, "h w"]) -> Int[Array, "f 3"]:
    """Join neighbouring pixels of a turn where no edge of depth lies between them."""
    right, right_distance = np.roll(index, -1, 1), np.roll(distance, -1, 1)
    corners = [index[:-1], right[:-1], right[1:], index[1:]]
    depths = np.stack([distance[:-1], right_distance[:-1], right_distance[1:], distance[1:]])
    whole = np.min(np.stack(corners), axis=0) >= 0
    whole &= np.ptp(depths, axis=0) < 0.08 * depths.max(0)
    a, b, c, d = (corner[whole] for corner in corners)
    return np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)])


def thinned(capture: Capture, voxel: float) -> Capture:
    """Keep one point of each voxel, the first one seen, and carry the triangles over."""
    cell = np.floor(capture.xyz / voxel).astype(np.int64)
    cell -= cell.min(0)
    sizes = cell.max(0) + 1
    code = (cell[:, 0] * sizes[1] + cell[:, 1]) * sizes[2] + cell[:, 2]
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    faces = rank[inverse][capture.faces]
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    faces = faces[distinct]
    low, middle, high = np.sort(faces, axis=1).T
    _, once = np.unique((low * len(order) + middle) * len(order) + high, return_index=True)
    return replace(capture.take(first[order]), faces=faces[np.sort(once)])


def photograph(
    eye: Eye,
    draw: Draw,
    pose: Float64[Array, "4 4"],
    size: tuple[int, int],
    intrinsics: Float64[Array, "3 3"],
    has_holes: bool = False,
) -> tuple[UInt8[Array, "h w 3"], Float32[Array, "h w"]]:
    """Take a colour and a depth image; depth is in whole millimetres along the optical axis, 0 where there is none."""
    rays = pinhole_rays(*size, intrinsics)
    world = rays[..., :1] * pose[:3, 0] + rays[..., 1:2] * pose[:3, 1] + rays[..., 2:] * pose[:3, 2]
    glance = eye.look(pose[:3, 3], world)
    exact = np.where((glance.face >= 0) & (glance.distance < 8.0), glance.distance, 0.0)
    measured = exact + draw.generator.standard_normal(size) * (0.001 + 0.0012 * exact**2)
    whole = np.where(exact > 0, np.round(measured * 1000) / 1000, 0)
    colors = eye.colors(glance, draw)
    if has_holes:
        whole[eye.misses(glance, draw)] = 0
    return colors, whole.astype(np.float32)
