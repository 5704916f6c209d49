"""SUN RGB-D: 10,335 RGB-D images of rooms, 5,285 to train on and 5,050 to test on, with turned boxes of ten classes.

Read as VoteNet prepares it, `sunrgbd_trainval` with every measured point or `sunrgbd_pc_bbox_votes_50k_v1_train` with
50,000 of an image, or as it is released, without MATLAB. Boxes were drawn twice: version 1 is what VoteNet, 3DETR and
GroupFree3D train and test on, version 2 is cleaner; each is a dataset of its own, so that results name it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.mat import read_mat
from s4tok.datasets.formats.npy import Npz
from s4tok.datasets.formats.text import read_lines
from s4tok.datasets.reader import FileDataset, FolderLayout
from s4tok.datasets.sunrgbd_labels import CLASSES, boxes_of, read_array, read_label
from s4tok.datasets.sunrgbd_metadata import Image, read_image, read_metadata
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Real

LAST_OF_VAL = 5050  # images 1 to this one are tested on, the others trained on
TRAINVAL = "sunrgbd_trainval"
COLUMNS = 6  # x y z, and r g b in 0 .. 1


class SunRgbdV1(FileDataset):
    """Version 1 of the boxes. Keys are the images' numbers in six digits; x right, y ahead, z up, metres."""

    scene: Scene = "room"
    up: Literal["x", "y", "z"] = "z"
    box_classes = CLASSES
    splits: ClassVar[tuple[str, ...]] = ("val", "train")
    official: ClassVar[Mapping[str, int]] = {"train": 5285, "val": 5050}
    version = "v1"
    labels = "label_v1"  # the folder of its label lines
    metadata: ClassVar[tuple[str, ...]] = (
        "SUNRGBDMeta.mat",
        "Metadata/SUNRGBDMeta.mat",
        "SUNRGBDtoolbox/Metadata/SUNRGBDMeta.mat",
    )

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Find every point of the images, then 50,000 of each, then the release."""
        parent = folder.absolute().parent if folder.name.startswith("sunrgbd_") else folder
        if (parent / TRAINVAL / cls.labels).is_dir():
            return FolderLayout("trainval", parent / TRAINVAL)
        if any((parent / cls._prepared(split)).is_dir() for split in cls.splits):
            return FolderLayout("prepared", parent)
        if any((folder / place).is_file() for place in cls.metadata):
            return FolderLayout("released", folder)
        return None

    def listed(self, split: str) -> dict[str, str]:
        """List the images of a split: by VoteNet's lists, or by their numbers."""
        root = self.layout.root
        if self.layout.name == "prepared":
            folder = self._prepared(split)
            return {path.name[:6]: f"{folder}/{path.name}" for path in (root / folder).glob("[0-9]*_pc.npz")}
        if self.layout.name == "released":
            named = {f"{number:06d}": image.depth for number, image in enumerate(self._images(), start=1)}
            return {key: file for key, file in named.items() if _split_of(key) == split}
        lists = {each: root / f"{each}_data_idx.txt" for each in self.splits}
        if any(path.is_file() for path in lists.values()):
            keys = _numbers(lists[split]) if lists[split].is_file() else []
        else:
            there = (path.stem for path in (root / "depth").glob("[0-9]*.mat"))
            keys = [key for key in there if _split_of(key) == split]
        return {key: f"depth/{key}.mat" for key in keys}

    def __getitem__(self, key: str) -> PointCloud:
        """Read the points and boxes of an image."""
        path = self.path(key)
        if self.layout.name == "released":
            image = self._images()[int(key) - 1]
            contents, boxes = read_image(self.layout.root, image, key), boxes_of(image.things)
        elif self.layout.name == "prepared":
            contents, boxes = _contents(_array(path), path), read_array(path.with_name(f"{key}_bbox.npy"))
        else:
            contents, boxes = _contents(_variable(path), path), self._labelled(key)
        cloud = contents.cloud(path, key)
        return replace(cloud, boxes=boxes.moved(-cloud.offset))

    def _labelled(self, key: str) -> OrientedBoxes:
        return boxes_of(read_label(self.layout.root / self.labels / f"{key}.txt"))

    def _images(self) -> list[Image]:
        path = next(place for name in self.metadata if (place := self.layout.root / name).is_file())
        return read_metadata(path, path.stat().st_mtime_ns)

    @classmethod
    def _prepared(cls, split: str) -> str:
        return f"sunrgbd_pc_bbox_votes_50k_{cls.version}_{split}"


class SunRgbdV2(SunRgbdV1):
    """Version 2 of the boxes."""

    version = "v2"
    labels = "label"
    metadata: ClassVar[tuple[str, ...]] = ("SUNRGBDMeta3DBB_v2.mat",)


def _split_of(key: str) -> str:
    return "val" if int(key) <= LAST_OF_VAL else "train"


def _numbers(path: Path) -> Iterator[str]:
    for number, line in enumerate(read_lines(path), start=1):
        word = line.strip()
        if word and not (word.isdecimal() and len(word) <= 6):
            raise DamagedFile(path, f"is a list of images' numbers, and this is {word[:20]!r}", line=number)
        if word:
            yield f"{int(word):06d}"


def _array(path: Path) -> Array:
    arrays = Npz(path)
    if "pc" not in arrays:
        raise DamagedFile(path, "has no array 'pc'")
    return arrays["pc"]


def _variable(path: Path) -> Array:
    found = read_mat(path).get("instance")
    if not isinstance(found, np.ndarray):
        raise DamagedFile(path, "has no variable 'instance'")
    return found


def _contents(rows: Real[Array, "..."], path: Path) -> Contents:
    if rows.ndim != 2 or rows.shape[1] != COLUMNS or rows.dtype.kind not in "fiu":
        raise DamagedFile(path, f"must have {COLUMNS} numbers a point, and is {rows.dtype} {rows.shape}")
    return Contents(rows[:, :3], color=rows[:, 3:])
