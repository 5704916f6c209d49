"""Images of toy scans as VoteNet prepares SUN RGB-D: every measured point with labels of both versions, and 50,000."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from s4tok.datasets.dataset import Frame
from s4tok.datasets.frame_clouds import color_at_depth
from s4tok.datasets.sunrgbd_labels import CLASSES
from s4tok.dependencies import load
from s4tok.geometry.box_frames import box_corners
from s4tok.geometry.boxes import points_inside
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float64
from s4tok.synthetic.datasets import FEWEST_POINTS, ToyScans
from s4tok.synthetic.layouts.table import Sizes

NAMED = {"cabinet": "dresser"}  # as SUN RGB-D calls it; what it has no name for keeps its own
FIRST = {"train": 5051, "val": 1, "test": 2526}  # numbers of images; those to test on are SUN RGB-D's val
PREPARED = 50_000  # points of an image
TO_UPRIGHT = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # of a camera's right, down, ahead


class Shot(NamedTuple):
    """One image of a room, in the frame of SUN RGB-D."""

    points: Float64[Array, "n 6"]  # x right, y ahead, z up, the camera at the origin, and colours in 0 .. 1
    tilt: Float64[Array, "3 3"]
    intrinsics: Float64[Array, "3 3"]
    boxes: OrientedBoxes  # of what is seen
    boxes_2d: Float64[Array, "o 4"]  # left, top, width, height


def sunrgbd(out: Path, sizes: Sizes, seed: int) -> Iterator[str]:
    """Write one image of each toy scan."""
    image, savemat = load("PIL.Image"), load("scipy.io").savemat
    place = out / "sunrgbd_trainval"
    for name in ("image", "depth", "calib", "label", "label_v1"):
        (place / name).mkdir(parents=True)
    lists: dict[str, list[int]] = {"train": [], "val": []}
    for split in ToyScans.splits:
        dataset = ToyScans(split, sizes=sizes, seed=seed)
        for number, key in enumerate(dataset.keys, start=FIRST[split]):
            frame = dataset.frame(key, str(dataset.n_frames // 2))
            boxes = dataset[key].original_boxes()
            assert boxes is not None
            shot, name = shoot(frame, boxes), f"{number:06d}"
            image.fromarray(frame.color).save(place / "image" / f"{name}.jpg", quality=95)
            savemat(place / "depth" / f"{name}.mat", {"instance": shot.points.astype(np.float32)}, do_compression=True)
            rows = (" ".join(f"{value:.5g}" for value in matrix.T.ravel()) for matrix in (shot.tilt, shot.intrinsics))
            (place / "calib" / f"{name}.txt").write_text("\n".join(rows) + "\n")  # both column by column
            for folder in ("label", "label_v1"):
                (place / folder / f"{name}.txt").write_text("".join(_lines(shot, dataset.box_classes)))
            part = "train" if split == "train" else "val"
            lists[part].append(number)
            for version in ("v1", "v2"):
                prepared = out / f"sunrgbd_pc_bbox_votes_50k_{version}_{part}"
                _write_prepared(prepared, name, shot, dataset.box_classes, seed)
            yield key
    for part, numbers in lists.items():
        (place / f"{part}_data_idx.txt").write_text("".join(f"{number}\n" for number in numbers))


def shoot(frame: Frame, boxes: OrientedBoxes) -> Shot:
    """Bring a frame and the boxes of its scene into SUN RGB-D's frame, and keep the boxes that were seen."""
    pose, depth = frame.camera_to_world, frame.depth.astype(np.float64)
    heading = np.arctan2(pose[1, 2], pose[0, 2]) - np.pi / 2  # by which the camera is turned from looking along y
    cosine, sine = np.cos(heading), np.sin(heading)
    level = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    tilt: Array = level @ pose[:3, :3] @ TO_UPRIGHT.T
    down, right = np.indices(depth.shape)
    x = (right - frame.depth_intrinsics[0, 2]) * depth / frame.depth_intrinsics[0, 0]
    y = (down - frame.depth_intrinsics[1, 2]) * depth / frame.depth_intrinsics[1, 1]
    seen = np.stack([x, depth, -y], axis=-1)[depth > 0] @ tilt.T
    points = np.column_stack([seen, color_at_depth(frame)[depth > 0] / 255])
    there = OrientedBoxes.of(boxes.labels, (boxes.centers - pose[:3, 3]) @ level.T, boxes.sizes, boxes.yaws - heading)
    inside = points_inside(torch.from_numpy(there.rows()), torch.from_numpy(points[:, :3])).sum(1).numpy()
    there = there.take(inside >= FEWEST_POINTS)
    spans = [_span(corners @ tilt, frame) for corners in box_corners(there)]
    return Shot(points, tilt, frame.depth_intrinsics, there, np.array(spans).reshape(-1, 4))


def _span(corners: Float64[Array, "8 3"], frame: Frame) -> Float64[Array, "4"]:
    """Give the part of the image that corners span, which are right, ahead and above of the camera."""
    right, ahead, above = corners.T
    ahead = np.maximum(ahead, 0.01)
    pixels = np.stack([right / ahead, -above / ahead, np.ones(8)], axis=1) @ frame.depth_intrinsics.T
    height, width = frame.depth.shape
    low, high = (np.clip(edge, 0, (width, height)) for edge in (pixels[:, :2].min(axis=0), pixels[:, :2].max(axis=0)))
    return np.concatenate([low, high - low])


def _lines(shot: Shot, names: Sequence[str]) -> Iterator[str]:
    for box in range(len(shot.boxes)):
        name = names[int(shot.boxes.labels[box])]
        wide, deep, tall = shot.boxes.sizes[box] / 2
        yaw = shot.boxes.yaws[box]
        numbers = [*shot.boxes_2d[box], *shot.boxes.centers[box], deep, wide, tall, np.cos(yaw), np.sin(yaw)]
        yield " ".join([NAMED.get(name, name).replace(" ", "_"), *(f"{number:f}" for number in numbers)]) + "\n"


def _write_prepared(folder: Path, name: str, shot: Shot, names: Sequence[str], seed: int) -> None:
    folder.mkdir(exist_ok=True)
    draw = np.random.default_rng(seed_of(seed, "sunrgbd", name))
    which = draw.choice(len(shot.points), PREPARED, replace=len(shot.points) < PREPARED)
    np.savez_compressed(folder / f"{name}_pc.npz", pc=shot.points[which].astype(np.float32))
    called = [NAMED.get(name, name) for name in (names[int(label)] for label in shot.boxes.labels)]
    known = shot.boxes.take(np.array([each in CLASSES for each in called], dtype=bool))
    labels = [CLASSES.index(each) for each in called if each in CLASSES]
    rows = np.column_stack([known.centers, known.sizes / 2, -known.yaws, labels])
    np.save(folder / f"{name}_bbox.npy", rows)
