"""The same cloud in any unit, place and orientation gets the same labels, by the checkpoints that come with s4tok."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

import s4tok
from s4tok.clouds import PointCloud
from s4tok.config import Axis, Unit
from s4tok.datasets.open import open_dataset
from s4tok.geometry.axes import upright
from s4tok.geometry.placement import AXES
from s4tok.geometry.rooms import METRES
from s4tok.inference.loading import Checkpoint
from s4tok.inference.results import Segmentation
from s4tok.shapes import Array
from s4tok.synthetic.datasets import ToyRooms, ToyScans, ToyShapes

UTM = np.array([453_000.25, 5_411_000.5, 220.125])
KINDS = {"bed": 1, "chair": 6, "lamp": 9, "table": 14}  # of toy-shapes, by their place
EVERY = list(product(AXES, METRES, (False, True)))
SOME: list[tuple[Axis, Unit, bool]] = [("z", "cm", True), ("x", "inch", False), ("y", "mm", True)]
ROOM_WORDS = ["wall", "floor", "chair", "table", "bed", "sofa"]


@pytest.fixture(scope="module")
def objects() -> Checkpoint:
    return s4tok.load(device="cpu")


@pytest.fixture(scope="module")
def rooms() -> Checkpoint:
    return s4tok.load("universal", device="cpu")


def saved(xyz: Array, axis: Axis, unit: Unit, far: bool) -> PointCloud:
    """A cloud whose y is up, in metres, as another program would have saved it."""
    return PointCloud.of(xyz.astype(np.float64) @ upright(axis) / METRES[unit] + far * UTM)


def require_same(found: list[Segmentation], variants: list[tuple[Axis, Unit, bool]]) -> None:
    for each, (axis, _, _) in zip(found, variants, strict=True):
        assert each.up == axis
        assert (np.asarray(each.labels) == np.asarray(found[0].labels)).mean() >= 0.99


@pytest.mark.parametrize(
    ("kind", "variants"),
    [("chair", SOME), *(pytest.param(kind, EVERY, marks=pytest.mark.slow) for kind in KINDS)],
)
def test_an_object(objects: Checkpoint, kind: str, variants: list[tuple[Axis, Unit, bool]]) -> None:
    shapes = ToyShapes("val")
    xyz, parts = shapes[shapes.keys[KINDS[kind]]].xyz, [shapes.classes[part] for part in shapes.parts[kind]]
    clouds = [saved(xyz, *variant) for variant in variants]
    found = s4tok.segment(clouds, parts, objects, category=kind)
    require_same(found, variants)
    assert {each.scene for each in found} == {"object"}


@pytest.mark.slow
@pytest.mark.parametrize("dataset", [ToyScans, ToyRooms])
def test_a_room(rooms: Checkpoint, dataset: type[ToyScans | ToyRooms]) -> None:
    clouds = dataset("val")
    xyz = clouds[clouds.keys[0]].xyz[::3] @ upright("z").T
    found = [s4tok.segment(saved(xyz, *variant), ROOM_WORDS, rooms) for variant in SOME]
    require_same(found, SOME)
    assert [each.unit for each in found] == ["cm", "inch", "mm"]


@pytest.mark.slow
@pytest.mark.parametrize("dataset", [ToyScans, ToyRooms])
def test_a_room_in_single_precision(rooms: Checkpoint, dataset: type[ToyScans | ToyRooms]) -> None:
    clouds = dataset("val")
    xyz = clouds[clouds.keys[0]].xyz[::3].astype(np.float64) @ upright("z").T
    variants: list[tuple[Axis, Unit, bool]] = [("y", "m", False), ("z", "mm", False), ("x", "inch", False)]
    files = [(xyz @ upright(axis) / METRES[unit]).astype(np.float32) for axis, unit, _ in variants]
    require_same([s4tok.segment(file, ROOM_WORDS, rooms) for file in files], variants)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["chair", "table", "sofa"])
def test_a_real_models_points(objects: Checkpoint, furniture: Path, kind: str) -> None:
    models = open_dataset(furniture, split="test", dataset="sh3d")
    key = next(key for key in models.keys if models.category(key) == models.categories.index(kind))
    variants = EVERY[::5]
    clouds = [saved(models[key].xyz, *variant) for variant in variants]
    require_same(s4tok.segment(clouds, ["seat", "back", "leg", "top"], objects), variants)
