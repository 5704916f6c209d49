"""Frames of cameras that never were: meshes ray-cast, points splatted, in their colours or in shades of grey."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import Scene, VirtualConfig
from s4tok.datasets.dataset import Frame, Mesh
from s4tok.geometry import estimate_normals, nearest
from s4tok.geometry.axes import upright
from s4tok.geometry.placement import factor
from s4tok.geometry.rays import Surface, pinhole_rays
from s4tok.rendering.virtual_cameras import Camera, virtual_cameras
from s4tok.shapes import Array, Bool, Float32, Float64, Int, UInt8

SPLATTED = 200_000  # points at most; of more some are drawn by chance
LARGEST = 5  # splats are squares of at most 2 to this power of pixels
FLAT = 0.05  # cosine of a ray with a plane that it runs along
SPACING, WIDER = 4, 1.5  # a splat is so much wider than the distance of a point's fourth neighbour
DARKEST, HEAD_ON = 0.35, 0.6  # grey of a surface seen from the side, and what is added where it is seen from the front


class Local(NamedTuple):
    """The frame that cameras are placed in, +y up: turn, scale and origin of the file's coordinates in it."""

    turn: Float64[Array, "3 3"]
    scale: float
    origin: Float64[Array, "3"]

    @classmethod
    def of(cls, cloud: PointCloud, up: str) -> "Local":
        """Give that of a cloud: the frame of own clouds, or a dataset's turned upright."""
        if cloud.source is None or cloud.placement is None:
            return cls(upright(up), 1.0, cloud.offset)
        return cls(upright(cloud.placement.up), factor(cloud.source, cloud.placement), cloud.source.offset)

    def into(self, points: Float64[Array, "n 3"]) -> Float64[Array, "n 3"]:
        """Bring points of the file into it."""
        found: Array = (points - self.origin) @ self.turn.T * self.scale
        return found

    def pose_in_file(self, pose: Float64[Array, "4 4"]) -> Float64[Array, "4 4"]:
        """Say where a camera stands in the file."""
        moved = np.eye(4)
        moved[:3, :3] = self.turn.T @ pose[:3, :3]
        moved[:3, 3] = self.turn.T @ pose[:3, 3] / self.scale + self.origin
        return moved


class Picture(NamedTuple):
    """What a camera sees; depth is 0 where it sees nothing, along the optical axis."""

    color: UInt8[Array, "h w 3"]
    depth: Float32[Array, "h w"]


class Drawn(Protocol):
    """What can be drawn."""

    def draw(self, camera: Camera, intrinsics: Float64[Array, "3 3"], size: int) -> Picture:
        """Draw it as a camera sees it."""
        ...


def virtual_frames(
    cloud: PointCloud, mesh: Mesh | None, up: str, scene: Scene, config: VirtualConfig
) -> Iterator[Frame]:
    """Take frames of a cloud, or of the mesh it comes from, in the coordinates of its file.

    Args:
        cloud: In the frame of own clouds, or as its dataset has it.
        mesh: That it was drawn from, in the coordinates of its file.
        up: The axis of the cloud that points up, where it is in no frame of its own.
        scene: Rooms are seen from inside and above, objects from around them.
        config: How many cameras, and how they look.
    """
    local = Local.of(cloud, up)
    xyz = local.into(cloud.original_xyz()) if cloud.source is None else cloud.xyz.astype(np.float64)
    drawn: Drawn = Splats(xyz, cloud.color) if mesh is None else Faces(local.into(mesh.vertices), mesh)
    intrinsics = _intrinsics(config)
    for number, camera in enumerate(virtual_cameras(xyz, scene, config)):
        picture = drawn.draw(camera, intrinsics, config.size)
        depth = (picture.depth / local.scale).astype(np.float32)
        yield Frame(f"virtual {number}", picture.color, depth, intrinsics, intrinsics, local.pose_in_file(camera.pose))


