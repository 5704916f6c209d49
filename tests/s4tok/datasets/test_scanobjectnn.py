from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.scanobjectnn import ObjBg, ObjOnly, ScanObjectNN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Lay the three variants out as h5_files.zip does."""
    for inner, suffix, count in (
        ("main_split", "", 3),
        ("main_split_nobg", "", 4),
        ("main_split", "_augmentedrot_scale75", 5),
        ("split1", "", 2),
    ):
        (tmp_path / "h5_files" / inner).mkdir(parents=True, exist_ok=True)
        for split, more in (("training", 1), ("test", 0)):
            with h5py.File(tmp_path / "h5_files" / inner / f"{split}_objectdataset{suffix}.h5", "w") as file:
                rng = np.random.default_rng(count)
                file["data"] = rng.standard_normal((count + more, 2048, 3)).astype(np.float32)
                file["label"] = rng.integers(0, 15, count + more)
                file["mask"] = np.where(rng.random((count + more, 2048)) < 0.3, -1, 7)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "count", "path"),
    [
        ("scanobjectnn", 5, "main_split/test_objectdataset_augmentedrot_scale75.h5"),
        ("scanobjectnn-obj-bg", 3, "main_split/test_objectdataset.h5"),
        ("scanobjectnn-obj-only", 4, "main_split_nobg/test_objectdataset.h5"),
    ],
)
def test_each_variant_reads_its_own_file(name: str, count: int, path: str, folder: Path) -> None:
    dataset = open_dataset(folder, split="test", dataset=name)
    assert len(dataset) == count
    assert dataset.name == name
    with h5py.File(folder / "h5_files" / path) as file:
        points, mask, label = (file[field][()] for field in ("data", "mask", "label"))
    for row, key in enumerate(dataset.keys):
        cloud = dataset[key]
        np.testing.assert_allclose(cloud.original_xyz(), points[row], atol=1e-5)
        np.testing.assert_array_equal(np.asarray(cloud.labels), np.where(mask[row] == -1, -1, 0))
        assert dataset.category(key) == label[row]
    assert len(open_dataset(folder, split="all", dataset=name)) == 2 * count + 1


def test_a_folder_of_all_variants_is_taken_for_the_hardest_and_one_alone_for_itself(folder: Path) -> None:
    assert open_dataset(folder / "h5_files").name == "scanobjectnn"
    assert open_dataset(folder / "h5_files" / "main_split_nobg").name == "scanobjectnn-obj-only"


def test_the_official_counts_are_the_files_and_not_the_papers() -> None:
    assert [each.official for each in (ScanObjectNN, ObjBg, ObjOnly)] == [
        {"train": 11416, "test": 2882},
        {"train": 2309, "test": 581},
        {"train": 2309, "test": 581},
    ]
    assert len(ScanObjectNN.categories) == 15


def test_a_missing_half_a_wrong_mask_and_a_broken_file_are_told(folder: Path) -> None:
    path = folder / "h5_files" / "main_split" / "test_objectdataset_augmentedrot_scale75.h5"
    with h5py.File(path, "r+") as file:
        del file["mask"]
        file["mask"] = np.zeros((5, 100))
    with pytest.raises(DamagedFile, match="mask must be one number a point"):
        open_dataset(folder, split="test")["test/00000"]
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DamagedFile, match="no whole HDF5 file"):
        open_dataset(folder, split="test")
    path.unlink()
    with pytest.raises(DamagedFile, match="is not there"):
        open_dataset(folder, split="test")
    assert len(open_dataset(folder, split="train")) == 6
