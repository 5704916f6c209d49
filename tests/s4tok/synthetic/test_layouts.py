from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.errors import InputError, UsageError
from s4tok.synthetic.datasets import ToyRooms, ToyScans, ToyShapes
from s4tok.synthetic.home_datasets import HomeScans
from s4tok.synthetic.layouts import LAYOUTS, write
from tests.s4tok.synthetic.test_models import libraries

FEW = (18, 3, 15)  # one category follows another


@pytest.mark.parametrize(
    ("layout", "splits"),
    [
        ("shapenet55", {"train": 21, "test": 15}),
        ("shapenetpart", {"train": 11, "val": 1, "test": 10}),
        ("modelnet40", {"train": 19, "test": 13}),
        ("scanobjectnn", {"train": 11, "test": 7}),
    ],
)
def test_toy_objects_are_read_by_the_real_datasets_reader(layout: str, splits: dict[str, int], tmp_path: Path) -> None:
    written = list(write(layout, tmp_path / "toy", FEW))
    assert len(written) == sum(splits.values())
    for split, count in splits.items():
        dataset = open_dataset(tmp_path / "toy", split=split, dataset=layout)
        assert len(dataset) == count
        for key in dataset.keys[:4]:
            assert len(dataset[key]) >= 2048
            assert dataset.category(key) is not None


def test_part_labels_and_categories_survive(tmp_path: Path) -> None:
    written = list(write("shapenetpart", tmp_path, (15, 0, 0)))
    dataset, toys = (
        open_dataset(tmp_path, dataset="shapenetpart", split="train"),
        ToyShapes(sizes=(15, 0, 0), points=2600),
    )
    renamed = {"shade": "lampshade", "pole": "tube", "base": "support", "brim": "visor"}
    for ours in written:
        split, number, name = ours.split("-")
        [theirs] = [key for key in dataset.keys if key.endswith(f"toy{split}{number}")]
        category = dataset.category(theirs)
        assert category is not None
        assert dataset.categories[category] == name
        read, made = dataset[theirs], toys[ours]
        np.testing.assert_allclose(read.xyz, made.xyz, atol=2e-6)
        assert read.labels is not None
        assert made.labels is not None
        said = [dataset.classes[label] for label in read.labels]
        meant = [renamed.get(part := toys.classes[label], part) for label in made.labels]
        if name == "mug":
            meant = ["cup" if part == "body" else part for part in meant]
        assert said == meant


def test_modelnet_meshes_of_words_keep_their_class(tmp_path: Path) -> None:
    list(write("modelnet40", tmp_path, (15, 0, 0)))
    dataset = open_dataset(tmp_path, dataset="modelnet40", split="train")
    named = {dataset.categories[number] for key in dataset.keys if (number := dataset.category(key)) is not None}
    assert {"airplane", "chair", "cup", "dresser", "monitor"} <= named
    assert all(dataset[key].normals is not None for key in dataset.keys[:3])


def test_scanned_objects_stand_on_a_floor_that_is_marked(tmp_path: Path) -> None:
    list(write("scanobjectnn", tmp_path, (15, 0, 15)))
    background = open_dataset(tmp_path, dataset="scanobjectnn-obj-bg", split="test")
    alone = open_dataset(tmp_path, dataset="scanobjectnn-obj-only", split="test")
    labels = background[background.keys[0]].labels
    assert labels is not None
    assert 0.1 < (labels == -1).mean() < 0.3
    assert (np.asarray(alone[alone.keys[0]].labels) == 0).all()


