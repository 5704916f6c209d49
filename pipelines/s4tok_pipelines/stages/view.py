"""The stage `view`: own clouds with their labels, in one page to turn around in a browser."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import ROOM_FROM, Scene
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.formats.contents import whole_numbers
from s4tok.datasets.formats.npy import read_npy
from s4tok.datasets.formats.text import read_lines
from s4tok.datasets.open import open_dataset
from s4tok.errors import InputError, UsageError
from s4tok.rendering.palette import colors_of_names
from s4tok.shapes import Array, Int
from s4tok_cache.files import write_whole
from s4tok_pipelines.inputs.ready_labels import read_labels
from s4tok_pipelines.outputs.file_rows import out_of_file_rows
from s4tok_pipelines.outputs.viewer import Shown, page
from s4tok_pipelines.report import Report, silent

MOST_NAMES = 256  # of labels that have a legend; more are superpoints
ENDINGS = (".labels.npy", ".labels.txt", ".labels.ply")  # of what `segment` writes, whose legend lies beside it


class Pair(NamedTuple):
    """A cloud, and the file of its labels where they are not in its own."""

    cloud: Path
    labels: Path | None = None

    def __str__(self) -> str:
        return str(self.cloud) if self.labels is None else f"{self.cloud}: {self.labels.name}"


def view(
    files: Sequence[Path], out: Path, names: Sequence[str] = (), *, up: str | None = None, report: Report = silent
) -> list[str]:
    """Write one page of some clouds, and give their titles.

    Args:
        files: Clouds and meshes, each followed by files with a label a point; a cloud alone is shown as its own file
            labels it. A cloud with two files of labels is there twice, to compare them.
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
    """Join each file of labels to the cloud before it."""
    found: list[Pair] = []
    for path in files:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file.")
        if not _holds_labels(path):
            found.append(Pair(path))
        elif not found:
            raise UsageError(f"{path} holds labels, and no cloud stands before it.", "s4tok view CLOUD LABELS")
        elif found[-1].labels is None:
            found[-1] = Pair(found[-1].cloud, path)
        else:
            found.append(Pair(found[-1].cloud, path))
    return found


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
    clouds = open_dataset(pair.cloud, up=up)
    (key,) = clouds.keys
    cloud, labels = _read(clouds, key, pair)
    scene: Scene = "room" if cloud.extent >= ROOM_FROM else "object"
    if labels is not None and len(np.unique(labels)) > MOST_NAMES:
        nothing = np.full(len(cloud), -1)
        return Shown(cloud, nothing, [], colors_of_names([]), labels, up=clouds.up, scene=scene, title=str(pair))
    called = _names(pair, labels, names) if labels is not None else [] if cloud.color is not None else ["points"]
    if labels is None:
        labels = np.full(len(cloud), len(called) - 1)
    return Shown(cloud, labels, called, colors_of_names(called), up=clouds.up, scene=scene, title=str(pair))


def _read(clouds: CloudDataset, key: str, pair: Pair) -> tuple[PointCloud, Int[Array, " n"] | None]:
    """Read a cloud and its labels; a mesh whose faces have labels is shown by the middles of its faces."""
    cloud = clouds[key]
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
