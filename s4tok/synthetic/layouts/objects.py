"""Toy objects as ShapeNet55, ShapeNetPart, ModelNet40 and ScanObjectNN publish theirs."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.datasets import modelnet40 as modelnet
from s4tok.datasets import scanobjectnn as scanobject
from s4tok.datasets import shapenet55 as shapenet
from s4tok.datasets import shapenetpart as shapenet_part
from s4tok.dependencies import load
from s4tok.shapes import Array, Float32, Float64, Int
from s4tok.synthetic.datasets import NAMES, ToyShapes
from s4tok.synthetic.layouts.table import Sizes
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import rotation

SPLITS = ToyShapes.splits
SHAPENET = {"monitor": "display"}  # what they call it, where it is not our word
PART = {"cap brim": "visor", "lamp shade": "lampshade", "lamp pole": "tube", "lamp base": "support", "mug body": "cup"}
MODELNET = {"cabinet": "dresser", "mug": "cup"}
SCANOBJECT = {"bookshelf": "shelf", "monitor": "display"}


def shapenet55(out: Path, sizes: Sizes, seed: int) -> Iterator[str]:
    """Write points of float32 and the two lists; validation objects go with the training ones."""
    synsets = {name: synset for synset, name in shapenet.CATEGORIES.items()}
    (out / "shapenet_pc").mkdir()
    (out / "ShapeNet-55").mkdir()
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for split, shapes, key in _objects(sizes, seed, 8192):
        name = NAMES[shapes.category(key)]
        file = f"{synsets[SHAPENET.get(name, name)]}-{_model(key)}.npy"
        np.save(out / "shapenet_pc" / file, _points(shapes[key]))
        lists["test" if split == "test" else "train"].append(file)
        yield key
    for split, files in lists.items():
        (out / "ShapeNet-55" / f"{split}.txt").write_text("".join(f"{file}\n" for file in files))


def shapenetpart(out: Path, sizes: Sizes, seed: int) -> Iterator[str]:
    """Write a text an object, x y z nx ny nz part, and the lists of splits."""
    synsets = {name: synset for synset, (name, _) in shapenet_part.CATEGORIES.items()}
    lists: dict[str, list[str]] = {split: [] for split in SPLITS}
    (out / "train_test_split").mkdir()
    names = "".join(f"{name.capitalize()}\t{synset}\n" for name, synset in synsets.items())
    (out / "synsetoffset2category.txt").write_text(names)
    for split, shapes, key in _objects(sizes, seed, 2600, synsets):
        name = NAMES[shapes.category(key)]
        folder = out / synsets[name]
        folder.mkdir(exist_ok=True)
        cloud = shapes[key]
        assert cloud.normals is not None
        assert cloud.labels is not None
        rows = np.column_stack([_points(cloud), cloud.normals, _shapenet_parts(name)[cloud.labels]])
        np.savetxt(folder / f"{_model(key)}.txt", rows, fmt="%.6f")
        lists[split].append(f"shape_data/{synsets[name]}/{_model(key)}")
        yield key
    for split, entries in lists.items():
        (out / "train_test_split" / f"shuffled_{split}_file_list.json").write_text(json.dumps(entries))


def modelnet40(out: Path, sizes: Sizes, seed: int) -> Iterator[str]:
    """Write the resampled texts, x,y,z,nx,ny,nz; validation objects go with the training ones."""
    classes = {name: MODELNET.get(name, name) for name in NAMES if MODELNET.get(name, name) in modelnet.CLASSES}
    (out / "modelnet40_shape_names.txt").write_text("".join(f"{name}\n" for name in modelnet.CLASSES))
    lists: dict[str, list[str]] = {"train": [], "test": []}
    counts: dict[str, int] = defaultdict(int)
    for split, shapes, key in _objects(sizes, seed, 10_000, classes):
        name = classes[NAMES[shapes.category(key)]]
        counts[name] += 1
        entry = f"{name}_{counts[name]:04d}"
        (out / name).mkdir(exist_ok=True)
        cloud = shapes[key]
        assert cloud.normals is not None
        rows = np.column_stack([_points(cloud), cloud.normals])
        np.savetxt(out / name / f"{entry}.txt", rows, fmt="%.6f", delimiter=",")
        lists["test" if split == "test" else "train"].append(entry)
        yield key
    for split, entries in lists.items():
        (out / f"modelnet40_{split}.txt").write_text("".join(f"{entry}\n" for entry in entries))


def scanobjectnn(out: Path, sizes: Sizes, seed: int) -> Iterator[str]:
    """Write the three variants of the paper: objects on a piece of floor, without it, and moved, turned and scaled."""
    h5py = load("h5py")
    names = scanobject.ScanObjectNN.categories
    classes = {name: SCANOBJECT.get(name, name) for name in NAMES if SCANOBJECT.get(name, name) in names}
    rows: dict[tuple[str, str, str], list[tuple[Array, int, Array]]] = defaultdict(list)
    for split, shapes, key in _objects(sizes, seed, 2048, classes):
        part = "test" if split == "test" else "training"
        label = names.index(classes[NAMES[shapes.category(key)]])
        draw = Draw(seed, "scanobjectnn", key)
        alone = _points(shapes[key])
        whole, mask = _on_a_floor(alone, draw)
        rows["main_split_nobg", part, ""].append((alone, label, np.zeros(2048, np.int64)))
        rows["main_split", part, ""].append((whole, label, mask))
        spin = rotation("y", draw.between(-np.pi, np.pi)) * draw.between(0.75, 1.25)
        moved = whole @ spin.T + 0.5 * np.array([draw.between(-1, 1) for _ in range(3)])
        rows["main_split", part, "_augmentedrot_scale75"].append((moved.astype(np.float32), label, mask))
        yield key
    for (folder, part, suffix), entries in rows.items():
        (out / folder).mkdir(exist_ok=True)
        clouds, labels, masks = zip(*entries, strict=True)
        with h5py.File(out / folder / f"{part}_objectdataset{suffix}.h5", "w") as file:
            file["data"] = np.stack(clouds).astype(np.float32)
            file["label"] = np.array(labels, np.int64)
            file["mask"] = np.stack(masks)


def _objects(
    sizes: Sizes, seed: int, points: int, known: Mapping[str, object] | None = None
) -> Iterator[tuple[str, ToyShapes, str]]:
    """Go through the objects of the splits whose category the real dataset knows."""
    for split in SPLITS:
        shapes = ToyShapes(split, sizes=sizes, points=points, seed=seed)
        for key in shapes.keys:
            if known is None or NAMES[shapes.category(key)] in known:
                yield split, shapes, key


def _model(key: str) -> str:
    """Give a model id without hyphens, at which the loaders of others cut names."""
    split, number, _ = key.split("-")
    return f"toy{split}{number}"


def _points(cloud: PointCloud) -> Float32[Array, "n 3"]:
    return cloud.original_xyz().astype(np.float32)


def _shapenet_parts(name: str) -> Int[Array, " c"]:
    """Give ShapeNetPart's number of each of the toy world's parts that belong to a category."""
    ids = shapenet_part.ShapeNetPart.parts[name]
    numbers = np.zeros(len(ToyShapes.classes), np.int64)
    for ours in ToyShapes.parts[name]:
        part = ToyShapes.classes[ours]
        theirs = PART.get(f"{name} {part}", part)
        numbers[ours] = next(number for number in ids if shapenet_part.ShapeNetPart.classes[number] == theirs)
    return numbers


def _on_a_floor(alone: Float32[Array, "n 3"], draw: Draw) -> tuple[Float32[Array, "n 3"], Int[Array, " n"]]:
    """Put a piece of floor under an object, as many points as before, and mark it -1."""
    n_floor = len(alone) // 6
    low: Float64[Array, 3] = alone.min(0)
    flat = draw.generator.uniform(-1, 1, (n_floor, 3)) * np.array([1, 0.004, 1]) + np.array([0, low[1], 0])
    points = np.concatenate([alone[n_floor:], flat.astype(np.float32)])
    mask = np.concatenate([np.zeros(len(alone) - n_floor, np.int64), np.full(n_floor, -1)])
    return points, mask
