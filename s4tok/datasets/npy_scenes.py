"""Scenes kept as plain arrays, `coord.npy color.npy normal.npy segment.npy` in a folder a scene: Pointcept's layout."""

from collections.abc import Sequence
from pathlib import Path

from s4tok.clouds import PointCloud
from s4tok.datasets.formats.contents import Contents, whole_numbers
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.npy import read_npy
from s4tok.shapes import Array, Int, Real


def whole_labels(values: Real[Array, " n"], n_classes: int, path: Path) -> Int[Array, " n"]:
    """Read labels kept as numbers of any kind; every negative one means that there is none."""
    labels = whole_numbers(values, path, "labels")
    if len(labels) and labels.max() >= n_classes:
        raise DamagedFile(path, f"has labels up to {labels.max()}, and there are {n_classes} classes, from 0 on")
    return labels.clip(min=-1)


def read_scene_folder(folder: Path, label_files: Sequence[str], n_classes: int, name: str) -> PointCloud:
    """Read one scene; of `label_files` the first that is there, none for a scene without ground truth."""
    coordinates = folder / "coord.npy"
    xyz = read_npy(coordinates)
    color, normals = _optional(folder / "color.npy"), _optional(folder / "normal.npy")
    if color is not None and color.dtype.kind == "f":
        color = color / 255  # this layout keeps 0 .. 255 whatever the type
    labels = None
    for file in (folder / f"{label}.npy" for label in label_files):
        if file.is_file():
            labels = whole_labels(read_npy(file).reshape(-1), n_classes, file)  # older files are (n, 1)
            if len(labels) != len(xyz):
                raise DamagedFile(file, f"has {len(labels)} labels, and coord.npy beside it {len(xyz)} points")
            break
    for values in (xyz, color, normals):
        if values is not None and values.shape != (len(xyz), 3):
            raise DamagedFile(
                coordinates, f"and its neighbours must be {len(xyz)} x 3, and one of them is {values.shape}"
            )
    return Contents(xyz, color=color, normals=normals, labels=labels).cloud(coordinates, name)


def _optional(path: Path) -> Array | None:
    return read_npy(path) if path.is_file() else None
