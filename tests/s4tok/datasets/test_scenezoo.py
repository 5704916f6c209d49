import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.datasets.open import find_source, open_dataset
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.scannet_labels import CLASSES
from s4tok.datasets.scenezoo import SceneZoo
from s4tok.datasets.table import recognise
from s4tok.errors import InputError, MissingError, UsageError

CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
POSE = np.array([[1.0, 0, 0, -2], [0, 0, -1, 1], [0, 1, 0, 3], [0, 0, 0, 1]])  # world to camera


@pytest.fixture(scope="module")
def registered() -> str:
    """Register a dataset with scenezoo: a mesh of two triangles, a chair and a thing of no class, and two frames."""
    scenezoo = pytest.importorskip("scenezoo")
    open3d = pytest.importorskip("open3d")

    class Made(scenezoo.Dataset):  # type: ignore[misc, name-defined]
        def _load_splits(self) -> dict[str, list[str]]:
            return {"train": ["b", "a"], "val": ["c"]}

        def get_mesh(self, sample_id: str, *, mesh_type: str | None = None) -> Any:
            if sample_id == "c":
                raise FileNotFoundError("c.ply")
            mesh = open3d.geometry.TriangleMesh(
                open3d.utility.Vector3dVector(CORNERS), open3d.utility.Vector3iVector([[0, 1, 2], [0, 2, 3]])
            )
            mesh.vertex_colors = open3d.utility.Vector3dVector(np.eye(4)[:, :3])
            return mesh

        def get_segmentation(self, sample_id: str) -> Any:
            if sample_id == "b":
                raise FileNotFoundError("b.json")
            return scenezoo.Segmentation3D(np.array([7, 7, 9, -100]), {7: "Chair", 9: "kettle"}, "vertex", -100)

        def get_frames(
            self, sample_id: str, *, indices: Any = None, step: int = 1, items: Any = (), **more: Any
        ) -> Any:
            assert not more
            chosen = np.arange(0, 4, step) if indices is None else np.array(indices)
            shape = (len(chosen), 6, 8)
            focal = np.tile(np.diag([5.0, 5.0, 1.0]), (len(chosen), 1, 1))
            images = {"rgb": np.full((*shape, 3), 9, np.uint8), "depth": np.full(shape, 2.5, np.float32)}
            return scenezoo.FrameBatch(
                chosen, 4, world_to_camera=np.tile(POSE, (len(chosen), 1, 1)), rgb_intrinsics=focal,
                depth_intrinsics=focal, camera_model="PINHOLE" if sample_id == "a" else "OPENCV_FISHEYE",
                **(images if "rgb" in items else {}),
            )  # fmt: skip

    name = "made-for-a-test"
    if not scenezoo.list_datasets().count(name):
        scenezoo.register_dataset(name)(Made)
    return name


def opened(name: str, root: Path, split: str = "all") -> SceneZoo:
    return SceneZoo(f"scenezoo-{name}", FolderLayout("scenezoo", root), split)


def test_a_scene_has_vertices_objects_classes_and_frames(registered: str, tmp_path: Path) -> None:
    clouds = opened(registered, tmp_path)
    assert clouds.keys == ("a", "b", "c")
    assert opened(registered, tmp_path, "train").keys == ("a", "b")
    cloud = clouds["a"]
    np.testing.assert_allclose(cloud.original_xyz(), CORNERS, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(cloud.instances), [7, 7, 9, -1])
    chair = CLASSES.index("chair")
    np.testing.assert_array_equal(np.asarray(cloud.labels), [chair, chair, -1, -1])
    np.testing.assert_array_equal(np.asarray(cloud.color), np.eye(4)[:, :3])
    frames = list(clouds.frames("a", 2))
    assert [frame.name for frame in frames] == ["0", "2"]
    np.testing.assert_allclose(frames[0].camera_to_world @ POSE, np.eye(4), atol=1e-12)
    assert frames[0].depth.shape == (6, 8)
    assert clouds["b"].labels is None  # a scene without annotations


def test_what_scenezoo_raises_is_told_in_a_sentence(registered: str, tmp_path: Path) -> None:
    clouds = opened(registered, tmp_path)
    with pytest.raises(InputError, match=r": c: scenezoo cannot read it: c\.ply\."):
        clouds["c"]
    with pytest.raises(InputError, match="frames of a OPENCV_FISHEYE camera"):
        list(clouds.frames("b"))
    with pytest.raises(UsageError, match="no split is called 'vall'"):
        opened(registered, tmp_path, "vall")


def test_one_of_its_own_readers_gives_points_with_the_labels_of_objects(tmp_path: Path) -> None:
    pytest.importorskip("scenezoo")
    folder = tmp_path / "Area_1" / "office_1" / "Annotations"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("chair_1", "table_1"):
        np.savetxt(folder / f"{name}.txt", np.c_[rng.random((9, 3)), rng.integers(0, 256, (9, 3))], fmt="%.3f")
    (folder.parent / "office_1.txt").write_text("")
    clouds = opened("s3dis", tmp_path)
    (key,) = clouds.keys
    cloud = clouds[key]
    assert len(cloud) == 18
    assert [CLASSES[label] for label in np.asarray(cloud.labels)[[0, -1]]] == ["chair", "table"]
    assert clouds.mesh(key) is None
    assert not list(clouds.frames(key))


def test_only_who_names_one_gets_it(tmp_path: Path) -> None:
    assert not any(name.startswith("scenezoo") for name in recognise(tmp_path))
    name, layout = find_source([tmp_path], "scenezoo-multiscan")
    assert (name, layout) == ("scenezoo-multiscan", FolderLayout("scenezoo", tmp_path))
    with pytest.raises(InputError, match="scenezoo-multiscan is not under"):
        find_source(["scenezoo-multiscan"], root=tmp_path)


def test_without_the_package_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scenezoo", None)
    with pytest.raises(MissingError, match="scenezoo, which reads this dataset") as raised:
        open_dataset(tmp_path, dataset="scenezoo-3rscan")
    assert raised.value.hint == 'pip install "s4tok[scenezoo]"'
