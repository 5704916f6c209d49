import hashlib
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.scannet import ScanNet
from s4tok.shapes import Array
from s4tok.synthetic.buildings import make_building_room
from s4tok.synthetic.home_datasets import Box, HomeRoom, HomeRooms, HomeScans, tell_made
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import make_scan_room
from tests.s4tok.synthetic.test_models import libraries


def small(kind: str, furniture: FolderLayout | None) -> HomeScans | HomeRooms:
    if kind == "scans":
        return HomeScans("train+test", furniture=furniture, sizes=(1, 0, 1), voxel=0.08)
    return HomeRooms("train+test", furniture=furniture, sizes=(1, 0, 1), points=5000)


def digest(dataset: HomeRoom, key: str) -> str:
    cloud = dataset[key]
    assert cloud.color is not None
    assert cloud.labels is not None
    frame = next(dataset.frames(key, step=400))
    arrays = [cloud.xyz, cloud.offset, cloud.color, cloud.labels, frame.color, frame.depth, frame.camera_to_world]
    return hashlib.blake2b(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


@pytest.mark.parametrize("kind", ["scans", "rooms"])
def test_any_workers_in_any_order_furnish_the_same_rooms(kind: str, tmp_path: Path) -> None:
    dataset = small(kind, libraries(tmp_path))
    alone = [digest(dataset, key) for key in dataset.keys]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        others = list(pool.map(digest, [dataset] * len(dataset), reversed(dataset.keys)))
    assert others[::-1] == alone
    assert len(set(alone)) == len(alone)


def test_rooms_hold_models_of_their_own_split(tmp_path: Path) -> None:
    dataset = HomeScans("all", furniture=libraries(tmp_path), sizes=(6, 2, 6))
    used = {key: set(dataset.room(key, dataset.draw(key)).sources) - {""} for key in dataset.keys}
    for split, prefix in (("train", "BlendSwap"), ("test", "Scopia")):
        found = set().union(*(used[key] for key in used if key.startswith(split)))
        assert found
        assert all(each.startswith(prefix) for each in found)
    assert not any(used[key] for key in used if key.startswith("val"))


def test_the_origin_tells_the_furniture(tmp_path: Path) -> None:
    furnished, made = small("scans", libraries(tmp_path)), small("scans", None)
    key = furnished.keys[0]
    assert furnished.origin(key).path != made.origin(key).path
    assert furnished.origin(key) == small("scans", libraries(tmp_path)).origin(key)
    assert "furniture-made" in made.origin(key).path
    assert "BlendSwap-CC-0-" in furnished.origin(furnished.keys[-1]).path


def test_furniture_is_found_under_the_data_root_and_its_lack_is_told_in_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tell_made.cache_clear()
    with caplog.at_level(logging.WARNING):
        made = open_dataset("home-scans", root=tmp_path)
        open_dataset("home-scans", root=tmp_path)
    assert isinstance(made, HomeScans)
    assert made.furniture is None
    assert caplog.text.count("`s4tok data fetch sh3d`") == 1
    caplog.clear()
    (tmp_path / "sh3d").mkdir()
    layout = libraries(tmp_path / "sh3d")
    furnished = open_dataset("home-rooms", root=tmp_path)
    assert isinstance(furnished, HomeRooms)
    assert furnished.furniture == layout
    assert not caplog.text


def test_classes_are_those_of_the_real_datasets() -> None:
    assert tuple(HomeScans.classes) == tuple(ScanNet.classes)
    assert len(HomeRooms.classes) == 13


def inside(box: Box, points: Array) -> float:
    """Give the share of points within a box and a hand's breadth around it."""
    cosine, sine = np.cos(box.heading), np.sin(box.heading)
    away = points - np.array(box.center)
    own = np.stack([cosine * away[:, 0] + sine * away[:, 1], cosine * away[:, 1] - sine * away[:, 0], away[:, 2]], 1)
    return float((np.abs(own) <= np.array(box.size) / 2 + 0.06).all(1).mean())


@pytest.mark.parametrize("kind", ["scans", "rooms"])
def test_boxes_hold_the_points_of_their_instances(kind: str) -> None:
    dataset = small(kind, None)
    for key in dataset.keys[-2:]:
        cloud, of_point, boxes = dataset[key], dataset.instances(key), dataset.boxes(key)
        assert cloud.labels is not None
        assert len(of_point) == len(cloud)
        assert len(boxes) >= 4
        xyz = cloud.original_xyz()
        for box in boxes:
            mine = of_point == box.instance
            assert mine.sum() >= 20
            assert inside(box, xyz[mine]) > 0.95, box.name
            assert set(cloud.labels[mine].tolist()) == {box.label}
        structure = [dataset.classes.index(name) for name in ("wall", "floor")]
        assert (of_point[np.isin(cloud.labels, [-1, *structure])] == -1).all()


def test_toy_rooms_are_built_as_before_there_were_homes() -> None:
    """The hash is of the commit before; where this fails, caches of toy rooms are no longer what they say."""
    whole = hashlib.blake2b(digest_size=8)
    for seed in range(4):
        for scene in (make_scan_room(Draw(seed, "kept")), make_building_room(Draw(seed, "kept"))):
            for array in (scene.vertices, scene.faces, scene.classes, scene.things, scene.parts, scene.colors):
                whole.update(np.ascontiguousarray(array).tobytes())
            whole.update(np.ascontiguousarray(scene.free).tobytes())
            whole.update(np.ascontiguousarray(scene.sights).tobytes())
    assert whole.hexdigest() == "7b9fac1890475da6"


def test_real_furniture_stands_in_rooms_with_its_boxes(furniture: Path) -> None:
    dataset = open_dataset("home-scans", split="test", limit=3, root=furniture)
    assert isinstance(dataset, HomeScans)
    boxes = [dataset.boxes(key) for key in dataset.keys]
    assert min(map(len, boxes)) >= 4
    models = {box.model for each in boxes for box in each} - {""}
    assert models
    assert all(model.startswith("Scopia/") for model in models)
