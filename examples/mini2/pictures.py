"""The pictures mini2 is trained on, as the toolkit draws them: depth and shaded views with what each pixel shows."""

import json
from collections.abc import Callable
from math import ceil, cos, pi, sin
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from captions import Caption, Leaf, caption_of_made, caption_of_model, color_word, leaf_of_room, material_of
from form import SIZE
from scipy.spatial import KDTree
from torch import Tensor
from torch.nn import functional

from s4tok.config import SURFACE_POINTS
from s4tok.datasets.dataset import Mesh
from s4tok.datasets.formats.obj import Surface
from s4tok.datasets.sh3d import SH3D
from s4tok.datasets.sh3d.dataset import PARTS
from s4tok.datasets.sh3d.words import part_told
from s4tok.datasets.surface import sample_surface
from s4tok.geometry.rays import pinhole_rays
from s4tok.rendering.cameras import look, ten_views
from s4tok.rendering.depth_views import depth_views
from s4tok.rendering.mesh_views import mesh_views
from s4tok.rendering.scene_frames import depth_picture
from s4tok.shapes import Array, Float32, Float64, Int, UInt8
from s4tok.synthetic.capture import Eye
from s4tok.synthetic.datasets import INTRINSICS
from s4tok.synthetic.materials import colors_of
from s4tok.synthetic.objects import make_object
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Scene

CELLS = 56  # rows and columns of what is known of a picture
NOTHING = 255  # a cell that shows nothing that has a name
STYLES = ("depth", "color")
HALF = (120, 160)  # rows and columns of a room's picture, half of what the toolkit's frames have
COVERED = 0.995  # of a depth view; its background is 1


class Pictures(NamedTuple):
    """Pictures of one thing or place in both styles."""

    depth: UInt8[Array, "v size size"]
    depth_leaves: UInt8[Array, "v cells cells"]  # index into the caption's leaves, or NOTHING
    color: UInt8[Array, "v size size 3"]
    color_leaves: UInt8[Array, "v cells cells"]
    caption: Caption

    def write(self, file: Path) -> None:
        """Write it so that the file is whole or not there."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part")
        arrays = {name: getattr(self, name) for name in self._fields[:-1]}
        with draft.open("wb") as stream:
            np.savez(stream, caption=np.array(json.dumps(self.caption.facts())), **arrays)
        draft.replace(file)

    @classmethod
    def read(cls, file: Path) -> "Pictures":
        """Read it."""
        with np.load(file, allow_pickle=False) as held:
            caption = Caption.of(json.loads(str(held["caption"])))
            arrays = {name: held[name] for name in cls._fields[:-1]}
            return cls(**arrays, caption=caption)


class Named(SH3D):
    """The furniture libraries, each model's surfaces labelled with its class's parts, its materials noted."""

    def part_of(self, key: str) -> Callable[[Surface], int]:
        """Label surfaces: 0, or from 1 on the parts; `materials` are those of the model last read."""
        number = self.category(key)
        parts = PARTS.get(self.categories[number], ()) if number is not None else ()
        self.materials: dict[str, None] = {}

        def label(surface: Surface) -> int:
            if material := material_of(surface):
                self.materials[material] = None
            told = part_told(surface, parts)
            return 0 if told is None else 1 + told

        return label


def of_model(models: Named, key: str, n_views: int, draw: Draw, grey: float) -> Pictures:
    """Draw a model; its colours are left away in the shaded pictures by the chance `grey`."""
    mesh = models.mesh(key)
    number = models.category(key)
    parts = tuple(part.name for part in PARTS.get(models.categories[number], ())) if number is not None else ()
    cloud = sample_surface(mesh, key, models.path(key))
    color = color_word(cloud.color) if cloud.color is not None else ""
    caption = caption_of_model(key, parts, color, tuple(models.materials))
    assert cloud.labels is not None
    if draw.chance(grey):
        mesh, caption = Mesh(mesh.vertices, mesh.faces), _without_color(caption, color)
    return _drawn(mesh, cloud.original_xyz(), cloud.labels, caption, _views(n_views, draw))


def of_shape(category: str, n_views: int, draw: Draw) -> Pictures:
    """Draw a made shape, grey or in the colours of its materials."""
    thing = make_object(category, draw)
    has_color = draw.chance(0.5)
    corners = thing.vertices[thing.faces].reshape(-1, 3)
    colors = colors_of(thing, draw).repeat(3, axis=0).astype(np.float32)
    faces = np.arange(len(corners)).reshape(-1, 3)
    mesh = Mesh(corners, faces, colors if has_color else None, thing.parts + 1)
    cloud = sample_surface(mesh, category, Path(category), SURFACE_POINTS)
    assert cloud.labels is not None
    word = color_word(cloud.color) if cloud.color is not None else ""
    return _drawn(mesh, cloud.original_xyz(), cloud.labels, caption_of_made(category, word), _views(n_views, draw))


def of_room(scene: Scene, poses: list[Float64[Array, "4 4"]], draw: Draw) -> Pictures:
    """Look at a room through the square windows of its frames."""
    leaves, of_face = _leaves_of(scene)
    eye, rays = Eye(scene), pinhole_rays(*HALF, INTRINSICS * np.array([[0.5], [0.5], [1.0]]))
    depths, colors, known = [], [], []
    for pose in poses:
        glance = eye.look(pose[:3, 3], rays @ pose[:3, :3].T)
        near = (glance.face >= 0) & (glance.distance < 8.0)
        depth = depth_picture(np.where(near, glance.distance, 0).astype(np.float32))
        color, leaf = eye.colors(glance, draw), of_face[np.where(near, glance.face, -1)]
        height, width = HALF
        for left in np.linspace(0, width - height, ceil(width / height)).astype(int):
            depths.append(depth[:, left : left + height])
            colors.append(color[:, left : left + height])
            known.append(leaf[:, left : left + height])
    shown = torch.from_numpy(np.stack(depths))[:, None]
    lit = torch.from_numpy(np.stack(colors)).permute(0, 3, 1, 2).float() / 255
    cells = functional.interpolate(torch.from_numpy(np.stack(known))[:, None].float(), (CELLS, CELLS), mode="nearest")
    found = cells[:, 0].to(torch.uint8).numpy()
    return Pictures(_small(shown)[:, 0], found, _small(lit).transpose(0, 2, 3, 1), found, Caption(leaves=leaves))


def _leaves_of(scene: Scene) -> tuple[tuple[Leaf, ...], Int[Array, " f"]]:
    """List what a room has, and say which of it each face is; the last is for rays that meet nothing."""
    pairs, of_face = np.unique(np.stack([scene.things, scene.parts], axis=1), axis=0, return_inverse=True)
    leaves, place = dict[Leaf, int](), []
    sources = scene.sources or ("",) * len(scene.names)
    for thing, part in pairs.tolist():
        leaf = leaf_of_room(scene.names[thing], part, sources[thing])
        full = leaf is None or (leaf not in leaves and len(leaves) == NOTHING)
        place.append(NOTHING if leaf is None or full else leaves.setdefault(leaf, len(leaves)))
    return tuple(leaves), np.append(np.array(place)[of_face.reshape(-1)], NOTHING)


def _small(images: Float32[Tensor, "v c h w"]) -> UInt8[Array, "v c size size"]:
    resized = functional.interpolate(images.float(), (SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True)
    small: Array = (resized.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return small


def _views(count: int, draw: Draw) -> Float64[Tensor, "v 3 3"]:
    """Give the toolkit's ten views, and after them others, turned about the up axis and tilted."""
    ten = ten_views()
    turned = [ten[number % 8] @ _turn(draw.between(-pi, pi), draw.between(-0.35, 0.35)) for number in range(count - 10)]
    return torch.stack([*ten, *turned])[:count]


