"""Toy scans as ScanNet publishes its scans: surface, annotation and exported frames of each, lists and label table."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from s4tok.config import ViewConfig
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.scannet_labels import CLASSES, LABEL_TABLE, NYU40
from s4tok.dependencies import load
from s4tok.shapes import Array, Int
from s4tok.synthetic.capture import Capture
from s4tok.synthetic.categories import CATEGORIES
from s4tok.synthetic.datasets import ToyScans
from s4tok.synthetic.home_datasets import HomeScans
from s4tok.synthetic.kinds import CLASSES_OF_HOMES, OF_HOMES
from s4tok.synthetic.layouts.table import Sizes

OTHER = 40  # NYU's "otherprop": what ScanNet's twenty classes leave out
NYU = {name: number for number, name in NYU40.items()} | {"lamp": 35}
COLUMNS = (
    "id", "raw_category", "category", "count", "nyu40id", "eigen13id", "nyuClass", "nyu40class", "eigen13class",
    "ModelNet40", "ModelNet10", "ShapeNetCore55", "synsetoffset", "wnsynsetid", "wnsynsetkey", "mpcat40",
    "mpcat40index",
)  # fmt: skip


def scannet(out: Path, sizes: Sizes, seed: int) -> Iterator[str]:
    """Write the scans of toy-scans."""
    known = NYU | {name: OTHER for name in CATEGORIES if name not in NYU}
    return _write(out, (ToyScans(split, sizes=sizes, seed=seed) for split in ToyScans.splits), known)


def furnished_scannet(out: Path, sizes: Sizes, seed: int, furniture: FolderLayout | None = None) -> Iterator[str]:
    """Write the scans of home-scans, with furniture of the libraries where they are."""
    known = dict.fromkeys(OF_HOMES, OTHER) | {name: NYU[CLASSES[each]] for name, each in CLASSES_OF_HOMES.items()}
    datasets = (HomeScans(split, furniture=furniture, sizes=sizes, seed=seed) for split in HomeScans.splits)
    return _write(out, datasets, known)


def _write(out: Path, datasets: Iterable[ToyScans], nyu40: Mapping[str, int]) -> Iterator[str]:
    """Write the scans of all splits; those to test on come without annotations, as ScanNet's do."""
    _write_label_table(out / LABEL_TABLE, nyu40)
    number = 0
    for dataset in datasets:
        split = dataset.split
        names = [f"scene{number + k:04d}_00" for k in range(len(dataset))]
        (out / f"scannetv2_{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for name, key in zip(names, dataset.keys, strict=True):
            folder = out / ("scans_test" if split == "test" else "scans") / name
            folder.mkdir(parents=True)
            seen = dataset.capture(key)
            write_surface(folder / f"{name}_vh_clean_2.ply", seen)
            if split != "test":
                _write_annotation(folder, name, seen, nyu40)
            _write_frames(folder, dataset, key)
            (folder / f"{name}.txt").write_text(_facts(dataset.n_frames))
            yield key
        number += len(names)


def write_surface(path: Path, seen: Capture, labels: Int[Array, " n"] | None = None) -> None:
    """Write a binary PLY: vertices with colour, and with a label where there are any, and triangles."""
    fields = [(name, "<f4") for name in "xyz"] + [(name, "u1") for name in ("red", "green", "blue", "alpha")]
    fields += [("label", "<u2")] if labels is not None else []
    vertices = np.zeros(len(seen.xyz), fields)
    for axis, name in enumerate("xyz"):
        vertices[name] = seen.xyz[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        vertices[name] = seen.color[:, channel]
    vertices["alpha"] = 255
    if labels is not None:
        vertices["label"] = labels
    faces = np.zeros(len(seen.faces), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, seen.faces
    words = {"<f4": "float", "u1": "uchar", "<u2": "ushort"}
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    header += [f"property {words[kind]} {name}" for name, kind in fields]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    path.write_bytes(("\n".join(header) + "\n").encode() + vertices.tobytes() + faces.tobytes())


def _write_annotation(folder: Path, name: str, seen: Capture, nyu40: Mapping[str, int]) -> None:
    of_point = np.array([nyu40.get(thing, OTHER) for thing in seen.names])[seen.things]
    write_surface(folder / f"{name}_vh_clean_2.labels.ply", seen, of_point)
    segments = _segments(seen)
    listing = {"params": {"kThresh": "0.0001", "segMinVerts": "20"}, "sceneId": name, "segIndices": segments.tolist()}
    (folder / f"{name}_vh_clean_2.0.010000.segs.json").write_text(json.dumps(listing))
    groups = [
        {
            "id": number,
            "objectId": number,
            "segments": np.unique(segments[seen.things == thing]).tolist(),
            "label": seen.names[thing],
        }
        for number, thing in enumerate(np.unique(seen.things).tolist())
    ]
    listing = {"sceneId": f"scannet.{name}", "appId": "Aggregator.v2", "segGroups": groups}
    (folder / f"{name}.aggregation.json").write_text(json.dumps(listing))


def _segments(seen: Capture) -> Int[Array, " n"]:
    """Cut things into pieces of half a metre, each named, as ScanNet's are, by one of its vertices."""
    cell = np.floor(seen.xyz / 0.5).astype(np.int64)
    pieces = np.column_stack([seen.things, seen.parts, cell])
    _, first, inverse = np.unique(pieces, axis=0, return_index=True, return_inverse=True)
    names: Array = first[inverse.reshape(-1)]
    return names


def _write_frames(folder: Path, dataset: ToyScans, key: str) -> None:
    image = load("PIL.Image")
    for name in ("color", "depth", "pose", "intrinsic"):
        (folder / name).mkdir()
    for frame in dataset.frames(key, ViewConfig.frame_step):
        image.fromarray(frame.color).save(folder / "color" / f"{frame.name}.jpg", quality=95)
        millimetres = np.round(frame.depth * 1000).astype(np.uint16)
        image.fromarray(millimetres).save(folder / "depth" / f"{frame.name}.png")
        np.savetxt(folder / "pose" / f"{frame.name}.txt", frame.camera_to_world, fmt="%.6f")
        for kind, small in (("color", frame.color_intrinsics), ("depth", frame.depth_intrinsics)):
            whole = np.eye(4)
            whole[:3, :3] = small
            np.savetxt(folder / "intrinsic" / f"intrinsic_{kind}.txt", whole, fmt="%.6f")


def _facts(frames: int) -> str:
    unit = " ".join(f"{value:.6f}" for value in np.eye(4).ravel())
    sizes = [f"{kind}{side} = {n}" for kind in ("color", "depth") for side, n in (("Height", 240), ("Width", 320))]
    counts = [f"num{kind}Frames = {frames}" for kind in ("Color", "Depth")]
    return "\n".join([f"axisAlignment = {unit}", *sizes, *counts, "sceneType = Toy"]) + "\n"


def _write_label_table(path: Path, nyu40: Mapping[str, int]) -> None:
    lines = ["\t".join(COLUMNS)]
    for number, name in enumerate(sorted(nyu40), start=1):
        filled = {"id": str(number), "raw_category": name, "category": name, "nyu40id": str(nyu40[name])}
        lines.append("\t".join(filled.get(column, "") for column in COLUMNS))
    path.write_text("".join(f"{line}\n" for line in lines))
