import json
import os
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from s4tok.clouds import Placement
from s4tok.config import SURFACE_POINTS
from s4tok.datasets import open_dataset
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.errors import InputError, UsageError
from s4tok.shapes import Array

N = 40
RNG = np.random.default_rng(0)
XYZ = RNG.random((N, 3)) * [1, 2, 3] + [400000, 5500000, 100]
COLOR = RNG.integers(0, 256, (N, 3)).astype(np.uint8)
NORMALS = RNG.standard_normal((N, 3))
NORMALS /= np.linalg.norm(NORMALS, axis=1, keepdims=True)
LABELS = RNG.integers(-1, 9, N)


def _check(path: Path, color: bool = True, normals: bool = False, labels: bool = False) -> None:
    cloud, _ = open_dataset(path)[path.name].in_its_file("z")
    np.testing.assert_allclose(cloud.original_xyz(), XYZ, atol=1e-5)
    for array, expected, given in ((cloud.color, COLOR / 255, color), (cloud.normals, NORMALS, normals)):
        assert (array is not None) == given
        if array is not None:
            np.testing.assert_allclose(array, expected, atol=1e-3)
    assert (cloud.labels is not None) == labels
    if labels:
        np.testing.assert_array_equal(np.asarray(cloud.labels), LABELS)


@pytest.mark.parametrize(
    ("columns", "color", "normals", "labels"),
    [
        ([XYZ], False, False, False),
        ([XYZ, LABELS[:, None]], False, False, True),
        ([XYZ, COLOR], True, False, False),
        ([XYZ, NORMALS], False, True, False),
        ([XYZ, COLOR / 255, LABELS[:, None]], True, False, True),
        ([XYZ, COLOR, NORMALS], True, True, False),
        ([XYZ, NORMALS, COLOR, LABELS[:, None]], True, True, True),
    ],
)
def test_columns_without_names_are_told_by_their_number_and_values(
    columns: list[Array], color: bool, normals: bool, labels: bool, tmp_path: Path
) -> None:
    table = np.concatenate(columns, axis=1)
    for name, delimiter in (("a.txt", " "), ("a.xyz", ","), ("b.TXT", ";")):
        np.savetxt(tmp_path / name, table, delimiter=delimiter, fmt="%.7f", header="a comment")
        _check(tmp_path / name, color, normals, labels)
    np.save(tmp_path / "a.npy", table)
    _check(tmp_path / "a.npy", color, normals, labels)


@pytest.mark.parametrize("head", ["x y z r g b label", "//X,Y,Z,R,G,B,Label", "X;Y;Z;Red;Green;Blue;Classification"])
def test_a_first_line_that_names_the_columns_is_believed(head: str, tmp_path: Path) -> None:
    table = np.concatenate([XYZ, COLOR, LABELS[:, None]], axis=1)
    np.savetxt(tmp_path / "a.txt", table, fmt="%.7f", header=head, comments="")
    _check(tmp_path / "a.txt", labels=True)


