import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.datasets.dataset import Mesh
from s4tok.errors import InputError, UsageError
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.rendering.mesh_files import LabelledMesh, mesh_ply
from s4tok.rendering.ply import ply_of
from s4tok_pipelines.outputs.box_files import write_boxes
from s4tok_pipelines.stages.view import Pair, pairs, view

XYZ = np.random.default_rng(0).random((30, 3))
LABELS = np.arange(30) % 3


def _facts(path: Path) -> list[dict[str, Any]]:
    found = re.search(r'id="facts">(.*?)</script>', path.read_text(), re.DOTALL)
    assert found
    facts: list[dict[str, Any]] = json.loads(found[1])
    return facts


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    np.savetxt(tmp_path / "a.xyz", XYZ)
    np.save(tmp_path / "a.labels.npy", LABELS.astype(np.int32))
    (tmp_path / "a.legend.json").write_text(
        json.dumps([{"label": label, "name": name} for label, name in ((0, "wall"), (1, "floor"), (-1, "unknown"))])
    )
    np.savetxt(tmp_path / "b.txt", LABELS[::-1], fmt="%d")
    (tmp_path / "c.segs.json").write_text(json.dumps({"segIndices": list(range(30))}))
    return tmp_path / "a.xyz"


def test_files_of_labels_belong_to_the_cloud_before_them(cloud: Path) -> None:
    labels = [cloud.with_name(name) for name in ("a.labels.npy", "b.txt", "c.segs.json")]
    assert pairs([cloud, *labels]) == [Pair(cloud, each) for each in labels]
    np.save(cloud.with_name("d.npy"), XYZ)
    assert pairs([cloud, cloud.with_name("d.npy"), labels[0]]) == [
        Pair(cloud),
        Pair(cloud.with_name("d.npy"), labels[0]),
    ]
    with pytest.raises(UsageError, match="no cloud stands before it"):
        pairs(labels)
    with pytest.raises(InputError, match="no such file"):
        pairs([cloud.with_name("z.ply")])


def test_each_pair_has_the_names_of_its_legend_or_the_users(cloud: Path, tmp_path: Path) -> None:
    labels = [cloud.with_name(name) for name in ("a.labels.npy", "b.txt")]
    titles = view([cloud, *labels], tmp_path / "out" / "page.html")
    assert titles == [f"{cloud}: a.labels.npy", f"{cloud}: b.txt"]
    first, second = _facts(tmp_path / "out" / "page.html")
    assert [(row["name"], row["count"]) for row in first["legend"]] == [("wall", 10), ("floor", 10), ("label 2", 10)]
    assert [row["name"] for row in second["legend"]] == ["label 0", "label 1", "label 2"]
    view([cloud, *labels], tmp_path / "page.html", ["x", "y", "z"])
    assert [row["name"] for row in _facts(tmp_path / "page.html")[0]["legend"]] == ["x", "y", "z"]


def test_clouds_that_overlap_stand_in_one_frame_and_others_each_in_its_own(cloud: Path, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "near.xyz", XYZ * 2)
    np.savetxt(tmp_path / "far.xyz", XYZ + 50)
    view([cloud, tmp_path / "near.xyz"], tmp_path / "page.html")
    first, second = _facts(tmp_path / "page.html")
    assert (first["low"], first["size"]) == (second["low"], second["size"])
    view([cloud, tmp_path / "far.xyz"], tmp_path / "page.html")
    first, second = _facts(tmp_path / "page.html")
    np.testing.assert_allclose(np.array(second["low"]) - first["low"], 50, atol=1e-5)


def test_many_labels_are_superpoints_and_a_cloud_without_labels_is_points(cloud: Path, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "many.xyz", np.random.default_rng(0).random((900, 3)))
    np.save(tmp_path / "many.npy", np.arange(900))
    view([tmp_path / "many.xyz", tmp_path / "many.npy", cloud], tmp_path / "page.html")
    many, bare = _facts(tmp_path / "page.html")
    assert many["modes"] == [["superpoints", "Superpoints"]]
    assert [(row["name"], row["count"]) for row in bare["legend"]] == [("points", 30)]


