import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.reader import FileDataset
from s4tok.datasets.shapenetpart import ShapeNetPart
from s4tok.errors import InputError
from s4tok.shapes import Array

KEYS = {
    "train": ["02691156/a1", "02691156/a2", "04379243/t1"],
    "val": ["02954340/c1"],
    "test": ["04379243/t2", "02691156/a1"],  # the release has models in two splits
}


def _cloud(key: str) -> Array:
    rng = np.random.default_rng(sum(map(ord, key)))
    first, count = {"02691156": (0, 4), "02954340": (6, 2), "04379243": (47, 3)}[key[:8]]
    xyz, normals = rng.standard_normal((2, 50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return np.concatenate([xyz, normals, first + rng.integers(0, count, (50, 1))], axis=1)


@pytest.fixture
def txt(tmp_path: Path) -> Path:
    """Lay a small ShapeNetPart out as the texts are published."""
    root = tmp_path / "shapenetcore_partanno_segmentation_benchmark_v0_normal"
    (root / "train_test_split").mkdir(parents=True)
    (root / "synsetoffset2category.txt").write_text("Airplane\t02691156\nCap\t02954340\nTable\t04379243\n")
    for split, keys in KEYS.items():
        path = root / "train_test_split" / f"shuffled_{split}_file_list.json"
        path.write_text(json.dumps([f"shape_data/{key}" for key in keys]))
        for key in keys:
            (root / key).parent.mkdir(exist_ok=True)
            np.savetxt(root / f"{key}.txt", _cloud(key), fmt="%.6f")
    return root


@pytest.fixture
def hdf5(tmp_path: Path) -> Path:
    """Lay a small ShapeNetPart out as the HDF5 files are published."""
    root = tmp_path / "shapenet_part_seg_hdf5_data" / "hdf5_data"
    root.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("train0", 3), ("train1", 2), ("val0", 1), ("test0", 2)):
        with h5py.File(root / f"ply_data_{name}.h5", "w") as file:
            file["data"] = rng.random((count, 2048, 3)).astype(np.float32)
            file["label"] = np.full((count, 1), 15, np.uint8)
            file["pid"] = rng.integers(47, 50, (count, 2048)).astype(np.uint8)
    return tmp_path


def test_the_texts_give_points_normals_parts_and_category(txt: Path) -> None:
    dataset = open_dataset(txt)
    assert list(dataset.keys) == sorted(KEYS["train"])
    expected = _cloud("04379243/t1")
    cloud = dataset["04379243/t1"]
    np.testing.assert_allclose(cloud.original_xyz(), expected[:, :3], atol=1e-5)
    assert cloud.normals is not None
    np.testing.assert_allclose(np.asarray(cloud.normals), expected[:, 3:6], atol=1e-5)
    np.testing.assert_array_equal(np.asarray(cloud.labels), expected[:, 6])
    assert dataset.category("04379243/t1") == 15
    assert dataset.categories[15] == "table"


def test_the_hdf5_files_give_their_rows_one_folder_up_or_not(hdf5: Path) -> None:
    dataset = open_dataset(hdf5, split="train")
    assert len(dataset) == 5
    assert dataset.keys[3] == "ply_data_train1/00000"
    inner = hdf5 / "shapenet_part_seg_hdf5_data" / "hdf5_data"
    with h5py.File(inner / "ply_data_train1.h5") as file:
        points, parts = file["data"][()], file["pid"][()]
    for row in range(2):
        cloud = dataset[f"ply_data_train1/{row:05d}"]
        np.testing.assert_allclose(cloud.original_xyz(), points[row], atol=1e-6)
        np.testing.assert_array_equal(np.asarray(cloud.labels), parts[row])
    assert dataset.category(dataset.keys[3]) == 15
    assert dataset.origin(dataset.keys[3]) != dataset.origin(dataset.keys[4])
    whole = (inner / "ply_data_train1.h5").stat().st_size
    assert [dataset.origin(key).size for key in dataset.keys[3:]] == [whole // 2, whole // 2]
    assert open_dataset(inner, split="all").keys[-1] == "ply_data_val0/00000"


def test_the_table_of_parts_is_the_official_one() -> None:
    spans = {name: (ids[0], ids[-1]) for name, ids in ShapeNetPart.parts.items()}
    assert len(ShapeNetPart.categories) == 16
    assert len(ShapeNetPart.classes) == 50
    official = "0-3 4-5 6-7 8-11 12-15 16-18 19-21 22-23 24-27 28-29 30-35 36-37 38-40 41-43 44-46 47-49"
    assert [f"{first}-{last}" for first, last in spans.values()] == official.split()
    assert sum(ShapeNetPart.official.values()) == 16881


def test_models_in_two_splits_are_noted(txt: Path) -> None:
    dataset = open_dataset(txt)
    assert isinstance(dataset, FileDataset)
    assert [finding.sentence for finding in dataset.oddities()] == ["1 of the models in train are in test too."]


def test_a_part_of_another_category_is_told_with_its_line(txt: Path) -> None:
    path = txt / "02691156" / "a1.txt"
    lines = path.read_text().splitlines()
    for bad, told in (("4.000000", "part 4 is none of airplane, whose parts are 0 to 3"), ("1.5", "whole numbers")):
        lines[6] = " ".join([*lines[6].split()[:6], bad])
        path.write_text("\n".join(lines))
        with pytest.raises(DamagedFile, match=told) as damage:
            open_dataset(txt)["02691156/a1"]
        assert damage.value.line == 7


def test_a_list_that_is_missing_broken_or_leaves_the_folder_is_told(txt: Path) -> None:
    path = txt / "train_test_split" / "shuffled_train_file_list.json"
    for content in (
        "[",
        '{"a": 1}',
        "[1]",
        '["shape_data/99999999/x"]',
        '["shape_data/02691156/../../../secret"]',
        "[]",
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=str(txt)):
            open_dataset(txt)
    path.unlink()
    with pytest.raises(DamagedFile, match="the list of this split is not there"):
        open_dataset(txt)


def test_hdf5_files_whose_parts_do_not_fit_together_are_told(hdf5: Path) -> None:
    path = hdf5 / "shapenet_part_seg_hdf5_data" / "hdf5_data" / "ply_data_val0.h5"
    with h5py.File(path, "r+") as file:
        del file["pid"]
        file["pid"] = np.zeros((2, 2048), np.uint8)
    with pytest.raises(DamagedFile, match="as many rows of each, and has 1 of data, 1 of label, 2 of pid"):
        open_dataset(hdf5, split="val")
    with h5py.File(path, "r+") as file:
        del file["pid"]
        file["pid"] = np.zeros((1, 2048), np.uint8)
    with pytest.raises(DamagedFile, match="part 0 is none of table"):
        open_dataset(hdf5, split="val")["ply_data_val0/00000"]
    with h5py.File(path, "r+") as file:
        file["label"][0] = 16
    with pytest.raises(DamagedFile, match="label of row 0 is 16, and there are 16 classes"):
        open_dataset(hdf5, split="val")


def test_real_tables_and_caps_are_read_as_numpy_reads_them(real_data: Path) -> None:
    root = real_data / "shapenetpart" / "shapenetcore_partanno_segmentation_benchmark_v0_normal"
    dataset = open_dataset(root, split="all")
    read = 0
    for key in dataset.keys:
        path = root / f"{key}.txt"
        if path.is_file():
            expected, cloud = np.loadtxt(path), dataset[key]
            np.testing.assert_allclose(cloud.original_xyz(), expected[:, :3], atol=1e-6)
            np.testing.assert_array_equal(np.asarray(cloud.labels), expected[:, 6])
            read += 1
    assert read
