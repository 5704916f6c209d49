"""S3DIS: 272 rooms of six areas in 13 classes, from the released text or from the two common .npy layouts.

Coordinates are those of the building, z up, in metres; the .npy layouts moved each room to the origin or turned it, and
are read as they are. A room of the release is its `Annotations/*.txt` one after another, sorted by name: the room's own
text file holds the same points without their classes, and is read where there are no annotations.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.datasets.dataset import Origin
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.npy import read_npy
from s4tok.datasets.npy_scenes import read_scene_folder, whole_labels
from s4tok.datasets.reader import FileDataset, Finding, FolderLayout
from s4tok.datasets.s3dis_text import mended, read_points
from s4tok.errors import InputError

CLASSES = (
    "ceiling", "floor", "wall", "beam", "column", "window", "door", "table", "chair", "sofa", "bookcase", "board",
    "clutter",
)  # fmt: skip
CLUTTER = CLASSES.index("clutter")
AREAS = tuple(range(1, 7))
TEST_AREA = 5
ANNOTATIONS = "annotations"
RELEASES = ("", "Stanford3dDataset_v1.2_Aligned_Version", "Stanford3dDataset_v1.2", "stanford_indoor3d", "raw")


def class_of(annotation: str) -> int:
    """Give the class in an annotation's name, `chair_3` or `Chair_3`; `stairs` and the unheard of are clutter."""
    name = annotation.split("_")[0].lower()
    return CLASSES.index(name) if name in CLASSES else CLUTTER


class S3DIS(FileDataset):
    """Rooms; keys are `Area_5/office_1`. The split `test` is Area 5, `train` the other five."""

    scene: Scene = "room"
    up: Literal["x", "y", "z"] = "z"
    classes = CLASSES
    splits: ClassVar[tuple[str, ...]] = ("test", "train", *(f"area-{area}" for area in AREAS))
    official: ClassVar[Mapping[str, int]] = {"train": 204, "test": 68}

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Find areas with rooms in them, as text, as a table a room, or as a folder of arrays a room."""
        for release in RELEASES:
            root = folder / release
            for area in AREAS:
                if any(root.glob(f"Area_{area}_*.npy")):
                    return FolderLayout("tables", root)
                for room in root.glob(f"Area_{area}/*"):
                    if _holds_arrays(room):
                        return FolderLayout("arrays", root)
                    if _files(room) is not None:
                        return FolderLayout("text", root)
        for release in RELEASES:
            if any((folder / release).glob("Area_[1-6]/*.pth")):
                return FolderLayout("pickled", folder / release)
        return None

    def listed(self, split: str) -> dict[str, str]:
        """List the rooms of a split, from the names of files and folders."""
        if self.layout.name == "pickled":
            raise InputError(
                f"{self.layout.root} holds rooms as .pth files, which are pickles and can run code: they are not read.",
                "use the released text, or arrays a room (coord.npy, color.npy, segment.npy).",
            )
        found = {}
        for area in AREAS:
            if not _in_split(area, split):
                continue
            if self.layout.name == "tables":
                for table in self.layout.root.glob(f"Area_{area}_*.npy"):
                    found[f"Area_{area}/{table.stem.removeprefix(f'Area_{area}_')}"] = table.name
                continue
            for room in self.layout.root.glob(f"Area_{area}/*"):
                if _holds_arrays(room) if self.layout.name == "arrays" else _files(room) is not None:
                    found[f"Area_{area}/{room.name}"] = f"Area_{area}/{room.name}"
        return found

    def __getitem__(self, key: str) -> PointCloud:
        """Read one room."""
        path = self.path(key)
        if self.layout.name == "tables":
            return _from_table(path, key)
        if self.layout.name == "arrays":
            return read_scene_folder(path, ("segment",), len(CLASSES), key)
        return _from_text(path, key)

    def origin(self, key: str) -> Origin:
        """Give the room's files: their sizes together, the youngest of their times."""
        if self.layout.name == "tables":
            return super().origin(key)
        states = [file.stat() for file in self._files_of(key)]
        youngest = max((state.st_mtime_ns for state in states), default=0)
        return Origin(self.files[key], sum(state.st_size for state in states), youngest)

    def oddities(self) -> Iterator[Finding]:
        """Name every line that was mended, and every annotation whose class is none of the 13."""
        if self.layout.name != "text":
            return
        for file in (file for key in self.keys for file in self._files_of(key)):
            if file.parent.name.lower() == ANNOTATIONS and file.stem.split("_")[0].lower() not in CLASSES:
                yield Finding("note", str(file), None, "is of none of the 13 classes and is read as clutter.")
            try:
                _, repairs = mended(file)
            except DamagedFile:
                continue  # told where the room is read
            for repair in repairs:
                yield Finding("note", str(file), repair.line, f"is read as {repair.read!r}, not as {repair.found!r}.")

    def _files_of(self, key: str) -> list[Path]:
        path = self.path(key)
        return sorted(path.glob("*.npy")) if self.layout.name == "arrays" else _files(path) or []


def _in_split(area: int, split: str) -> bool:
    if split in ("test", "train"):
        return (area == TEST_AREA) == (split == "test")
    return split == f"area-{area}"


def _holds_arrays(room: Path) -> bool:
    return (room / "coord.npy").is_file()


def _files(room: Path) -> list[Path] | None:
    """List what a room is read from: its annotations sorted by name, or its own text; None where it has neither."""
    if not room.is_dir():
        return None
    named = sorted(room.iterdir())
    for folder in named:
        if folder.name.lower() == ANNOTATIONS and folder.is_dir():
            return sorted(file for file in folder.glob("*.txt") if not file.name.startswith("."))
    # Area_6/copyRoom_1 holds copy_Room_1.txt in some releases.
    plain = room.name.replace("_", "").lower()
    return [
        file for file in named if file.suffix.lower() == ".txt" and file.stem.replace("_", "").lower() == plain
    ] or None


def _from_text(room: Path, key: str) -> PointCloud:
    files = _files(room)
    if not files:
        raise DamagedFile(room, "has no annotations, and no text file of its own", "unpack or download it again.")
    points = [read_points(file) for file in files]
    rows = np.concatenate(points)
    labels = None
    if files[0].parent != room:
        labels = np.array([class_of(file.stem) for file in files]).repeat([len(part) for part in points])
    return Contents(rows[:, :3], color=rows[:, 3:] / 255, labels=labels).cloud(room, key)


def _from_table(path: Path, key: str) -> PointCloud:
    """Read x y z r g b label, one row a point: `stanford_indoor3d`."""
    rows = read_npy(path)
    if rows.ndim != 2 or rows.shape[1] != 7:
        raise DamagedFile(path, f"has shape {rows.shape}, and x y z r g b label are 7 columns")
    labels = whole_labels(rows[:, 6], len(CLASSES), path)
    return Contents(rows[:, :3], color=rows[:, 3:6] / 255, labels=labels).cloud(path, key)
