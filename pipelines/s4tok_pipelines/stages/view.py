"""The stage `view`: own clouds with their labels, in one page to turn around in a browser."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.formats.contents import whole_numbers
from s4tok.datasets.formats.npy import read_npy
from s4tok.datasets.formats.text import read_lines
from s4tok.datasets.open import open_dataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import InputError, UsageError
from s4tok.rendering.palette import colors_of_names
from s4tok.shapes import Array, Int
from s4tok_cache.files import write_whole
from s4tok_pipelines.inputs.read_boxes import ENDING, read_boxes
from s4tok_pipelines.inputs.ready_labels import read_labels
from s4tok_pipelines.outputs.file_rows import out_of_file_rows
from s4tok_pipelines.outputs.viewer import Shown, page
from s4tok_pipelines.report import Report, silent

MOST_NAMES = 256  # of labels that have a legend; more are superpoints
ENDINGS = (".labels.npy", ".labels.txt", ".labels.ply")  # of what `segment` writes, whose legend lies beside it


class Pair(NamedTuple):
    """A cloud, the file of its labels where they are not in its own, and a file of boxes."""

    cloud: Path
    labels: Path | None = None
    boxes: Path | None = None

    def __str__(self) -> str:
        return ": ".join([str(self.cloud), *(file.name for file in (self.labels, self.boxes) if file is not None)])


def view(
    files: Sequence[Path], out: Path, names: Sequence[str] = (), *, up: str | None = None, report: Report = silent
) -> list[str]:
    """Write one page of some clouds, and give their titles.

    Args:
        files: Clouds and meshes, each followed by files with a label a point, or with boxes; a cloud alone is shown as
            its own file labels it. A cloud with two files of labels, or of boxes, is there twice, to compare them.
        out: The page.
        names: What labels are called, from 0 on, where no legend lies beside their file.
        up: The axis that points up, where the files' own habit is another.
        report: Who listens.
    """
    found = pairs(files)
    shown = [_shown(pair, names, up) for pair in report.steps(found, "Reading clouds")]
    write_whole(out, page(*shown, title=out.stem).encode(), parents=True)
    return [each.title for each in shown]


def pairs(files: Sequence[Path]) -> list[Pair]:
    """Join each file of labels or boxes to the cloud before it; boxes alone to the labelled cloud beside them."""
    found: list[Pair] = []
    for path in files:
        if not path.is_file():
            what = "is a folder, and the page shows files" if path.is_dir() else "there is no such file"
            raise InputError(f"{path}: {what}.")
        if path.name.endswith(ENDING):
            found = [*found, Pair(_beside(path), boxes=path)] if not found else _with_boxes(found, path)
        elif not _holds_labels(path):
            found.append(Pair(path))
        elif not found:
            raise UsageError(f"{path} holds labels, and no cloud stands before it.", "s4tok view CLOUD LABELS")
        elif found[-1].labels is None:
            found[-1] = Pair(found[-1].cloud, path)
        else:
            found.append(Pair(found[-1].cloud, path))
    return found


def _with_boxes(found: Sequence[Pair], path: Path) -> list[Pair]:
    *others, last = found
    return [*others, last._replace(boxes=path)] if last.boxes is None else [*found, Pair(last.cloud, boxes=path)]


def _beside(path: Path) -> Path:
    """Find the labelled cloud beside a file of boxes."""
    cloud = path.with_name(f"{path.name.removesuffix(ENDING)}.labels.ply")
    if not cloud.is_file():
        raise UsageError(f"{path} holds boxes, and no cloud stands before it.", f"s4tok view CLOUD {path}")
    return cloud


def _holds_labels(path: Path) -> bool:
    """Tell a file with one number a point from a file of points."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return read_npy(path).ndim == 1
    if suffix == ".txt":
        first = [line.split() for line in read_lines(path) if line.strip()][:2]
        return all(len(words) == 1 for words in first)
    return suffix == ".json"


def _shown(pair: Pair, names: Sequence[str], up: str | None) -> Shown:
    found = None if pair.boxes is None else read_boxes(pair.boxes)
    clouds = open_dataset(pair.cloud, up=up if found is None else found.up)
    (key,) = clouds.keys
    cloud, labels = _read(clouds, key, pair)
    superpoints, called = None, list[str]()
    if labels is None:
        called = [] if cloud.color is not None else ["points"]
        labels = np.full(len(cloud), len(called) - 1)
    elif len(np.unique(labels)) > MOST_NAMES:
        superpoints, labels = labels, np.full(len(cloud), -1)
    else:
        called = _names(pair, labels, names)
    boxes = None
    if found is not None:
        called += [name for name in found.names if name not in called]
        boxes = replace(found.boxes, labels=np.array([called.index(name) for name in found.words()], np.int64))
    axis, scene = _lies(clouds, key)
    return Shown(
        cloud, labels, called, colors_of_names(called), superpoints, boxes=boxes, up=axis, scene=scene, title=str(pair)
    )


def _lies(clouds: CloudDataset, key: str) -> tuple[str, Scene]:
    """Say which axis is up in a cloud's file, and what it shows."""
    if not isinstance(clouds, OwnFiles):
        return clouds.up, clouds.scene
    placement = clouds.guess(key).placement
    return placement.up, placement.scene


def _read(clouds: CloudDataset, key: str, pair: Pair) -> tuple[PointCloud, Int[Array, " n"] | None]:
    """Read a cloud and its labels; a mesh whose faces have labels is shown by the middles of its faces."""
    cloud, _ = clouds[key].in_its_file(clouds.up)
    if pair.labels is not None:
        ids = whole_numbers(np.asarray(read_labels(pair.labels, key, 1)), pair.labels, "labels")
        labels = out_of_file_rows(ids, clouds.present(key))
        if labels.shape != (len(cloud),):
            raise InputError(f"{pair.labels} has {len(ids):,} labels, and {pair.cloud} has {len(cloud):,} points.")
        return cloud, labels
    mesh = clouds.mesh(key) if cloud.labels is None else None
    if mesh is None or mesh.labels is None:
        return cloud, cloud.labels
    return PointCloud.of(mesh.vertices[mesh.faces].mean(axis=1), name=key), mesh.labels


def _names(pair: Pair, labels: Int[Array, " n"], names: Sequence[str]) -> list[str]:
    """Give the names of labels: from the legend that `segment` wrote beside them, else as the user calls them."""
    known = dict(enumerate(names)) or dict(_legend(pair.labels or pair.cloud))
    return [known.get(label, f"label {label}") for label in range(max(int(labels.max()), max(known, default=0)) + 1)]


def _legend(path: Path) -> Iterator[tuple[int, str]]:
    ending = next((each for each in ENDINGS if path.name.endswith(each)), None)
    file = path.with_name(f"{path.name.removesuffix(ending or '')}.legend.json")
    if ending is None or not file.is_file():
        return
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        yield from ((int(row["label"]), str(row["name"])) for row in rows if row["label"] >= 0)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is no legend: {error}.") from error