def _turn(yaw: float, pitch: float) -> Float64[Tensor, "3 3"]:
    """Turn about +y, then tilt."""
    about_y = [[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]]
    about_x = [[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]]
    return torch.tensor(about_x, dtype=torch.float64) @ torch.tensor(about_y, dtype=torch.float64)


def _drawn(
    mesh: Mesh,
    points: Float64[Array, "n 3"],
    labels: Int[Array, " n"],
    caption: Caption,
    views: Float64[Tensor, "v 3 3"],
) -> Pictures:
    """Draw a thing from its points and from its mesh, and say what each cell shows."""
    xyz = torch.from_numpy(points - points.mean(axis=0)).float()
    depth = depth_views(xyz, views, size=SIZE)
    shaded = mesh_views(mesh, views.numpy(), size=SIZE)
    step = SIZE // CELLS
    middle = np.stack(np.meshgrid(*2 * [np.arange(0, SIZE, step)], indexing="ij"), axis=-1).reshape(-1, 2)
    nearness = look(xyz, views)[..., 2]
    of_depth, of_color = np.full((2, len(views), CELLS * CELLS), NOTHING, np.uint8)
    surface, tree = shaded.surface[:, ::step, ::step].reshape(len(views), -1, 3), KDTree(points)
    for view in range(len(views)):
        covered = (depth.images[view, ::step, ::step] < COVERED).flatten().numpy()
        seen = depth.visible[view].nonzero()[:, 0]
        seen = seen[nearness[view, seen].argsort(descending=True)]
        nearest = KDTree(depth.pixels[view, seen].numpy()).query(middle[covered])[1]
        of_depth[view, covered] = labels[seen.numpy()][nearest]
        drawn = ~np.isnan(surface[view, :, 0])
        of_color[view, drawn] = labels[tree.query(surface[view, drawn])[1]]
    flat = (depth.images * 255).round().to(torch.uint8).numpy()
    shape = (len(views), CELLS, CELLS)
    return Pictures(flat, of_depth.reshape(shape), shaded.color, of_color.reshape(shape), caption)


def _without_color(caption: Caption, color: str) -> Caption:
    described = tuple(phrase for phrase in caption.described if not color or not phrase.startswith(f"{color} "))
    return Caption(caption.names, described, caption.general, caption.leaves, caption.kind)