def test_a_toy_scan_is_read_by_the_scannet_reader_with_its_classes_and_frames(tmp_path: Path) -> None:
    assert len(list(write("scannet", tmp_path, (1, 0, 1)))) == 2
    dataset, toys = open_dataset(tmp_path, dataset="scannet", split="train"), ToyScans(sizes=(1, 0, 1))
    cloud, made = dataset["scene0000_00"], toys[toys.keys[0]]
    np.testing.assert_allclose(cloud.original_xyz(), made.original_xyz(), atol=2e-6)
    assert cloud.labels is not None
    assert made.labels is not None
    said = np.array([*dataset.classes, ""])[cloud.labels]
    meant = np.array([*toys.classes, ""])[made.labels]
    left_out = ["lamp", "monitor", "laptop", "guitar", ""]  # not among ScanNet's twenty
    np.testing.assert_array_equal(said, np.where(np.isin(meant, left_out), "", meant))
    boxes, things = cloud.original_boxes(), made.instances
    assert boxes is not None
    assert boxes.instances is not None
    assert things is not None
    for box, thing in enumerate(boxes.instances):
        mine = made.original_xyz()[things == thing]
        np.testing.assert_allclose(boxes.sizes[box], np.ptp(mine, axis=0), atol=1e-5)
        np.testing.assert_allclose(boxes.centers[box], (mine.min(axis=0) + mine.max(axis=0)) / 2, atol=1e-5)
    assert {dataset.box_classes[label] for label in boxes.labels} == set(said[things >= 0]) - {""}
    mesh, made_mesh = dataset.mesh("scene0000_00"), toys.mesh(toys.keys[0])
    assert mesh is not None
    np.testing.assert_array_equal(mesh.faces, made_mesh.faces)
    frames = list(dataset.frames("scene0000_00", step=20))
    assert len(frames) == 20
    twin = next(toys.frames(toys.keys[0], step=400))
    np.testing.assert_allclose(frames[0].depth, twin.depth, atol=1e-6)
    np.testing.assert_allclose(frames[0].camera_to_world, twin.camera_to_world, atol=1e-6)
    np.testing.assert_allclose(frames[0].depth_intrinsics, twin.depth_intrinsics, atol=1e-6)
    assert np.abs(frames[0].color.astype(float) - twin.color).mean() < 6  # a JPEG
    test = open_dataset(tmp_path, dataset="scannet", split="test")
    assert (np.asarray(test[test.keys[0]].labels if test[test.keys[0]].labels is not None else -1) == -1).all()


@pytest.mark.slow
def test_a_furnished_scan_is_read_by_the_scannet_reader_with_its_classes(tmp_path: Path) -> None:
    furniture = libraries(tmp_path / "sh3d")
    written = list(write("scannet", tmp_path / "scannet", (1, 0, 1), furniture=furniture, of_homes=True))
    assert written == ["train-000000", "test-000000"]
    read = open_dataset(tmp_path / "scannet", dataset="scannet", split="train")
    homes = HomeScans("train", furniture=furniture, sizes=(1, 0, 0))
    cloud, made = read[read.keys[0]], homes[homes.keys[0]]
    assert tuple(read.classes) == tuple(homes.classes)
    np.testing.assert_allclose(cloud.xyz, made.xyz, atol=1e-5)
    assert cloud.labels is not None
    assert made.labels is not None
    np.testing.assert_array_equal(cloud.labels, made.labels)
    with pytest.raises(UsageError, match="no layout is called 's3dis'"):
        write("s3dis", tmp_path / "new", of_homes=True)


def test_a_toy_room_is_read_by_the_s3dis_reader_in_the_buildings_coordinates(tmp_path: Path) -> None:
    assert len(list(write("s3dis", tmp_path, (0, 0, 1)))) == 1
    dataset, toys = open_dataset(tmp_path, dataset="s3dis", split="test"), ToyRooms("test", sizes=(0, 0, 1))
    [key] = dataset.keys
    cloud, made = dataset[key], toys[toys.keys[0]]
    assert key == "Area_5/office_1"
    assert dataset.classes == toys.classes
    assert len(cloud) == len(made)
    np.testing.assert_allclose(cloud.offset, made.offset, atol=1e-3)
    assert cloud.labels is not None
    assert made.labels is not None
    np.testing.assert_array_equal(np.bincount(cloud.labels), np.bincount(made.labels))


def test_toy_data_does_not_mix_with_other_data(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("precious")
    with pytest.raises(InputError, match="is not empty, and toy data must not mix"):
        write("shapenet55", tmp_path)
    with pytest.raises(UsageError, match="no layout is called 'kitti'"):
        write("kitti", tmp_path / "new")
    assert set(LAYOUTS) == {"shapenet55", "shapenetpart", "modelnet40", "scanobjectnn", "scannet", "sunrgbd", "s3dis"}
