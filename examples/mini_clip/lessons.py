"""The pictures the mini CLIP learns from: depth views of training shapes and rooms, with what each pixel shows.

They are drawn faster and more plainly than the views of the toolkit, whose held-out pictures the model is then tested
on: a point's nearness and its part travel through the maximum filter as one number.
"""

from collections.abc import Iterator
from math import ceil, cos, pi, sin
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from words import LEAVES, NAMES

from s4tok.geometry.rays import pinhole_rays
from s4tok.rendering.cameras import look, ten_views
from s4tok.rendering.depth_views import SEGMENTATION
from s4tok.rendering.scene_frames import depth_picture
from s4tok.shapes import Array, Float64, Int, UInt8
from s4tok.synthetic.buildings import make_building_room, photo_tour, whereabouts
from s4tok.synthetic.capture import Eye
from s4tok.synthetic.datasets import INTRINSICS, ToyRooms, ToyScans, ToyShapes
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import camera_path, make_scan_room
from s4tok.synthetic.scenes import Scene

SIZE = 112
NOTHING = 255  # a pixel that shows no part of anything
HALF = (120, 160)  # rows and columns of a room's picture, half of what the toolkit's frames have
FILM = 400  # frames; every 20th shows something else


class Lessons(NamedTuple):
    """Pictures and what they show."""

    images: UInt8[Tensor, "v size size"]  # 255 is background, towards 0 is nearer
    leaves: UInt8[Tensor, "v size size"]  # index into LEAVES, or NOTHING
    names: UInt8[Tensor, " v"]  # index into NAMES, or NOTHING for a view of a room


def lessons(n_shapes: int, n_rooms: int, turned: float, seed: int) -> Iterator[Lessons]:
    """Draw ten views of each shape and the frames of two kinds of rooms, all from training splits.

    A share of the shapes is `turned`: seen from ten directions of its own.
    """
    shapes = ToyShapes("train", sizes=(n_shapes, 0, 0))
    for key in shapes.keys:
        yield of_shape(shapes, key, Draw(seed, "lessons", key), turned)
    scans, rooms = ToyScans("train", sizes=(n_rooms, 0, 0)), ToyRooms("train", sizes=(n_rooms, 0, 0))
    for key in scans.keys:
        scene = make_scan_room(scans.draw(key))
        yield of_room(scene, camera_path(Draw(seed, "lessons", key), scene, FILM)[::20])
    for key in rooms.keys:
        draw = rooms.draw(key)
        whereabouts(draw)
        scene = make_building_room(draw)
        yield of_room(scene, photo_tour(scene, FILM)[::20])


def of_shape(shapes: ToyShapes, key: str, draw: Draw, turned: float) -> Lessons:
    """Draw a shape from the ten directions, or, by a chance, from ten that are turned and tilted at random."""
    cloud = shapes[key]
    assert cloud.labels is not None
    views = ten_views()
    if draw.chance(turned):
        turns = [_turn(draw.between(-pi, pi), draw.between(-0.3, 0.3)) for _ in views]
        views = views @ torch.stack(turns)
    images, leaves = draw_points(torch.from_numpy(cloud.xyz), torch.from_numpy(cloud.labels.astype(np.int64)), views)
    name = torch.full((len(views),), NAMES.index(key.rpartition("-")[2]), dtype=torch.uint8)
    return Lessons(images, leaves, name)


def draw_points(
    points: Tensor, leaves: Int[Tensor, " n"], views: Float64[Tensor, "v 3 3"]
) -> tuple[UInt8[Tensor, "v size size"], UInt8[Tensor, "v size size"]]:
    """Draw points as `depth_views` does, in two dimensions, and say which part each pixel shows."""
    seen = look(points.double(), views)
    low, high = seen.amin(1, keepdim=True), seen.amax(1, keepdim=True)
    unit = 2 * (seen - (low + high) / 2) / (high - low).amax(2, keepdim=True)
    places = torch.ceil((unit[..., :2] * SEGMENTATION.object_ratio + 1) / 2 * SIZE).clamp(0, SIZE - 1).long()
    nearness = ((unit[..., 2] + 1) / 2 + SEGMENTATION.depth_bias) / (1 + SEGMENTATION.depth_bias)
    code = torch.round(nearness * 4096) * 256 + 1 + leaves  # doubles hold it exactly
    grid = torch.zeros(len(views), SIZE * SIZE, dtype=torch.float64)
    grid.scatter_reduce_(1, places[..., 0] * SIZE + places[..., 1], code, "amax")
    wide = functional.max_pool2d(grid.view(-1, 1, SIZE, SIZE), 5, stride=1, padding=2)
    near, which = torch.floor(wide / 256) / 4096, wide % 256
    near = functional.avg_pool2d(near, 3, stride=1, padding=1)
    near = near / near.amax((2, 3), keepdim=True)
    edge = SEGMENTATION.crop // 2
    cut = (1 - near)[..., edge:-edge, edge:-edge]
    images = functional.interpolate(cut, (SIZE, SIZE), mode="bilinear", align_corners=True)
    parts = functional.interpolate(which[..., edge:-edge, edge:-edge], (SIZE, SIZE), mode="nearest")
    parts = torch.where(parts == 0, NOTHING, parts - 1)
    return (images * 255).round().to(torch.uint8)[:, 0], parts.to(torch.uint8)[:, 0]


def of_room(scene: Scene, poses: list[Float64[Array, "4 4"]]) -> Lessons:
    """Look at a room through the square windows of its frames."""
    eye, starts = Eye(scene), np.cumsum([0] + [sum(leaf[0] == name for leaf in LEAVES) for name in NAMES])
    first = np.array([starts[NAMES.index(name)] if name in NAMES else NOTHING for name in scene.names])
    leaf = first[scene.things] + np.maximum(scene.parts, 0)
    leaf = np.append(np.minimum(leaf, NOTHING), NOTHING)  # the last for rays that meet nothing
    scale = np.array([[0.5], [0.5], [1.0]])
    rays = pinhole_rays(*HALF, INTRINSICS * scale)
    images, leaves = [], []
    for pose in poses:
        world = rays @ pose[:3, :3].T
        _, _, depth, face = eye.look(pose[:3, 3], world)
        near = (face >= 0) & (depth < 8.0)
        picture = depth_picture(np.where(near, depth, 0).astype(np.float32))
        known = leaf[np.where(near, face, -1)]
        height, width = HALF
        for left in np.linspace(0, width - height, ceil(width / height)).astype(int):
            images.append(picture[:, left : left + height])
            leaves.append(known[:, left : left + height])
    shown = torch.from_numpy(np.stack(images))[:, None]
    parts = torch.from_numpy(np.stack(leaves))[:, None].float()
    shown = functional.interpolate(shown, (SIZE, SIZE), mode="bilinear", align_corners=False)
    parts = functional.interpolate(parts, (SIZE, SIZE), mode="nearest")
    name = torch.full((len(shown),), NOTHING, dtype=torch.uint8)
    return Lessons((shown * 255).round().to(torch.uint8)[:, 0], parts.to(torch.uint8)[:, 0], name)


def _turn(yaw: float, pitch: float) -> Float64[Tensor, "3 3"]:
    """Turn about the object's +y, then tilt."""
    about_y = [[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]]
    about_x = [[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]]
    return torch.tensor(about_x, dtype=torch.float64) @ torch.tensor(about_y, dtype=torch.float64)