def test_a_first_line_that_counts_the_rows_is_passed_over(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.xyz", XYZ, fmt="%.7f", header=str(N), comments="")
    _check(tmp_path / "a.xyz", color=False)


def test_a_text_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    rows = "\r\n".join(" ".join(f"{value:.7f}" for value in row) for row in XYZ)
    (tmp_path / "a.xyz").write_bytes(b"\xef\xbb\xbf" + rows.encode() + b"\r\n\r\n")
    _check(tmp_path / "a.xyz", color=False)


def test_columns_that_are_neither_normals_nor_colours_are_refused(tmp_path: Path) -> None:
    for rest in (NORMALS * 3, COLOR * 2.0, np.where(COLOR > 99, np.nan, COLOR)):
        np.savetxt(tmp_path / "a.txt", np.concatenate([XYZ, rest], axis=1))
        with pytest.raises(DamagedFile, match="columns 4 to 6 are neither"):
            open_dataset(tmp_path / "a.txt")["a.txt"]


@pytest.mark.parametrize("row", ["", "# a comment"])
def test_a_counted_row_may_not_be_empty_or_a_comment(row: str, tmp_path: Path) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 3\n" + "".join(f"property float {axis}\n" for axis in "xyz")
    (tmp_path / "a.ply").write_text(f"{header}end_header\n0.000 0.000 0.000\n{row}\n1.000 1.000 1.000\n")
    (tmp_path / "a.obj").write_text(f"v 0 0 0\nv {row}\nv 1 1 1\n")
    for name, line in (("a.ply", 9), ("a.obj", 2)):
        with pytest.raises(DamagedFile) as damage:
            open_dataset(tmp_path / name)[name]
        assert damage.value.line == line


def test_the_invalid_points_of_an_organised_pcd_are_left_out(tmp_path: Path) -> None:
    header = (
        "VERSION 0.7\nFIELDS x y z label\nSIZE 4 4 4 4\nTYPE F F F U\nCOUNT 1 1 1 1\nWIDTH 2\nHEIGHT 2\nDATA ascii\n"
    )
    (tmp_path / "a.pcd").write_text(f"{header}0 0 0 1\nnan nan nan 2\n1 1 1 3\n2 2 2 4\n")
    cloud = open_dataset(tmp_path / "a.pcd")["a.pcd"]
    np.testing.assert_allclose(cloud.original_xyz(), [[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    np.testing.assert_array_equal(np.asarray(cloud.labels), [1, 3, 4])


def test_arrays_are_found_by_their_names(tmp_path: Path) -> None:
    for names in (("points", "colors", "normals", "labels"), ("xyz", "rgb", "normal", "segment")):
        arrays: dict[str, Array] = dict(zip(names, (XYZ, COLOR, NORMALS, LABELS), strict=True))
        np.savez_compressed(tmp_path / "a.npz", **arrays)
        with h5py.File(tmp_path / "a.h5", "w") as file:
            for name, array in arrays.items():
                file[name] = array
        for name in ("a.npz", "a.h5"):
            _check(tmp_path / name, normals=True, labels=True)


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_a_ply_with_its_properties_in_any_order_is_read(kind: str, tmp_path: Path) -> None:
    fields = [("label", "short", "i2"), ("z", "double", "f8"), ("blue", "uchar", "u1"), ("x", "double", "f8")]
    fields += [("green", "uchar", "u1"), ("y", "float64", "f8"), ("red", "uint8", "u1")]
    fields += [("nx", "float", "f4"), ("ny", "float", "f4"), ("nz", "float32", "f4")]
    order = ">" if "big" in kind else "<"
    rows = np.zeros(N, np.dtype([(name, order + code) for name, _, code in fields]))
    for i in range(3):
        rows["xyz"[i]], rows[("red", "green", "blue")[i]] = XYZ[:, i], COLOR[:, i]
        rows[("nx", "ny", "nz")[i]] = NORMALS[:, i]
    rows["label"] = LABELS
    header = "".join(f"property {kind} {name}\n" for name, kind, _ in fields)
    # An element of lists before the vertices, each of another length, has to be walked through.
    lists = [range(i % 4) for i in range(5)]
    text = f"ply\nformat {kind} 1.0\nelement extra 5\nproperty list uchar int ids\n"
    text += f"element vertex {N}\n{header}end_header\n"
    if kind == "ascii":
        body = "".join(" ".join(map(str, [len(each), *each])) + "\n" for each in lists)
        body += "".join(" ".join(repr(value) for value in row.tolist()) + "\n" for row in rows)
        (tmp_path / "a.ply").write_bytes((text + body).encode())
    else:
        rest = b"".join(bytes([len(each)]) + np.array(each, order + "i4").tobytes() for each in lists)
        (tmp_path / "a.ply").write_bytes(text.encode() + rest + rows.tobytes())
    _check(tmp_path / "a.ply", normals=True, labels=True)


def test_point_files_that_open3d_writes_are_read_as_open3d_reads_them(tmp_path: Path) -> None:
    o3d = pytest.importorskip("open3d")
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(XYZ - XYZ[0]))
    cloud.colors, cloud.normals = o3d.utility.Vector3dVector(COLOR / 255), o3d.utility.Vector3dVector(NORMALS)
    for suffix in ("ply", "pcd"):
        for ascii in (True, False):
            for compressed in (True, False):
                path = tmp_path / f"{ascii}-{compressed}.{suffix}"
                o3d.io.write_point_cloud(str(path), cloud, write_ascii=ascii, compressed=compressed)
                mine, theirs = open_dataset(path)[path.name].in_its_file("z")[0], o3d.io.read_point_cloud(str(path))
                np.testing.assert_allclose(mine.original_xyz(), np.asarray(theirs.points), atol=1e-5)
                np.testing.assert_allclose(np.asarray(mine.color), np.asarray(theirs.colors), atol=1e-6)
                np.testing.assert_allclose(np.asarray(mine.normals), np.asarray(theirs.normals), atol=1e-4)


@pytest.mark.parametrize(("point_format", "minor"), [(0, 2), (1, 2), (2, 2), (3, 3), (6, 4), (7, 4), (8, 4)])
def test_las_of_each_point_format_gives_points_classes_and_colours(
    point_format: int, minor: int, tmp_path: Path
) -> None:
    length, class_at, red_at = {
        0: (20, 15, None), 1: (28, 15, None), 2: (26, 15, 20), 3: (34, 15, 28), 6: (30, 16, None), 7: (36, 16, 30),
        8: (38, 16, 30),
    }[point_format]  # fmt: skip
    size = 375 if minor == 4 else 235 if minor == 3 else 227
    header = bytearray(size)
    header[:4], header[24:26] = b"LASF", bytes([1, minor])
    header[94:96], header[96:100] = size.to_bytes(2, "little"), size.to_bytes(4, "little")
    header[104:107] = bytes([point_format, length, 0])
    at, width = (247, 8) if minor == 4 else (107, 4)
    header[at : at + width] = N.to_bytes(width, "little")
    shift = XYZ.min(axis=0).round()
    header[131:179] = np.array([1e-3, 1e-3, 1e-3, *shift], "<f8").tobytes()
    rows = np.zeros((N, length + 2), np.uint8)  # two extra bytes a point, as the standard allows
    header[105:107] = (length + 2).to_bytes(2, "little")
    rows[:, :12] = ((XYZ - shift) / 1e-3).round().astype("<i4").view(np.uint8).reshape(N, 12)
    rows[:, class_at] = np.arange(N) % 20 + (32 if point_format < 6 else 0)  # a flag above the class's five bits
    if red_at is not None:
        rows[:, red_at : red_at + 6] = (COLOR.astype("<u2") * 257).view(np.uint8).reshape(N, 6)
    (tmp_path / "a.las").write_bytes(bytes(header) + rows.tobytes())
    cloud = open_dataset(tmp_path / "a.las")["a.las"]
    np.testing.assert_allclose(cloud.original_xyz(), XYZ, atol=1e-3)
    np.testing.assert_array_equal(np.asarray(cloud.labels), np.arange(N) % 20)
    assert (cloud.color is not None) == (red_at is not None)
    if cloud.color is not None:
        np.testing.assert_allclose(np.asarray(cloud.color), COLOR / 255, atol=1e-6)


def test_a_laz_without_laspy_is_one_file_that_cannot_be_read_and_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "laspy", None)
    header = bytearray(227)
    header[:4], header[104] = b"LASF", 0x80
    header[131:179] = np.ones(6).tobytes()
    (tmp_path / "a.laz").write_bytes(bytes(header))
    with pytest.raises(DamagedFile, match=r"laspy.* pip install"):
        open_dataset(tmp_path / "a.laz")["a.laz"]


@pytest.mark.parametrize("suffix", ["obj", "off", "stl", "glb", "ply"])
def test_a_mesh_gives_points_on_its_surface_evenly_by_area(suffix: str, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    box = trimesh.creation.box((1, 2, 3))
    box.export(tmp_path / f"box.{suffix}")
    dataset = open_dataset(tmp_path / f"box.{suffix}")
    (cloud, _), mesh = dataset[f"box.{suffix}"].in_its_file("z"), dataset.mesh(f"box.{suffix}")
    assert len(cloud) == SURFACE_POINTS
    assert mesh is not None
    assert mesh.faces.shape == (12, 3)
    points = cloud.original_xyz()
    inside = np.abs(points) / [0.5, 1, 1.5]
    np.testing.assert_allclose(inside.max(axis=1), 1, atol=1e-6)
    share = np.array([6, 3, 2]) / 11  # of the faces across x, y and z
    counted = np.bincount(inside.argmax(axis=1), minlength=3) / len(points)
    np.testing.assert_allclose(counted, share, atol=4 * np.sqrt(0.25 / len(points)))
    assert cloud.normals is not None
    np.testing.assert_allclose(
        np.abs((cloud.normals * points).sum(axis=1)), [0.5, 1, 1.5] @ np.eye(3)[inside.argmax(axis=1)].T, atol=1e-5
    )


def test_parts_of_a_glb_stand_where_its_scene_places_them(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    scene = trimesh.Scene()
    for x in (0, 10):
        scene.add_geometry(trimesh.creation.box(), transform=trimesh.transformations.translation_matrix([x, 0, 0]))
    scene.export(str(tmp_path / "two.glb"))
    points = open_dataset(tmp_path / "two.glb")["two.glb"].original_xyz()
    assert points[:, 0].min() == pytest.approx(-0.5)
    assert points[:, 0].max() == pytest.approx(10.5)


def test_a_dense_ply_scan_keeps_its_vertices_in_order(tmp_path: Path) -> None:
    n = SURFACE_POINTS
    vertices = np.random.default_rng(1).random((n, 3)).astype("<f4")
    faces = np.zeros(2, np.dtype([("n", "u1"), ("v", "<i4", 3)]))
    faces["n"], faces["v"] = 3, [[0, 1, 2], [2, 3, 4]]
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {n}\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz")
    header += "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "scan.ply").write_bytes(header.encode() + vertices.tobytes() + faces.tobytes())
    dataset = open_dataset(tmp_path / "scan.ply")
    np.testing.assert_allclose(dataset["scan.ply"].original_xyz(), vertices, atol=1e-6)
    mesh = dataset.mesh("scan.ply")
    assert mesh is not None
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [2, 3, 4]])


def test_a_mesh_gives_the_same_points_whoever_asks_and_whatever_it_is_called(tmp_path: Path) -> None:
    for name in ("a.obj", "b.obj"):
        (tmp_path / name).write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    both, one = open_dataset(tmp_path), open_dataset(tmp_path / "a.obj")
    np.testing.assert_array_equal(both["a.obj"].xyz, pickle.loads(pickle.dumps(one))["a.obj"].xyz)
    np.testing.assert_array_equal(both["a.obj"].xyz, both["b.obj"].xyz)


def test_obj_counts_backwards_and_cuts_polygons_and_without_faces_holds_points(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text(
        "# made by hand\nv 0 0 0\nv 1 0 0 1\nv 1 1 0\nv 0 1 0\nvt 0 0\nf -4/1 -3/1 -2/1 -1/1\n".replace(
            " 1\nv 1 1", "\nv 1 1"
        )
    )
    mesh = open_dataset(path).mesh("a.obj")
    assert mesh is not None
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2\nf 1\nf 3 2 1\n")  # a line and a point are no surface
    flat = open_dataset(path).mesh("a.obj")
    assert flat is not None
    np.testing.assert_array_equal(flat.faces, [[2, 1, 0]])
    path.write_text("v 0 0 0 255 0 0\nv 1 0 0 0 255 0\n")
    cloud = open_dataset(path)["a.obj"]
    np.testing.assert_allclose(np.asarray(cloud.color), [[1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("corner", ["0", "5", "-5", "99999999999999999999"])
def test_a_face_with_a_corner_that_does_not_exist_is_told(corner: str, tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text(f"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 {corner}\n")
    with pytest.raises(DamagedFile, match=r"a\.obj"):
        open_dataset(path)["a.obj"]


def test_a_mesh_without_area_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n")
    with pytest.raises(DamagedFile, match="without any area"):
        open_dataset(tmp_path / "a.obj")["a.obj"]


def test_colours_and_classes_of_a_mesh_reach_the_points_drawn_from_it(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    header = "ply\nformat ascii 1.0\nelement vertex 6\n" + "".join(f"property float {axis}\n" for axis in "xyz")
    header += "".join(f"property uchar {name}\n" for name in ("red", "green", "blue", "label"))
    header += "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
    near = "0 0 0 0 0 0 4\n1 0 0 255 0 0 4\n0 1 0 0 255 0 4\n"
    far = "0 0 9 0 0 255 4\n1 0 9 0 0 255 5\n0 1 9 0 0 255 5\n"  # corners of two classes: the face has none
    path.write_text(f"{header}{near}{far}3 0 1 2\n3 3 4 5\n")
    cloud = open_dataset(path)["a.ply"]
    points, first = cloud.original_xyz(), cloud.original_xyz()[:, 2] < 5
    assert cloud.color is not None
    np.testing.assert_allclose(cloud.color[first, :2], points[first, :2], atol=1e-5)
    np.testing.assert_allclose(cloud.color[~first], np.broadcast_to([0, 0, 1], (int((~first).sum()), 3)), atol=1e-6)
    np.testing.assert_array_equal(np.asarray(cloud.labels), np.where(first, 4, -1))


def test_a_glb_of_points_gives_these_points_where_its_scene_places_them(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    points, path = XYZ - XYZ[0], tmp_path / "a.glb"
    scene = trimesh.Scene()
    move = trimesh.transformations.translation_matrix([5, 0, 0])
    scene.add_geometry(trimesh.PointCloud(points, colors=np.c_[COLOR, np.full(N, 255)]), transform=move)
    scene.export(str(path))
    cloud = open_dataset(path)["a.glb"]
    np.testing.assert_allclose(cloud.original_xyz(), points + [5, 0, 0], atol=1e-5)
    np.testing.assert_allclose(np.asarray(cloud.color), COLOR / 255, atol=1e-6)
    scene.add_geometry(trimesh.creation.box())
    scene.export(str(path))
    with pytest.raises(DamagedFile, match="both triangles and points"):
        open_dataset(path)["a.glb"]


def _rewritten(glb: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    length = int.from_bytes(glb[12:16], "little")
    scene = json.loads(glb[20 : 20 + length])
    change(scene)
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    rest = glb[20 + length :]
    return glb[:8] + struct.pack("<III", 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest


def test_a_glb_of_zeros_without_end_copies_without_end_or_circles_is_refused(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    honest: bytes = trimesh.creation.icosphere(5).export(file_type="glb")

    def zeros(scene: dict[str, Any]) -> None:
        scene["accessors"].append({"componentType": 5126, "count": 2**36, "type": "VEC3"})

    def copies(scene: dict[str, Any]) -> None:
        scene["nodes"] = [{"mesh": 0}] * 10**4

    def circle(scene: dict[str, Any]) -> None:
        scene["nodes"] = [{"children": [1]}, {"children": [0], "mesh": 0}]

    def odd(scene: dict[str, Any]) -> None:
        scene["accessors"] = 7

    path = tmp_path / "a.glb"
    path.write_bytes(_rewritten(honest, lambda scene: None))
    assert len(open_dataset(path)["a.glb"]) == SURFACE_POINTS
    for change in (zeros, copies, circle, odd):
        path.write_bytes(_rewritten(honest, change))
        with pytest.raises(DamagedFile, match=r"a\.glb"):
            open_dataset(path)["a.glb"]


@pytest.mark.parametrize("columns", [1, 2, 5, 8, 12])
def test_columns_that_could_mean_anything_are_refused(columns: int, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.txt", np.full((4, columns), 3.5))
    with pytest.raises(DamagedFile, match=r"a\.txt"):
        open_dataset(tmp_path / "a.txt")["a.txt"]
    np.save(tmp_path / "b.npy", np.zeros((4, 7, 3)))
    with pytest.raises(DamagedFile, match="must be") as refused:
        open_dataset(tmp_path / "b.npy")["b.npy"]
    assert "a file of its own" in refused.value.hint


def test_a_folder_gives_its_regular_files_and_the_links_that_lead_nowhere(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.xyz", XYZ)
    os.mkfifo(tmp_path / "pipe.xyz")
    (tmp_path / "zeros.xyz").symlink_to("/dev/zero")
    (tmp_path / "gone.xyz").symlink_to("nowhere.xyz")
    (tmp_path / "b.xyz").symlink_to("a.xyz")
    (tmp_path / "folder.xyz").mkdir()
    found = open_dataset(tmp_path)
    assert found.keys == ("a.xyz", "b.xyz", "gone.xyz")
    with pytest.raises(DamagedFile, match=r"gone\.xyz: cannot be read"):
        found["gone.xyz"]


def test_texts_of_a_folder_are_clouds_where_nothing_else_lies_there(tmp_path: Path) -> None:
    (tmp_path / "pose").mkdir()
    for name in ("pose/0.txt", "pose/1.txt", "notes.txt"):
        np.savetxt(tmp_path / name, XYZ)
    assert open_dataset(tmp_path).keys == ("notes.txt", "pose/0.txt", "pose/1.txt")
    np.savetxt(tmp_path / "a.xyz", XYZ)
    found = open_dataset(tmp_path)
    assert found.keys == ("a.xyz",)
    assert "3 .txt files are passed over" in found.remarks[0]
    (tmp_path / "pose" / "0.txt").unlink()
    (tmp_path / "pose" / "1.txt").unlink()
    assert open_dataset(tmp_path).remarks == (
        "notes.txt is passed over, since files of other formats are there; name it to have it read.",
    )
    assert open_dataset([tmp_path / "a.xyz", tmp_path / "notes.txt"]).keys == ("a.xyz", "notes.txt")


def test_what_was_written_of_a_folder_is_not_read_as_more_of_it(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.xyz", XYZ)
    np.savetxt(tmp_path / "b.labels.xyz", XYZ)
    (tmp_path / "segments").mkdir()
    for name in ("a.labels.ply", "a.labels.npy", "a.labels.txt", "a.scores.npy", "a.boxes.ply", "a.mesh.obj"):
        (tmp_path / "segments" / name).write_text("")
    (tmp_path / "segments" / "result.json").write_text("{}")
    found = open_dataset(tmp_path)
    assert found.keys == ("a.xyz", "b.labels.xyz")
    assert found.remarks == ("6 files are passed over, which s4tok has written; name them to have them read.",)
    assert open_dataset(tmp_path / "segments").keys[0] == "a.boxes.ply"


def test_links_to_folders_are_passed_over_and_told(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    np.savetxt(tmp_path / "mine" / "a.xyz", XYZ)
    (tmp_path / "mine" / "scans").symlink_to(tmp_path)
    found = open_dataset(tmp_path / "mine")
    assert (found.keys, len(found.remarks)) == (("a.xyz",), 1)
    assert found.remarks[0].startswith("scans is passed over, since links may lead in a circle")


def test_a_file_whose_name_is_no_utf_8_has_a_key_that_is(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"bad\xff.xyz")
    np.savetxt(path, XYZ)
    for source in (tmp_path, path):
        found = open_dataset(source)
        assert found.keys == (r"bad\xff.xyz",)
        assert found.origin(found.keys[0]).path.startswith(r"bad\xff.xyz: ")
        assert len(found[found.keys[0]]) == N
        assert f"{found.name}".isascii()
    path.write_text("1 2\n")
    with pytest.raises(DamagedFile, match=r"bad\\xff\.xyz:1"):
        found[found.keys[0]]


def test_a_name_that_would_move_a_terminals_cursor_is_written_in_letters(tmp_path: Path) -> None:
    np.save(tmp_path / "one\n\x1b[2Jtwo.npy", np.random.default_rng(0).random((30, 3)))
    found = open_dataset(tmp_path)
    assert found.keys == (r"one\n\x1b[2Jtwo.npy",)
    assert len(found[found.keys[0]]) == 30


def test_own_files_are_told_apart_by_name_and_place(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / ".hidden").mkdir(parents=True)
        for name in ("one.xyz", "two.XYZ", ".three.xyz", ".hidden/four.xyz", "notes.md"):
            np.savetxt(tmp_path / folder / name, XYZ)
    a, b = open_dataset(tmp_path / "a"), open_dataset(tmp_path / "b")
    assert a.keys == ("one.xyz", "two.XYZ")
    assert a.name != b.name
    assert a.name.startswith("a-")
    assert open_dataset(tmp_path).keys == ("a/one.xyz", "a/two.XYZ", "b/one.xyz", "b/two.XYZ")
    named = open_dataset([tmp_path / "a" / "one.xyz", tmp_path / "b" / "one.xyz"])
    assert named.keys == ("a/one.xyz", "b/one.xyz")


def test_a_file_is_the_same_by_whichever_path_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b/inner"):
        (tmp_path / folder).mkdir(parents=True)
        np.savetxt(tmp_path / folder / "one.xyz", XYZ)
    (tmp_path / "a" / "link").symlink_to(tmp_path / "b" / "inner")
    monkeypatch.chdir(tmp_path / "a")
    there = open_dataset([tmp_path / "a" / "one.xyz", tmp_path / "b" / "inner" / "one.xyz"])
    for other in ("../b/inner/one.xyz", "link/../inner/one.xyz"):  # the parent of where the link leads
        here = open_dataset(["one.xyz", other, "../a/one.xyz"])
        assert (here.name, here.keys) == (there.name, ("a/one.xyz", "b/inner/one.xyz"))
        assert len(here["b/inner/one.xyz"]) == len(XYZ)
    assert open_dataset("../b").name == open_dataset(tmp_path / "b").name
    assert open_dataset("..").name == open_dataset(tmp_path).name


def test_a_file_of_no_known_format_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.plyy").write_text("")
    with pytest.raises(InputError, match="in no format") as refused:
        open_dataset(tmp_path / "a.plyy")
    assert "did you mean '.ply'?" in refused.value.hint
    with pytest.raises(InputError, match="no such file"):
        open_dataset([tmp_path / "a.ply", tmp_path / "b.ply"])


def test_what_a_file_holds_can_be_said(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.xyz", XYZ)
    dataset = open_dataset(tmp_path / "a.xyz", up="x", unit="cm", scene="room")
    cloud = dataset["a.xyz"]
    assert cloud.placement == Placement("x", "cm", "room")
    assert (dataset.up, dataset.scene) == ("y", "room")
    np.testing.assert_allclose(np.ptp(cloud.xyz, axis=0), 0.01 * np.ptp(XYZ, axis=0)[[2, 0, 1]], atol=1e-5)
    np.testing.assert_allclose(cloud.original_xyz(), XYZ, atol=1e-5)
    for name, word in (("up", "w"), ("unit", "mile")):
        with pytest.raises(UsageError, match=f"is called '{word}'"):
            open_dataset(tmp_path / "a.xyz", **{name: word})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--unit is for files of your own"):
        open_dataset("toy-shapes", unit="cm")


def test_a_cloud_taken_for_something_else_is_another_cloud_for_a_cache(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.xyz", XYZ)
    paths = {open_dataset(tmp_path / "a.xyz", up=up).origin("a.xyz").path for up in ("x", "y", "z")}
    assert len(paths) == 3
    assert open_dataset(tmp_path / "a.xyz").origin("a.xyz").path in paths
