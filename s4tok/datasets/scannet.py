"""ScanNet v2: 1,201 / 312 / 100 scans of rooms, in 20 classes, with the RGB-D frames they were made from.

Points are the vertices of `<scan>_vh_clean_2.ply`, z up, in metres, not turned by the scan's
axisAlignment, which would part them from the frames' poses. Their classes come from the annotated segments and the
label table, and so do objects and their boxes; where those are absent, classes come from
`<scan>_vh_clean_2.labels.ply`; the test scans have none. Frames are read from exported files in the scan's folder, from
`scannet_frames_25k`, or from `<scan>.sens`, the first that is there.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.datasets.dataset import Frame, Mesh, Origin
from s4tok.datasets.formats.contents import Contents
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.ply import read_ply
from s4tok.datasets.formats.text import read_lines
from s4tok.datasets.npy_scenes import read_scene_folder
from s4tok.datasets.reader import ALL, FileDataset, Finding, FolderLayout, parts_of
from s4tok.datasets.scannet_boxes import annotation, read_turn
from s4tok.datasets.scannet_frames import exported_frame, exported_frames, exported_names, has_frames
from s4tok.datasets.scannet_labels import (
    BOX_CLASSES,
    CLASSES,
    LABEL_TABLE,
    classes_of_nyu40,
    read_label_table,
    read_segments,
)
from s4tok.datasets.sens import sens_frame, sens_frames, sens_names
from s4tok.errors import InputError
from s4tok.shapes import Array, Int

logger = logging.getLogger(__name__)

SCAN = "scene[0-9][0-9][0-9][0-9]_[0-9][0-9]"
SCAN_FOLDERS = ("scans", "scans_test", "")
LIST_FOLDERS = ("", "meta_data", "splits")
FRAME_FOLDERS = ("scannet_frames_25k", "tasks/scannet_frames_25k")
SEGMENTS, AGGREGATION, LABELLED = "_vh_clean_2.0.010000.segs.json", ".aggregation.json", "_vh_clean_2.labels.ply"
NPY_LABELS = ("segment20", "segment")


class ScanNet(FileDataset):
    """Scans; keys are `scene0000_00`. Of the scans in a split's list those that are there; `all` needs no list."""

    scene: Scene = "room"
    up: Literal["x", "y", "z"] = "z"
    classes = CLASSES
    box_classes = BOX_CLASSES
    splits: ClassVar[tuple[str, ...]] = ("val", "train", "test")
    hidden: ClassVar[Sequence[str]] = ("test",)
    official: ClassVar[Mapping[str, int]] = {"train": 1201, "val": 312, "test": 100}

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        super().__init__(name, layout, ALL if layout.files else split)

    @classmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Find `scans/` or the scans themselves, one scan's own folder, or `train/ val/ test/` of arrays."""
        if any(folder.glob(f"{SCAN}_vh_clean_2.ply")) and fnmatch(folder.absolute().name, SCAN):
            scan = folder.absolute()
            root = scan.parents[scan.parent.name in SCAN_FOLDERS]
            return FolderLayout("scans", root, (scan.relative_to(root).as_posix(),))
        root = folder.parent if folder.name in ("scans", "scans_test") else folder
        if any(any(root.glob(f"{split}/{SCAN}/coord.npy")) for split in cls.splits):
            return FolderLayout("arrays", root)
        if any(any((root / place).glob(f"{SCAN}/{SCAN}_vh_clean*.ply")) for place in SCAN_FOLDERS):
            return FolderLayout("scans", root)
        if any(any(root.glob(f"{split}/{SCAN}*.pth")) for split in cls.splits):
            return FolderLayout("pickled", root)
        return None

    def listed(self, split: str) -> dict[str, str]:
        """List the scans of a split that are there."""
        root = self.layout.root
        if self.layout.name == "pickled":
            raise InputError(
                f"{root} holds scans as .pth files, which are pickles and can run code: they are not read.",
                "use the released .ply files, or arrays a scan (coord.npy, color.npy, segment20.npy).",
            )
        if self.layout.name == "arrays":
            return {
                place.parent.name: f"{split}/{place.parent.name}" for place in root.glob(f"{split}/{SCAN}/coord.npy")
            }
        folders = {place.name: place for at in SCAN_FOLDERS for place in (root / at).glob(SCAN) if place.is_dir()}
        if self.layout.files:
            folders = {place.name: place for place in map(root.joinpath, self.layout.files)}
        names = sorted(folders) if self.split == ALL else self._names(split)
        there = [name for name in names if name in folders]
        if not there:
            raise InputError(
                f"none of the {len(names):,} scans of split {split} is in {root}.", "name the split of those that are."
            )
        if len(there) < len(names):
            logger.warning("%s: %d of the %d scans of split %s are there.", root, len(there), len(names), split)
        return {name: _mesh_file(folders[name]).relative_to(root).as_posix() for name in there}

    def __getitem__(self, key: str) -> PointCloud:
        """Read the vertices of one scan."""
        if self.layout.name == "arrays":
            return read_scene_folder(self.path(key), NPY_LABELS, len(CLASSES), key)
        surface = self._surface(key)
        table = next((p for p in (self.layout.root / at / LABEL_TABLE for at in LIST_FOLDERS) if p.is_file()), None)
        if table is None or not self._is_annotated(key):
            return replace(surface, labels=self._released_labels(key, len(surface.points))).cloud(self.path(key), key)
        cloud = surface.cloud(self.path(key), key)  # before anything is measured in it
        segments = read_segments(self._beside(key, SEGMENTS), len(cloud))
        aggregation, nyu40_of = self._beside(key, AGGREGATION), read_label_table(table)
        found = annotation(surface.points, segments, aggregation, nyu40_of, self.turn(key))
        boxes = found.boxes.moved(-cloud.offset)
        return replace(cloud, labels=found.classes, instances=found.instances, boxes=boxes)

    def turn(self, key: str) -> float:
        """Read the axisAlignment of a scan, which boxes are along."""
        return 0.0 if self.layout.name == "arrays" else read_turn(self._beside(key, ".txt"))

    def origin(self, key: str) -> Origin:
        """Give the file of a scan's points."""
        if self.layout.name != "arrays":
            return super().origin(key)
        state = (self.path(key) / "coord.npy").stat()
        return Origin(self.files[key], state.st_size, state.st_mtime_ns)

    def mesh(self, key: str) -> Mesh | None:
        """Read the reconstructed surface, whose vertices are the cloud."""
        if self.layout.name == "arrays":
            return None
        surface = self._surface(key)
        if surface.faces is None:
            return None
        color = surface.cloud(self.path(key), key).color
        return Mesh(surface.points.astype(np.float64), surface.faces, color=color)

    def segments(self, key: str) -> Int[Array, " n"] | None:
        """Give ScanNet's own over-segmentation; the test scans come without."""
        file = self._beside(key, SEGMENTS)
        if self.layout.name == "arrays" or not file.is_file():
            return None
        _, ids = np.unique(read_segments(file, len(self._surface(key).points)), return_inverse=True)
        return np.asarray(ids, dtype=np.int64)

    def frames(self, key: str, step: int = 1) -> Iterator[Frame]:
        """Read images whose frame numbers lie at least `step` apart; those without a finite pose are passed over."""
        exported, recording = self._exported(key), self._beside(key, ".sens")
        if exported is not None:
            return exported_frames(exported, step)
        return sens_frames(recording, step) if recording.is_file() else iter(())

    def frame_names(self, key: str, step: int = 1) -> Sequence[str]:
        """Name the images that `frames` reads, from their poses alone."""
        exported, recording = self._exported(key), self._beside(key, ".sens")
        if exported is not None:
            return exported_names(exported, step)
        return sens_names(recording, step) if recording.is_file() else ()

    def frame(self, key: str, name: str) -> Frame:
        """Read one image, by the name that `frame_names` gives it."""
        exported, recording = self._exported(key), self._beside(key, ".sens")
        if exported is not None:
            return exported_frame(exported, name)
        return sens_frame(recording, name)

    def _exported(self, key: str) -> Path | None:
        """Find the folder of a scan's exported frames, where there is one."""
        root = self.layout.root
        places = (self.path(key).parent, *(root / folder / key for folder in FRAME_FOLDERS))
        return next((place for place in places if has_frames(place)), None)

    def oddities(self) -> Iterator[Finding]:
        """Name listed scans that are not there, and scans of train and val without annotations."""
        if self.layout.name == "arrays":
            return
        for split in () if self.split == ALL else parts_of(self.split, self.splits):
            missing = [name for name in self._names(split) if name not in self.files]
            if missing:
                sentence = f"{len(missing):,} scans of split {split} are not there, the first is {missing[0]}."
                yield Finding("problem", str(self.layout.root), None, sentence)
        if self.split == "test":
            return
        for key in self.keys:
            if not (self._is_annotated(key) or self._beside(key, LABELLED).is_file()):
                yield Finding(
                    "note", str(self.path(key).parent), None, "has no annotations, so its points have no class."
                )

    def _names(self, split: str) -> list[str]:
        places = [self.layout.root / folder / f"scannetv2_{split}.txt" for folder in LIST_FOLDERS]
        for place in places:
            if place.is_file():
                return [line.strip() for line in read_lines(place) if line.strip()]
        raise InputError(
            f"{places[0].name}, which lists the scans of split {split}, is not in {self.layout.root}.",
            f"put it there or into {places[1].parent}; it is in ScanNet's repository under Tasks/Benchmark. "
            f"Split {ALL} takes every scan that is there.",
        )

    def _surface(self, key: str) -> Contents:
        path = self.path(key)
        if not path.is_file():
            raise DamagedFile(
                path,
                "is not there, though the mesh of full resolution, _vh_clean.ply, is; labels and segments "
                "belong to the vertices of _vh_clean_2.ply"
                if self._beside(key, "_vh_clean.ply").is_file()
                else "is not there",
                "download the scan's _vh_clean_2.ply.",
            )
        return read_ply(path)

    def _released_labels(self, key: str, n_vertices: int) -> Int[Array, " n"] | None:
        """Read the classes where there is no table for the annotations."""
        labelled = self._beside(key, LABELLED)
        if labelled.is_file():
            ids = read_ply(labelled).labels
            if ids is None or len(ids) != n_vertices:
                found = "no labels" if ids is None else f"labels of {len(ids)} vertices"
                raise DamagedFile(labelled, f"has {found}, and the mesh beside it has {n_vertices} vertices")
            return classes_of_nyu40(ids)
        if self._is_annotated(key) and not self.layout.files:
            raise InputError(
                f"{key} is annotated, and {LABEL_TABLE}, which gives the annotations their class, is not in "
                f"{self.layout.root}.",
                f"put it there or into {self.layout.root / LIST_FOLDERS[1]}; it comes with ScanNet's download.",
            )
        return None

    def _is_annotated(self, key: str) -> bool:
        return all(self._beside(key, ending).is_file() for ending in (SEGMENTS, AGGREGATION))

    def _beside(self, key: str, ending: str) -> Path:
        return self.path(key).parent / f"{key}{ending}"


def _mesh_file(folder: Path) -> Path:
    return folder / f"{folder.name}_vh_clean_2.ply"
