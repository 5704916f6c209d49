import os
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.formats import unpickling
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.modelnet40 import CLASSES, ModelNet40
from s4tok.shapes import Array


def _cloud(seed: int, n: int = 100) -> Array:
    xyz, normals = np.random.default_rng(seed).standard_normal((2, n, 3))
    return np.concatenate([xyz, normals / np.linalg.norm(normals, axis=1, keepdims=True)], axis=1)


@pytest.fixture
def txt(tmp_path: Path) -> Path:
    """Lay resampled texts out as they are published."""
    root = tmp_path / "modelnet40_normal_resampled"
    for seed, name in enumerate(("night_stand_0001", "airplane_0627", "airplane_0001")):
        folder = root / name.rpartition("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / f"{name}.txt", _cloud(seed), fmt="%.6f", delimiter=",")
    (root / "modelnet40_shape_names.txt").write_text("\n".join(CLASSES))
    (root / "modelnet40_train.txt").write_text("night_stand_0001\r\nairplane_0001\r\n")
    (root / "modelnet40_test.txt").write_text("airplane_0627\n")
    return root


@pytest.fixture
def hdf5(tmp_path: Path) -> Path:
    """Lay PointNet's HDF5 files out as they are published, lists of a stranger's folder included."""
    root = tmp_path / "modelnet40_ply_hdf5_2048"
    root.mkdir()
    for split, names in (("train", ("train0", "train1")), ("test", ("test0",))):
        lines = [f"data/modelnet40_ply_hdf5_2048/ply_data_{name}.h5" for name in names]
        (root / f"{split}_files.txt").write_text("\n".join(lines) + "\n")
        for seed, name in enumerate(names):
            with h5py.File(root / f"ply_data_{name}.h5", "w") as file:
                rng = np.random.default_rng(seed)
                file.create_dataset("data", data=rng.random((4, 2048, 3)).astype(np.float32), compression="gzip")
                file["label"] = rng.integers(0, 40, (4, 1)).astype(np.uint8)
    return root


@pytest.fixture
def dat(tmp_path: Path) -> Path:
    """Pickle clouds as Point-BERT does."""
    root = tmp_path / "pickles"
    root.mkdir()
    for split, classes in (("train", (30, 23)), ("test", (0,))):
        clouds = [_cloud(seed, 8192).astype(np.float32) for seed in classes]
        labels = [np.array([label], np.int32) for label in classes]
        (root / f"modelnet40_{split}_8192pts_fps.dat").write_bytes(pickle.dumps([clouds, labels]))
    return root


@pytest.fixture
def off(tmp_path: Path) -> Path:
    """Lay the original meshes out, the header of some glued to its counts, as published."""
    root = tmp_path / "ModelNet40"
    box = "\n".join(f"{x} {y} {z}" for x in (0, 1) for y in (0, 1) for z in (0, 1)) + "\n4 0 1 3 2\n4 4 5 7 6\n"
    for label in CLASSES:
        for split, number in (("train", 1), ("test", 2)):
            (root / label / split).mkdir(parents=True)
            head = "OFF8 2 0\n" if number == 1 else "OFF\n8 2 0\n"
            (root / label / split / f"{label}_{number:04d}.off").write_text(head + box)
    return root


def test_texts_give_points_normals_and_the_class_before_the_last_underscore(txt: Path) -> None:
    dataset = open_dataset(txt.parent)
    assert list(dataset.keys) == ["airplane_0001", "night_stand_0001"]
    cloud = dataset["night_stand_0001"]
    np.testing.assert_allclose(cloud.original_xyz(), _cloud(0)[:, :3], atol=1e-5)
    assert cloud.normals is not None
    np.testing.assert_allclose(cloud.normals, _cloud(0)[:, 3:], atol=1e-5)
    assert dataset.categories[dataset.category("night_stand_0001") or 0] == "night stand"
    assert list(open_dataset(txt, split="all").keys) == ["airplane_0001", "airplane_0627", "night_stand_0001"]


def test_hdf5_lists_name_a_strangers_folder_and_only_the_last_part_counts(hdf5: Path) -> None:
    dataset = open_dataset(hdf5)
    assert len(dataset) == 8
    with h5py.File(hdf5 / "ply_data_train1.h5") as file:
        points, label = file["data"][2], file["label"][2, 0]
    np.testing.assert_allclose(dataset["ply_data_train1/00002"].original_xyz(), points, atol=1e-6)
    assert dataset.category("ply_data_train1/00002") == label


def test_pickles_are_read_once_a_process_and_never_run(dat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = open_dataset(dat)
    assert [dataset.category(key) for key in dataset.keys] == [30, 23]
    monkeypatch.setattr(unpickling, "_run", lambda opcodes: pytest.fail("read again"))
    np.testing.assert_allclose(dataset["train/00001"].original_xyz(), _cloud(23, 8192)[:, :3], atol=1e-5)
    assert dataset["train/00000"].normals is not None


def test_a_pickle_that_would_run_a_command_is_refused_with_its_name(dat: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch {tmp_path / 'executed'}",)

    path = dat / "modelnet40_train_8192pts_fps.dat"
    path.write_bytes(pickle.dumps([[Evil()], [np.array([1])]]))
    with pytest.raises(DamagedFile, match=r"modelnet40_train_8192pts_fps.dat: asks for posix.system; it is refused"):
        open_dataset(dat)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([[np.zeros((5, 3))], []], "1 clouds and 0 classes"),
        ([[np.zeros((5, 4))], [np.array([1])]], "cloud 0 must be"),
        ([[np.zeros((5, 3))], [np.array([40])]], "class of cloud 0"),
        ([[np.zeros((5, 3))], [np.array([1, 2])]], "class of cloud 0"),
        ([np.zeros((5, 3))], "a list of clouds"),
    ],
)
def test_a_pickle_of_something_else_is_told(content: object, told: str, dat: Path) -> None:
    (dat / "modelnet40_train_8192pts_fps.dat").write_bytes(pickle.dumps(content))
    with pytest.raises(DamagedFile, match=told):
        open_dataset(dat)


def test_meshes_have_z_up_and_give_points_on_their_surface(off: Path) -> None:
    dataset = open_dataset(off.parent)
    assert (len(dataset), dataset.up) == (40, "z")
    for key in ("airplane_0001", "tv_stand_0001"):
        mesh, points = dataset.mesh(key), dataset[key].original_xyz()
        assert mesh is not None
        assert mesh.faces.shape == (4, 3)
        assert set(np.unique(points[:, 0].round(6))) == {0, 1}  # the two faces of the box that the file has
        assert dataset.categories[dataset.category(key) or 0] == key.rpartition("_")[0].replace("_", " ")
    np.testing.assert_array_equal(dataset["bed_0001"].xyz, open_dataset(off, split="all")["bed_0001"].xyz)


def test_lists_that_are_missing_or_name_an_unknown_class_are_told(txt: Path, hdf5: Path) -> None:
    (txt / "modelnet40_train.txt").write_text("spaceship_0001\n")
    with pytest.raises(DamagedFile, match="'spaceship' is none of the 40 classes"):
        open_dataset(txt)
    (txt / "modelnet40_train.txt").unlink()
    with pytest.raises(DamagedFile, match=r"modelnet40_train.txt: the list of this split is not there"):
        open_dataset(txt)
    (hdf5 / "ply_data_train1.h5").unlink()
    with pytest.raises(DamagedFile, match=r"ply_data_train1.h5: is listed in train_files.txt and is not there"):
        open_dataset(hdf5)


def test_a_row_of_five_numbers_is_told_with_its_line(txt: Path) -> None:
    path = txt / "airplane" / "airplane_0001.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:41], lines[41].rpartition(",")[0], *lines[42:]]))
    with pytest.raises(DamagedFile, match=r"airplane_0001.txt:42: 5 numbers in a row, where 6 belong"):
        open_dataset(txt)["airplane_0001"]


def test_there_are_40_classes_in_the_order_of_the_alphabet() -> None:
    assert len(set(CLASSES)) == 40
    assert list(CLASSES) == sorted(CLASSES)
    assert sum(ModelNet40.official.values()) == 12311


def test_real_texts_and_meshes_are_read_as_independent_libraries_read_them(real_data: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    root = real_data / "modelnet40"
    dataset = open_dataset(root, split="test", dataset="modelnet40")
    for key in dataset.keys[:4]:
        expected = np.loadtxt(
            root / "modelnet40_normal_resampled" / key.rpartition("_")[0] / f"{key}.txt", delimiter=","
        )
        np.testing.assert_allclose(dataset[key].original_xyz(), expected[:, :3], atol=1e-6)
        assert expected.shape == (10000, 6)
    meshes = open_dataset(root / "off")
    for key in meshes.keys:
        mesh = meshes.mesh(key)
        assert mesh is not None
        text = (root / "off" / key).read_text()
        twin = trimesh.load(
            trimesh.util.wrap_as_stream(text.replace("OFF", "OFF\n", 1)), file_type="off", process=False
        )
        np.testing.assert_allclose(mesh.vertices, twin.vertices)
        np.testing.assert_array_equal(mesh.faces, twin.faces)