class Faces:
    """A mesh, whose faces rays are cast against."""

    def __init__(self, vertices: Float64[Array, "p 3"], mesh: Mesh) -> None:
        self.vertices, self.mesh = vertices, mesh
        corners = vertices[mesh.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        self.normals = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
        self.tops = corners[:, :, 1].max(axis=1)
        self._below: dict[float, tuple[Int[Array, " k"], Surface]] = {}  # what lies below each lid

    def draw(self, camera: Camera, intrinsics: Float64[Array, "3 3"], size: int) -> Picture:
        """Cast a ray through each pixel; faces that reach above the lid are left out."""
        color, depth = np.full((size, size, 3), 255, np.uint8), np.zeros((size, size), np.float32)
        rays, eye = pinhole_rays(size, size, intrinsics) @ camera.pose[:3, :3].T, camera.pose[:3, 3]
        if camera.lid not in self._below:
            kept = np.flatnonzero(self.tops <= camera.lid)
            self._below[camera.lid] = kept, Surface(self.vertices, self.mesh.faces[kept])
        kept, surface = self._below[camera.lid]
        hits = surface.cast(eye, rays)
        hit, faces = hits.is_hit, kept[hits.face[hits.is_hit]]
        depth[hit] = hits.distance[hit]
        shade = _shade(self.normals[faces], rays[hit])
        color[hit] = _eight_bits(shade[:, None] * self._colors(faces, eye + hits.distance[hit, None] * rays[hit]))
        return Picture(color, depth)

    def _colors(self, faces: Int[Array, " k"], points: Float64[Array, "k 3"]) -> Float64[Array, "k 3"]:
        """Give the colours between the corners' where rays have met faces."""
        if self.mesh.color is None:
            return np.ones((len(faces), 3))
        first, second, third = self.vertices[self.mesh.faces[faces]].transpose(1, 0, 2)
        normal = np.cross(second - first, third - first)
        whole = np.maximum((normal**2).sum(axis=1), np.finfo(float).tiny)
        beside = [
            (np.cross(end - start, points - start) * normal).sum(axis=1) / whole
            for start, end in ((second, third), (third, first), (first, second))
        ]
        found: Array = np.einsum("ck,kcd->kd", np.clip(beside, 0, 1), self.mesh.color[self.mesh.faces[faces]])
        return found


class Splats:
    """Points, each drawn as a square as wide as the cloud is sparse there."""

    def __init__(self, xyz: Float64[Array, "n 3"], color: Float32[Array, "n 3"] | None) -> None:
        if len(xyz) > SPLATTED:
            some = np.sort(np.random.default_rng(len(xyz)).permutation(len(xyz))[:SPLATTED])
            xyz, color = xyz[some], None if color is None else color[some]
        self.xyz, self.color = xyz, color
        self.spacing = nearest(xyz, xyz, SPACING + 1).distances[:, -1]
        self.normals = estimate_normals(xyz)

    def draw(self, camera: Camera, intrinsics: Float64[Array, "3 3"], size: int) -> Picture:
        """Draw the near points over the far ones."""
        rotation, eye = camera.pose[:3, :3], camera.pose[:3, 3]
        seen = (self.xyz - eye) @ rotation
        before = (seen[:, 2] > self.spacing) & (self.xyz[:, 1] <= camera.lid)
        places = np.full((len(seen), 2), -1)  # row and column
        places[before] = np.rint(seen[before, 1::-1] / seen[before, 2:] * intrinsics[0, 0] + intrinsics[0, 2])
        inside = ((places >= 0) & (places < size)).all(axis=1)
        width = WIDER * intrinsics[0, 0] * self.spacing / np.where(before, seen[:, 2], 1)
        front = _front(places, seen[:, 2], width, np.flatnonzero(inside), size)
        there = front >= 0
        color, depth = np.full((size, size, 3), 255, np.uint8), np.zeros((size, size), np.float32)
        rays = pinhole_rays(size, size, intrinsics)[there]
        depth[there] = self._depth(front[there], seen[front[there]], rays, rotation)
        color[there] = self._colors(front[there], eye)
        return Picture(color, depth)

    def _depth(
        self, which: Int[Array, " k"], seen: Float64[Array, "k 3"], rays: Float64[Array, "k 3"], rotation: Array
    ) -> Float64[Array, " k"]:
        """Find where rays meet the planes of the points they show, about as near to these as their neighbours are."""
        normals = self.normals[which] @ rotation
        slope = (normals * rays).sum(axis=1)
        met = np.divide((normals * seen).sum(axis=1), slope, out=seen[:, 2].copy(), where=np.abs(slope) > FLAT)
        reach = WIDER * self.spacing[which]
        found: Array = np.clip(met, seen[:, 2] - reach, seen[:, 2] + reach)
        return found

    def _colors(self, which: Int[Array, " k"], eye: Float64[Array, "3"]) -> UInt8[Array, "k 3"]:
        if self.color is not None:
            return _eight_bits(self.color[which])
        shade = _shade(self.normals[which], self.xyz[which] - eye)
        return _eight_bits(np.repeat(shade[:, None], 3, axis=1))


def _front(
    places: Int[Array, "n 2"],
    depth: Float64[Array, " n"],
    width: Float64[Array, " n"],
    which: Int[Array, " k"],
    size: int,
) -> Int[Array, "size size"]:
    """Find the point that is seen at each pixel, -1 where there is none.

    Wide squares are drawn into small pictures, a point a pixel there, and these laid over the fine one by depth.
    """
    front, nearest_so_far = np.full((size, size), -1), np.full((size, size), np.inf)
    level = np.ceil(np.log2(np.clip(width[which], 1, 2**LARGEST))).astype(np.int64)
    for step in np.unique(level):
        some, pixels = which[level == step], 2**step
        side = -(-size // pixels)
        far_first = some[np.argsort(-depth[some], kind="stable")]
        small = np.full(side * side, -1)
        small[places[far_first] // pixels @ [side, 1]] = far_first  # of several the last stays
        large = small.reshape(side, side).repeat(pixels, axis=0).repeat(pixels, axis=1)[:size, :size]
        at = np.where(large >= 0, depth[large], np.inf)
        nearer: Bool[Array, "size size"] = at < nearest_so_far
        front[nearer], nearest_so_far[nearer] = large[nearer], at[nearer]
    return front


def _intrinsics(config: VirtualConfig) -> Float64[Array, "3 3"]:
    focal, middle = config.size / 2 / np.tan(np.radians(config.angle) / 2), (config.size - 1) / 2
    return np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1.0]])


def _shade(normals: Float64[Array, "k 3"], rays: Float64[Array, "k 3"]) -> Float64[Array, " k"]:
    """Give the brightness of surfaces that are lit from the camera."""
    towards = np.abs((normals * rays).sum(axis=1)) / np.maximum(np.linalg.norm(rays, axis=1), 1e-12)
    found: Array = DARKEST + HEAD_ON * towards
    return found


def _eight_bits(color: Array) -> UInt8[Array, "k 3"]:
    found: Array = np.clip(np.round(255 * color), 0, 255).astype(np.uint8)
    return found