def test_a_mesh_with_labels_of_faces_is_shown_by_their_middles(tmp_path: Path) -> None:
    vertices = np.random.default_rng(0).random((9000, 3))
    faces = np.random.default_rng(1).integers(0, 9000, (500, 3))
    labels = np.arange(500) % 2
    colors = np.zeros((2, 3), np.uint8)
    (tmp_path / "a.mesh.ply").write_bytes(mesh_ply(LabelledMesh(Mesh(vertices, faces), labels, ["a", "b"], colors)))
    view([tmp_path / "a.mesh.ply"], tmp_path / "page.html")
    (facts,) = _facts(tmp_path / "page.html")
    assert (facts["points"], [row["count"] for row in facts["legend"]]) == (500, [250, 250])


def test_labels_of_another_cloud_are_refused(cloud: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "short.npy", np.zeros(7, int))
    with pytest.raises(InputError, match=r"has 7 labels, and .* has 30 points"):
        view([cloud, tmp_path / "short.npy"], tmp_path / "page.html")


def _write_boxes(path: Path, up: str = "z") -> Path:
    sizes = [[1.0, 1.0, 1.0], [0.1, 0.2, 0.3]]
    boxes = OrientedBoxes.of([0, 1], [[0.5, 0.5, 0.5], [0.2, 0.2, 0.2]], sizes, [0, 0.4])
    write_boxes(path.with_name(path.name.removesuffix(".boxes.json")), boxes, ["wall", "lamp"], up, ["json"])
    return path


def test_boxes_are_shown_around_the_cloud_before_them_or_the_labelled_one_beside(cloud: Path, tmp_path: Path) -> None:
    boxes = _write_boxes(tmp_path / "a.boxes.json", "y")
    assert pairs([cloud, cloud.with_name("a.labels.npy"), boxes, boxes]) == [
        Pair(cloud, cloud.with_name("a.labels.npy"), boxes), Pair(cloud, boxes=boxes),
    ]  # fmt: skip
    view([cloud, cloud.with_name("a.labels.npy"), boxes], tmp_path / "page.html")
    (facts,) = _facts(tmp_path / "page.html")
    assert [row["name"] for row in facts["legend"]] == ["wall", "floor", "label 2", "lamp"]
    assert [box["label"] for box in facts["boxes"]] == [0, 3]
    assert facts["axes"] == [2, 0, 1]  # y up, as the boxes have it
    with pytest.raises(UsageError, match="holds boxes, and no cloud"):
        pairs([boxes])
    (tmp_path / "a.labels.ply").write_bytes(ply_of(PointCloud.of(XYZ), np.zeros((30, 3), np.uint8)))
    assert pairs([boxes]) == [Pair(tmp_path / "a.labels.ply", boxes=boxes)]


def test_what_is_no_file_of_boxes_is_refused(cloud: Path, tmp_path: Path) -> None:
    for text in ("[]", "{", '{"up": "z", "boxes": [{"label": "a"}]}', '{"up": "z", "boxes": 3}'):
        (tmp_path / "b.boxes.json").write_text(text)
        with pytest.raises(InputError, match="does not hold boxes"):
            view([cloud, tmp_path / "b.boxes.json"], tmp_path / "page.html")


def test_a_folder_is_told_from_what_is_not_there(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "gone.ply", "there is no such file")):
        with pytest.raises(InputError, match=f"{path}: {said}"):
            pairs([path])


def test_the_axis_that_is_up_in_a_file_is_up_in_the_page(tmp_path: Path) -> None:
    for up, axes in (("x", [1, 2, 0]), ("y", [2, 0, 1]), ("z", [0, 1, 2])):
        np.savetxt(tmp_path / "a.xyz", XYZ)
        view([tmp_path / "a.xyz"], tmp_path / "page.html", up=up)
        assert _facts(tmp_path / "page.html")[0]["axes"] == axes
