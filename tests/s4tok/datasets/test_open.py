from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.reader import FileDataset, Finding, FolderLayout, parts_of
from s4tok.datasets.table import DATASETS, OWN_FILES
from s4tok.errors import InputError, UsageError


def _modelnet(root: Path) -> Path:
    (root / "chair").mkdir(parents=True)
    table = np.random.default_rng(0).standard_normal((20, 6))
    table[:, 3:] /= np.linalg.norm(table[:, 3:], axis=1, keepdims=True)
    for name in ("chair_0001", "chair_0002", "chair_0003"):
        np.savetxt(root / "chair" / f"{name}.txt", table, delimiter=",")
    (root / "modelnet40_train.txt").write_text("chair_0002\nchair_0001\n")
    (root / "modelnet40_test.txt").write_text("chair_0003\n")
    return root


def _shapenet(root: Path) -> Path:
    (root / "shapenet_pc").mkdir(parents=True)
    (root / "ShapeNet-55").mkdir()
    (root / "ShapeNet-55" / "train.txt").write_text("03001627-a.npy\n")
    np.save(root / "shapenet_pc" / "03001627-a.npy", np.random.default_rng(0).random((20, 3)))
    return root


def test_every_row_of_the_table_loads_a_class_that_keeps_the_contract() -> None:
    for name, row in DATASETS.items():
        reader = row.load()
        assert reader.splits, name
        assert row.says, name
        if not row.made:
            assert issubclass(reader, FileDataset), name
            assert set(reader.official) <= set(reader.splits), name
    assert list(DATASETS)[-1] == OWN_FILES


def test_no_reader_takes_an_empty_folder_for_its_own(tmp_path: Path) -> None:
    assert [name for name, row in DATASETS.items() if not row.asked and row.recognises(tmp_path)] == []
    with pytest.raises(InputError, match="is no dataset in a known layout"):
        open_dataset(tmp_path)


def test_a_known_name_is_looked_for_in_its_folder_in_the_root_and_in_any_folder_of_it(tmp_path: Path) -> None:
    for i, inner in enumerate(
        ("modelnet40", "", "downloads", "modelnet40_normal_resampled", "x/modelnet40_normal_resampled")
    ):
        root = tmp_path / str(i)
        _modelnet(root / inner)
        assert open_dataset("modelnet40", root=root).keys == ("chair_0001", "chair_0002")
    with pytest.raises(InputError, match="shapenet55 is not under") as missing:
        open_dataset("shapenet55", root=tmp_path / "0")
    assert "--data-root" in missing.value.hint


def test_a_name_that_is_no_dataset_and_no_path_suggests_one() -> None:
    with pytest.raises(InputError, match="no such file or folder") as missing:
        open_dataset("modelnet_40")
    assert missing.value.hint == "did you mean 'modelnet40'?"
    with pytest.raises(UsageError, match="no source"):
        open_dataset([])


def test_a_folder_of_two_datasets_asks_which_one(tmp_path: Path) -> None:
    _modelnet(tmp_path)
    _shapenet(tmp_path)
    with pytest.raises(UsageError, match="holds several datasets: shapenet55, modelnet40"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path, dataset="shapenet55").name == "shapenet55"


def test_a_folder_that_is_not_what_the_user_says_it_is_is_refused(tmp_path: Path) -> None:
    _modelnet(tmp_path)
    with pytest.raises(InputError, match="does not look like scanobjectnn"):
        open_dataset(tmp_path, dataset="scanobjectnn")
    with pytest.raises(UsageError, match="no dataset is called 'modelnet'") as unknown:
        open_dataset(tmp_path, dataset="modelnet")
    assert "modelnet40" in unknown.value.hint


def test_a_kind_that_contradicts_the_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("0 0 0\n1 1 1\n")
    for source in (tmp_path / "a.xyz", "modelnet40"):
        with pytest.raises(UsageError, match="and --dataset says shapenet55"):
            open_dataset(source, dataset="shapenet55")
    assert len(open_dataset(tmp_path / "a.xyz", dataset="own-files")) == 1


def test_a_limit_takes_the_first_clouds(tmp_path: Path) -> None:
    assert open_dataset(_modelnet(tmp_path), split="all", limit=2).keys == ("chair_0001", "chair_0002")
    assert len(open_dataset(tmp_path, limit=99)) == 2


@pytest.mark.parametrize("line", ["03001627-a", "03001627-a.npy", "shape_data/03001627/a", "03001627/a.txt", "a\r"])
def test_models_of_a_list_are_left_out_however_it_writes_them(line: str, tmp_path: Path) -> None:
    _shapenet(tmp_path)
    (tmp_path / "ShapeNet-55" / "train.txt").write_text("03001627-a.npy\n03001627-b.npy\n")
    (tmp_path / "left-out.txt").write_text(f"{line}\nno-such-model\n\n")
    assert list(open_dataset(tmp_path, exclude=tmp_path / "left-out.txt").keys) == ["03001627-b"]


def test_splits_come_apart() -> None:
    assert parts_of("all", ("train", "test")) == ("train", "test")
    assert parts_of("test+train", ("train", "test")) == ("test", "train")
    with pytest.raises(UsageError, match="no split is called"):
        parts_of("train+", ("train", "test"))


def test_a_finding_reads_as_compilers_write_it() -> None:
    assert str(Finding("problem", "a.txt", 7, "is odd.")) == "a.txt:7: is odd."
    assert str(Finding("note", "a.txt", None, "is odd.")) == "a.txt: is odd."
    assert FolderLayout("txt", Path()).files == ()
