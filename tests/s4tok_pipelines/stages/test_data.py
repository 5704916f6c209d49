from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok.datasets.modelnet40 import ModelNet40
from s4tok.datasets.table import DATASETS, OWN_FILES
from s4tok.errors import InputError
from s4tok_pipelines.stages.data import check, list_datasets


@pytest.fixture
def modelnet(tmp_path: Path) -> Path:
    root = tmp_path / "data" / "modelnet40"
    table = np.random.default_rng(0).standard_normal((20, 6))
    table[:, 3:] /= np.linalg.norm(table[:, 3:], axis=1, keepdims=True)
    for split, numbers in (("train", (1, 2, 3)), ("test", (4, 5))):
        (root / "chair").mkdir(parents=True, exist_ok=True)
        names = [f"chair_{number:04d}" for number in numbers]
        (root / f"modelnet40_{split}.txt").write_text("\n".join(names))
        for name in names:
            np.savetxt(root / "chair" / f"{name}.txt", table, delimiter=",")
    return root


@pytest.fixture
def hdf5_of_one_split(tmp_path: Path) -> Path:
    root = tmp_path / "h5_files" / "main_split"
    root.mkdir(parents=True)
    for split, count in (("training", 2), ("test", 0)):
        with h5py.File(root / f"{split}_objectdataset_augmentedrot_scale75.h5", "w") as file:
            file["data"] = np.random.default_rng(0).random((count, 2048, 3))
            file["label"], file["mask"] = np.zeros(count, np.int64), np.zeros((count, 2048))
    return tmp_path / "h5_files"


def test_the_list_tells_what_is_there_what_is_not_and_what_cannot_be_opened(modelnet: Path) -> None:
    root = modelnet.parent
    known = {each.name: each for each in list_datasets(root)}
    assert list(known) == [name for name in DATASETS if name != OWN_FILES]
    assert known["modelnet40"].splits == {"train": 3, "test": 2}
    assert known["modelnet40"].layout == "txt"
    assert known["shapenet55"].path == ""
    assert known["shapenet55"].source
    (modelnet / "modelnet40_test.txt").unlink()
    halved = next(each for each in list_datasets(root) if each.name == "modelnet40")
    assert halved.splits == {"train": 3}
    assert "modelnet40_test.txt" in halved.trouble


def test_a_smaller_copy_is_a_problem_unless_it_is_said_to_be_one(modelnet: Path) -> None:
    checked = check([modelnet])
    assert [finding.sentence for finding in checked.problems] == [
        "split train has 3 clouds; the official one has 9,843.",
        "split test has 2 clouds; the official one has 2,468.",
    ]
    assert (checked.clouds, checked.splits) == (5, {"train": 3, "test": 2})
    partial = check(["modelnet40"], root=modelnet.parent, partial=True)
    assert not partial.problems
    assert [finding.severity for finding in partial.findings] == ["note", "note"]


def test_a_copy_with_more_clouds_than_the_official_one_is_never_a_part_of_it(
    modelnet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelNet40, "official", {"train": 3, "test": 1})
    problems = check([modelnet], partial=True).problems
    assert [finding.sentence for finding in problems] == ["split test has 2 clouds; the official one has 1."]


def test_a_split_without_clouds_is_a_problem_unless_the_copy_is_a_part(hdf5_of_one_split: Path) -> None:
    assert [each.sentence for each in check([hdf5_of_one_split]).problems if "holds no cloud" in each.sentence] == [
        "holds no cloud of split test of scanobjectnn."
    ]
    partial = check([hdf5_of_one_split], partial=True)
    assert not partial.problems
    listed = next(each for each in list_datasets(hdf5_of_one_split.parent) if each.name == "scanobjectnn")
    assert (listed.splits, listed.trouble) == ({"train": 2, "test": 0}, "")


def test_every_kind_of_damage_is_found_with_its_file_and_line(modelnet: Path) -> None:
    (modelnet / "chair" / "chair_0001.txt").unlink()
    path = modelnet / "chair" / "chair_0002.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:9], "nan," + lines[9].partition(",")[2], *lines[10:]]))
    (modelnet / "chair" / "chair_0003.txt").write_bytes(b"0,0,0,0,0,1\n\0")
    (modelnet / "chair" / "chair_0004.txt").write_text("")
    (modelnet / "chair" / "chair_0005.txt").write_text("0,0,0,0,0,1\n")
    problems = check([modelnet], partial=True).problems
    found = [(Path(each.path).name, each.line, each.sentence.partition(",")[0]) for each in problems]
    assert found == [
        ("chair_0001.txt", None, "is listed and is not there."),
        ("chair_0002.txt", 10, "coordinates must be finite"),
        ("chair_0003.txt", 2, "has a NUL byte."),
        ("chair_0004.txt", None, "is empty."),
        ("chair_0005.txt", None, "a cloud needs at least 2 points"),
    ]


def test_own_files_are_read_through_too(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "good.xyz", np.random.default_rng(0).random((5, 3)))
    (tmp_path / "bad.ply").write_text("ply\n")
    checked = check([tmp_path])
    assert checked.clouds == 2
    assert [Path(each.path).name for each in checked.problems] == ["bad.ply"]


def test_a_dataset_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="modelnet40 is not under"):
        check(["modelnet40"], root=tmp_path)


def test_a_damaged_list_is_named_once(modelnet: Path) -> None:
    (modelnet / "modelnet40_train.txt").write_text("")
    (problem,) = check([modelnet], partial=True).problems
    assert (Path(problem.path).name, problem.sentence) == ("modelnet40_train.txt", "is empty.")
