"""ScanObjectNN: objects cut out of scans, 15 categories, 2,048 points each, in the paper's three variants."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.datasets import batches
from s4tok.datasets.dataset import Origin
from s4tok.datasets.folders import candidates, child
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.reader import FileDataset, FolderLayout

FILES = {"train": "training", "test": "test"}  # how the release calls the splits
BACKGROUND = -1


class ScanObjectNN(FileDataset):
    """PB-T50-RS: each object moved, turned and scaled five times; the hardest variant, and the usual one.

    Labels tell the object, 0, from what stood around it, -1.
    """

    splits = ("train", "test")
    official: ClassVar[Mapping[str, int]] = {"train": 11416, "test": 2882}
    scene = "object"
    up = "y"
    categories = (
        "bag", "bin", "box", "cabinet", "chair", "desk", "display", "door", "shelf", "table", "bed", "pillow", "sink",
        "sofa", "toilet",
    )  # fmt: skip
    classes = ("object",)
    folder = "main_split"
    suffix = "_augmentedrot_scale75"

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        self.category_of: dict[str, int] = {}
        self.rows: dict[str, int] = {}
        super().__init__(name, layout, split)

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Look for this variant's files in its folder."""
        for root in candidates(folder, "h5_files", cls.folder):
            if root.name.lower() == cls.folder and any(child(root, cls._file(split)) for split in cls.splits):
                return FolderLayout("hdf5", root)
        return None

    @classmethod
    def _file(cls, split: str) -> str:
        return f"{FILES[split]}_objectdataset{cls.suffix}.h5"

    def listed(self, split: str) -> dict[str, str]:
        """Count the rows of the split's file."""
        path = child(self.layout.root, self._file(split))
        if path is None:
            raise DamagedFile(self.layout.root / self._file(split), "is not there", "get h5_files.zip again.")
        self.rows[path.name] = batches.count_rows(path, "data", "label")
        keys = batches.row_keys(Path(split), self.rows[path.name])
        self.category_of |= zip(keys, batches.read_ids(path, "label", len(self.categories)).tolist(), strict=True)
        return dict.fromkeys(keys, path.name)

    def __getitem__(self, key: str) -> PointCloud:
        """Read a cloud and its mask."""
        path = self.path(key)
        points, mask = batches.read_rows(path, batches.row_of(key), "data", "mask")
        if mask.shape != points.shape[:1]:
            raise DamagedFile(path, f"mask must be one number a point, and is {mask.shape} for {points.shape}")
        labels = np.where(mask == BACKGROUND, -1, 0)
        return Contents(points, labels=labels).cloud(path, key)

    def category(self, key: str) -> int | None:
        """Give what the file says of the row."""
        return self.category_of[key]

    def origin(self, key: str) -> Origin:
        """Say which file and which row."""
        return batches.share(super().origin(key), key, self.rows[self.files[key]])


class ObjBg(ScanObjectNN):
    """OBJ-BG: each object once, with what stood around it."""

    official: ClassVar[Mapping[str, int]] = {"train": 2309, "test": 581}
    suffix = ""


class ObjOnly(ObjBg):
    """OBJ-ONLY: each object once, cut out."""

    folder = "main_split_nobg"
