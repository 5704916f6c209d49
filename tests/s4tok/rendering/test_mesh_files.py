from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.dataset import Mesh
from s4tok.rendering.mesh_files import LabelledMesh, labels_of_faces, mesh_glb, mesh_obj, mesh_ply

NAMES, COLORS = ["table top", "table_top"], np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
CORNER = np.array([453_000.25, 5_411_000.5, 220.125])


def _grid(side: int, *, colored: bool = False) -> Mesh:
    """A square of two triangles a cell, far from the origin."""
    x, y = np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1) + CORNER
    first = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    low = np.stack([first, first + side + 1, first + side + 2], axis=1)
    high = np.stack([first, first + side + 2, first + 1], axis=1)
    color = np.random.default_rng(0).random((len(vertices), 3)).astype(np.float32) if colored else None
    return Mesh(vertices, np.concatenate([low, high]), color)


def _labelled(mesh: Mesh) -> LabelledMesh:
    middles = mesh.vertices[mesh.faces].mean(axis=1) - CORNER
    labels = np.select([middles[:, 0] < 2, middles[:, 0] < 4], [0, 1], -1)
    return LabelledMesh(mesh, labels, NAMES, COLORS)


def test_faces_have_the_label_of_the_points_on_them_or_of_most_corners() -> None:
    mesh = _grid(6)
    wanted = _labelled(mesh).labels
    rng = np.random.default_rng(0)
    points = rng.uniform([0, 0, 0], [6, 6, 0], (20_000, 3)) + CORNER
    inside = np.select([points[:, 0] < CORNER[0] + 2, points[:, 0] < CORNER[0] + 4], [0, 1], -1)
    np.testing.assert_array_equal(labels_of_faces(mesh, points, inside), wanted)
    of_vertices = np.where(mesh.vertices[:, 0] <= CORNER[0] + 2, 0, 1)
    found = labels_of_faces(mesh, mesh.vertices, of_vertices)
    corners = of_vertices[mesh.faces]
    np.testing.assert_array_equal(found, (corners.sum(axis=1) >= 2).astype(int))


@pytest.mark.parametrize("colored", [False, True])
def test_a_ply_gives_back_the_mesh_its_colours_and_the_label_of_each_face(colored: bool, tmp_path: Path) -> None:
    found = _labelled(_grid(6, colored=colored))
    (tmp_path / "a.ply").write_bytes(mesh_ply(found))
    read = open_dataset(tmp_path / "a.ply").mesh("a.ply")
    assert read is not None
    np.testing.assert_array_equal(read.vertices, found.mesh.vertices)
    np.testing.assert_array_equal(read.faces, found.mesh.faces)
    np.testing.assert_array_equal(np.asarray(read.labels), found.labels)
    if colored:
        np.testing.assert_allclose(np.asarray(read.color), np.asarray(found.mesh.color), atol=0.51 / 255)
    trimesh = pytest.importorskip("trimesh")
    shown = trimesh.load(tmp_path / "a.ply", process=False)
    if not colored:  # trimesh prefers the colours of vertices
        np.testing.assert_array_equal(shown.visual.face_colors[found.labels == 0][:, :3].min(axis=0), [255, 0, 0])


def test_a_glb_and_an_obj_have_a_piece_for_each_label_where_the_mesh_stood(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    found = _labelled(_grid(6))
    (tmp_path / "a.glb").write_bytes(mesh_glb(found))
    scene = trimesh.load(tmp_path / "a.glb", process=False)
    pieces = {each.visual.material.name: each for each in scene.dump()}
    assert set(pieces) == {"table top", "table_top", "unknown"}
    assert pieces["table top"].visual.material.baseColorFactor[:3].tolist() == [255, 0, 0]
    for name, label in (("table top", 0), ("table_top", 1), ("unknown", -1)):
        corners = found.mesh.vertices[found.mesh.faces[found.labels == label]]
        assert len(pieces[name].faces) == len(corners)
        np.testing.assert_allclose(pieces[name].triangles, corners, atol=1e-5)
    read = open_dataset(tmp_path / "a.glb").mesh("a.glb")
    assert read is not None
    assert len(read.faces) == len(found.mesh.faces)

    shape, materials = mesh_obj(found, "a.mtl")
    (tmp_path / "a.obj").write_bytes(shape)
    groups = [line for line in shape.decode().splitlines() if line[0] in "gu"]
    assert groups == [
        "g unknown", "usemtl unknown", "g table_top_0", "usemtl table_top_0", "g table_top_1", "usemtl table_top_1",
    ]  # fmt: skip
    assert "newmtl table_top_1\nKd 0.0000 0.0000 1.0000" in materials.decode()
    again = open_dataset(tmp_path / "a.obj").mesh("a.obj")
    assert again is not None
    np.testing.assert_allclose(again.vertices, found.mesh.vertices, atol=1e-5)
    assert len(again.faces) == len(found.mesh.faces)
