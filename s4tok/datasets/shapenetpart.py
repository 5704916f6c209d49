"""ShapeNetPart: 16,881 objects of 16 categories, their points labelled with 50 parts, as texts or as HDF5."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, combinations, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from s4tok.clouds import PointCloud
from s4tok.datasets import batches
from s4tok.datasets.dataset import Origin
from s4tok.datasets.folders import candidates, child, index_of
from s4tok.datasets.formats.contents import Contents, whole_numbers
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes, read_table
from s4tok.datasets.reader import FileDataset, Finding, FolderLayout
from s4tok.shapes import Array, Int

TXT_FOLDER = "shapenetcore_partanno_segmentation_benchmark_v0_normal"
LISTS = "train_test_split"

# The release numbers the parts and does not name them; these are the names that prompts use (PointCLIP V2 and others).
CATEGORIES = {
    "02691156": ("airplane", ("body", "wing", "tail", "engine")),
    "02773838": ("bag", ("handle", "body")),
    "02954340": ("cap", ("crown", "visor")),
    "02958343": ("car", ("roof", "hood", "wheel", "body")),
    "03001627": ("chair", ("back", "seat", "leg", "armrest")),
    "03261776": ("earphone", ("earcup", "headband", "wire")),
    "03467517": ("guitar", ("head", "neck", "body")),
    "03624134": ("knife", ("blade", "handle")),
    "03636649": ("lamp", ("support", "lampshade", "canopy", "tube")),
    "03642806": ("laptop", ("keyboard", "screen")),
    "03790512": ("motorbike", ("gas tank", "seat", "wheel", "handlebar", "light", "frame")),
    "03797390": ("mug", ("handle", "cup")),
    "03948459": ("pistol", ("barrel", "handle", "trigger")),
    "04099429": ("rocket", ("body", "fin", "nose cone")),
    "04225987": ("skateboard", ("wheel", "deck", "truck")),
    "04379243": ("table", ("top", "leg", "drawer")),
}
INDEX = index_of(CATEGORIES)
STARTS = [0, *accumulate(len(parts) for _, parts in CATEGORIES.values())]


class ShapeNetPart(FileDataset):
    """Objects by synset and model in the texts, by file and row in the HDF5; +Y up, as large as they come."""

    splits = ("train", "val", "test")
    official: ClassVar[Mapping[str, int]] = {"train": 12137, "val": 1870, "test": 2874}
    scene = "object"
    up = "y"
    categories = tuple(name for name, _ in CATEGORIES.values())
    classes = tuple(part for _, parts in CATEGORIES.values() for part in parts)
    parts = MappingProxyType({name: range(*ids) for name, ids in zip(categories, pairwise(STARTS), strict=True)})

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        self.category_of: dict[str, int] = {}
        self.rows: dict[str, int] = {}
        super().__init__(name, layout, split)

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Look for the split lists of the texts, or for ply_data_*.h5 beside a val part, which ModelNet40 has not."""
        for root in candidates(folder, TXT_FOLDER):
            if child(root, LISTS) is not None and any(child(root, synset) for synset in CATEGORIES):
                return FolderLayout("txt", root)
        for root in candidates(folder, "shapenet_part_seg_hdf5_data", "hdf5_data"):
            if any(root.glob("ply_data_val*.h5")):
                return FolderLayout("hdf5", root)
        return None

    def listed(self, split: str) -> dict[str, str]:
        """Read the split's JSON list, or count the rows of its HDF5 files."""
        return self._listed_txt(split) if self.layout.name == "txt" else self._listed_hdf5(split)

    def __getitem__(self, key: str) -> PointCloud:
        """Read a cloud with its parts as labels; the texts have normals too."""
        path = self.path(key)
        if self.layout.name == "hdf5":
            points, pid = batches.read_rows(path, batches.row_of(key), "data", "pid")
            if pid.shape != points.shape[:1]:
                raise DamagedFile(path, f"pid must be one part a point, and is {pid.shape} for {points.shape}")
            labels = whole_numbers(pid, path, "parts")
            self._check_parts(key, labels, path)
            return Contents(points, labels=labels).cloud(path, key)
        table = read_table(path, columns=7).finite(path)
        labels = whole_numbers(table.rows[:, 6], path, "parts", table.lines)
        self._check_parts(key, labels, path, table.lines)
        return Contents(table.rows[:, :3], normals=table.rows[:, 3:6], labels=labels).cloud(path, key)

    def category(self, key: str) -> int | None:
        """Tell the category from the synset, or from what the HDF5 file says of the row."""
        return self.category_of[key]

    def origin(self, key: str) -> Origin:
        """Say which file, and in an HDF5 which row."""
        origin = super().origin(key)
        return batches.share(origin, key, self.rows[self.files[key]]) if self.layout.name == "hdf5" else origin

    def oddities(self) -> Iterator[Finding]:
        """Say how many models two official splits share; a clean comparison has to know."""
        if self.layout.name == "hdf5":
            return
        members = {split: set(self._listed_txt(split)) for split in self.splits}
        for first, second in combinations(self.splits, 2):
            both = len(members[first] & members[second])
            if both:
                yield Finding(
                    "note", str(self.layout.root), None, f"{both} of the models in {first} are in {second} too."
                )

    def _listed_txt(self, split: str) -> dict[str, str]:
        name = f"shuffled_{split}_file_list.json"
        lists = child(self.layout.root, LISTS) or self.layout.root / LISTS
        path = child(lists, name)
        if path is None:
            raise DamagedFile(
                lists / name, "the list of this split is not there", "it is part of the .zip of the texts."
            )
        try:
            entries = json.loads(read_bytes(path))
            names = ["/".join(entry.split("/")[1:]) for entry in entries]
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise DamagedFile(path, f"is no JSON list of names: {error}", "get the file again.") from error
        for key in names:
            synset = key.partition("/")[0]
            if synset not in INDEX:
                raise DamagedFile(path, f"lists {key!r}, whose synset is none of the 16")
            self.category_of[key] = INDEX[synset]
        return {key: f"{key}.txt" for key in names}

    def _listed_hdf5(self, split: str) -> dict[str, str]:
        files: dict[str, str] = {}
        paths = sorted(self.layout.root.glob(f"ply_data_{split}*.h5"))
        if not paths:
            raise DamagedFile(self.layout.root / f"ply_data_{split}0.h5", "is not there", "get the .zip again.")
        for path in paths:
            self.rows[path.name] = batches.count_rows(path, "data", "label", "pid")
            keys = batches.row_keys(path, self.rows[path.name])
            files |= dict.fromkeys(keys, path.name)
            self.category_of |= zip(keys, batches.read_ids(path, "label", len(CATEGORIES)).tolist(), strict=True)
        return files

    def _check_parts(self, key: str, labels: Int[Array, " n"], path: Path, lines: Sequence[int] | None = None) -> None:
        category = self.category_of[key]
        first, last = STARTS[category], STARTS[category + 1] - 1
        wrong = (labels < first) | (labels > last)
        if wrong.any():
            row = int(wrong.argmax())
            sentence = f"part {labels[row]} is none of {self.categories[category]}, whose parts are {first} to {last}"
            raise DamagedFile(path, sentence, line=lines[row] if lines else None)
