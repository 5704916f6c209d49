"""Labelled clouds as files: coloured points, labels, scores, what each label is called, and a page to look at."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import FORMATS as READABLE
from s4tok.datasets.own_files import OwnFiles
from s4tok.geometry.box_frames import as_it_came
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.rendering.palette import UNKNOWN, colors_of_names, hexadecimal
from s4tok.rendering.ply import labels_ply
from s4tok.shapes import Array, Bool, UInt8
from s4tok.zero_shot.labelled import UNKNOWN_NAME, Labelled
from s4tok_cache.files import write_whole
from s4tok_pipelines.outputs.file_rows import in_file_rows
from s4tok_pipelines.outputs.labelled_meshes import mesh_files
from s4tok_pipelines.outputs.viewer import Shown, page

Colors: TypeAlias = UInt8[Array, "t 3"]  # of each name
Present: TypeAlias = Bool[Array, " r"] | None  # the rows of the cloud's file that are points, where some are not


def _ply(done: Labelled, colors: Colors, _: Present) -> bytes:
    return labels_ply(done.cloud, done.answers, done.superpoints, colors)


def _npy(done: Labelled, _: Colors, present: Present) -> bytes:
    return _saved(in_file_rows(done.answers.astype(np.int32), present))


def _txt(done: Labelled, _: Colors, present: Present) -> bytes:
    return ("\n".join(map(str, in_file_rows(done.answers, present).tolist())) + "\n").encode()


def _scores(done: Labelled, _: Colors, present: Present) -> bytes:
    return _saved(in_file_rows(done.scores.astype(np.float16), present, np.nan))


WRITERS: dict[str, tuple[str, Callable[[Labelled, Colors, Present], bytes]]] = {
    "ply": (".labels.ply", _ply),
    "npy": (".labels.npy", _npy),
    "txt": (".labels.txt", _txt),
    "scores": (".scores.npy", _scores),
}


def write_labelled(
    stem: Path, done: Labelled, formats: Sequence[str], *, clouds: CloudDataset, html: bool, about: str
) -> list[str]:
    """Write one cloud's files and give their endings; the legend, which says what the numbers mean, is among them."""
    colors, present = colors_of_names(done.names), clouds.present(done.cloud.name)

    def contents() -> Iterator[tuple[str, bytes]]:
        for name in formats:
            if name == "mesh":
                yield from mesh_files(done, clouds, colors, stem.name)
                continue
            ending, make = WRITERS[name]
            yield ending, make(done, colors, present)
        yield ".legend.json", (json.dumps(legend(done, colors), indent=2) + "\n").encode()
        if html:
            cloud, up = done.cloud.in_its_file(clouds.up)
            yield ".html", page(Shown(
                cloud, done.answers, done.names, colors,
                superpoints=done.superpoints, truth=done.truth, scores=done.scores, up=up, scene=clouds.scene,
                about=about, boxes=None if done.boxes is None else as_it_came(done.boxes, done.cloud),
                true_boxes=named_boxes(done.cloud.original_boxes(), done, clouds),
            )).encode()  # fmt: skip

    endings = []
    for ending, content in contents():
        write_whole(stem.with_name(stem.name + ending), content, parents=True)
        endings.append(ending)
    return endings


def named_boxes(boxes: OrientedBoxes | None, done: Labelled, clouds: CloudDataset) -> OrientedBoxes | None:
    """Give true boxes the labels of points, where boxes are asked for; what has no name among those is left out."""
    if boxes is None or done.boxes is None:
        return None
    names = list(done.names)
    places = [names.index(name) if name in names else -1 for name in clouds.box_classes]
    labels = np.array(places, np.int64)[boxes.labels]
    return replace(boxes, labels=labels).take(labels >= 0)


def legend(done: Labelled, colors: Colors) -> list[dict[str, Any]]:
    """Say of each label what it is called, how it is coloured, how many points have it, and how it was calibrated."""
    counts = Counter(done.answers.tolist())
    rows = [
        {"label": label, "name": name, "color": color, "points": counts[label]}
        for label, (name, color) in enumerate(zip(done.names, map(hexadecimal, colors), strict=True))
    ]
    if done.subtracted is not None:
        rows = [{**row, "subtracted": float(each)} for row, each in zip(rows, done.subtracted, strict=True)]
    grey = hexadecimal(np.array(UNKNOWN, np.uint8))
    return [*rows, {"label": -1, "name": UNKNOWN_NAME, "color": grey, "points": counts[-1]}]


def stems_for(clouds: CloudDataset) -> dict[str, str]:
    """Name the files of each cloud of a dataset; of own files so that objects and rooms among them share no name."""
    return stems_of(list(clouds.files) if isinstance(clouds, OwnFiles) else clouds.keys)


def stems_of(keys: Sequence[str]) -> dict[str, str]:
    """Name each cloud's files: without the ending of its own file, where that leaves no two alike."""
    short = {key: key.removesuffix(Path(key).suffix if Path(key).suffix.lower() in READABLE else "") for key in keys}
    often = Counter(short.values())
    return {key: stem if often[stem] == 1 else key for key, stem in short.items()}


def _saved(array: Array) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
