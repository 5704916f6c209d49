import pickle
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.shapenet55 import CATEGORIES, ShapeNet55
from s4tok.errors import UsageError

TRAIN = ["02691156-1a04e3eab45ca15dd86060f189eb133", "04554684-f1d8a7c9-with-hyphens"]
TEST = ["03001627-1006be65e7bc937e9141f9b58470d646"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Lay a small ShapeNet55 out as Point-BERT does."""
    root = tmp_path / "ShapeNet55-34"
    (root / "shapenet_pc").mkdir(parents=True)
    (root / "ShapeNet-55").mkdir()
    for split, names in (("train", TRAIN), ("test", TEST)):
        (root / "ShapeNet-55" / f"{split}.txt").write_text("".join(f"{name}.npy\n" for name in names))
        for name in names:
            rng = np.random.default_rng(len(name))
            np.save(root / "shapenet_pc" / f"{name}.npy", rng.random((8192, 3)).astype(np.float32))
    return root


def test_clouds_come_in_the_files_order_with_their_category(folder: Path) -> None:
    dataset = open_dataset(folder)
    assert (dataset.name, dataset.split, dataset.up, dataset.scene) == ("shapenet55", "train", "y", "object")
    assert list(dataset.keys) == sorted(TRAIN)
    cloud = dataset[TRAIN[0]]
    expected = np.load(folder / "shapenet_pc" / f"{TRAIN[0]}.npy")
    np.testing.assert_allclose(cloud.original_xyz(), expected, atol=1e-6)
    assert [dataset.categories[dataset.category(key) or 0] for key in TRAIN] == ["airplane", "washer"]
    assert dataset.origin(TRAIN[0]).path == f"shapenet_pc/{TRAIN[0]}.npy"


def test_a_dataset_sent_to_another_process_is_the_same(folder: Path) -> None:
    dataset = open_dataset(folder, split="all")
    again = pickle.loads(pickle.dumps(dataset))
    assert again.keys == dataset.keys == tuple(sorted(TRAIN + TEST))
    np.testing.assert_array_equal(again[TEST[0]].xyz, dataset[TEST[0]].xyz)


def test_splits_join_and_an_unknown_one_is_refused(folder: Path) -> None:
    assert len(open_dataset(folder, split="train+test")) == 3
    with pytest.raises(UsageError, match="no split is called 'val'; there are: train, test, all"):
        open_dataset(folder, split="val")


def test_there_are_55_categories_of_eight_digits_in_their_order() -> None:
    assert len(set(CATEGORIES.values())) == len(ShapeNet55.categories) == 55
    assert list(CATEGORIES) == sorted(CATEGORIES)
    assert {len(synset) for synset in CATEGORIES} == {8}
    assert sum(ShapeNet55.official.values()) == 52470


@pytest.mark.parametrize("name", ["shapenet55-34", "ShapeNet55-34"])
def test_folders_in_another_case_and_one_level_deeper_are_found(name: str, folder: Path) -> None:
    (folder / "ShapeNet-55").rename(folder / "shapenet-55")
    (folder / "shapenet_pc").rename(folder / "ShapeNet_PC")
    folder.rename(folder.with_name("x")).rename(folder.with_name(name))
    dataset = open_dataset(folder.parent)
    assert len(dataset[TRAIN[0]]) == 8192


def test_a_missing_list_says_where_lists_come_from(folder: Path) -> None:
    (folder / "ShapeNet-55" / "test.txt").unlink()
    with pytest.raises(DamagedFile, match=r"ShapeNet-55/test.txt: the list of this split is not there") as missing:
        open_dataset(folder, split="test")
    assert "Point-BERT" in missing.value.hint


def test_an_empty_list_and_one_that_leaves_the_folder_are_refused(folder: Path) -> None:
    names = folder / "ShapeNet-55" / "train.txt"
    names.write_text("")
    with pytest.raises(DamagedFile, match=r"train.txt: is empty"):
        open_dataset(folder)
    names.write_text("../../../etc/passwd.npy\n")
    with pytest.raises(DamagedFile, match="outside the dataset"):
        open_dataset(folder)


@pytest.mark.parametrize("points", [np.zeros((8192, 4)), np.zeros(8192), np.full((8192, 3), np.nan), np.zeros((1, 3))])
def test_a_file_that_is_no_cloud_is_told_by_name(
    points: np.ndarray[tuple[int, ...], np.dtype[np.float64]], folder: Path
) -> None:
    np.save(folder / "shapenet_pc" / f"{TRAIN[0]}.npy", points)
    with pytest.raises(DamagedFile, match=TRAIN[0]):
        open_dataset(folder)[TRAIN[0]]
