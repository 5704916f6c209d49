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
from s4tok.synthetic.buildings import make_building_room
from s4tok.synthetic.home_datasets import HomeRoom, HomeRooms, HomeScans, tell_made
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scans import make_scan_room
from tests.s4tok.synthetic.test_models import libraries
from tests.s4tok.synthetic.test_thing_boxes import check_boxes


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scans", "rooms"])
def test_any_workers_in_any_order_furnish_the_same_rooms(kind: str, tmp_path: Path) -> None:
    dataset = small(kind, libraries(tmp_path))
    alone = [digest(dataset, key) for key in dataset.keys]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        others = list(pool.map(digest, [dataset] * len(dataset), reversed(dataset.keys)))
    assert others[::-1] == alone
    assert len(set(alone)) == len(alone)


@pytest.mark.slow
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


@pytest.mark.parametrize("kind", ["scans", "rooms"])
def test_boxes_hold_the_points_of_their_instances(kind: str) -> None:
    dataset = small(kind, None)
    for key in dataset.keys[-2:]:
        check_boxes(dataset, dataset[key], fewest=3)


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
    clouds = [dataset[key] for key in dataset.keys]
    models = [dataset.models(key) for key in dataset.keys]
    boxes = [cloud.boxes for cloud in clouds if cloud.boxes is not None]
    assert min(map(len, boxes)) >= 4
    instances = [each.instances for each in boxes if each.instances is not None]
    of_boxes = {names[thing] for each, names in zip(instances, models, strict=True) for thing in each}
    assert of_boxes - {""}
    assert all(model.startswith("Scopia/") for model in of_boxes - {""})
