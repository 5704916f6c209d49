from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.ply import read_ply

XYZ = "property float x\nproperty float y\nproperty float z\n"


def _ply(path: Path, body: bytes, vertices: str = XYZ, faces: str = "", form: str = "ascii", count: int = 3) -> Path:
    head = f"ply\nformat {form} 1.0\nelement vertex {count}\n{vertices}{faces}end_header\n"
    path.write_bytes(head.encode() + body)
    return path


def test_properties_in_capitals_are_those_in_small_letters(tmp_path: Path) -> None:
    names = XYZ.replace("float x", "float X").replace("float y", "float Y").replace("float z", "float Z")
    found = read_ply(_ply(tmp_path / "a.ply", b"0 1 2\n3 4 5\n6 7 8\n", names))
    np.testing.assert_array_equal(found.points, np.arange(9).reshape(3, 3))


@pytest.mark.parametrize("number", ["305", "-1", "0.5", "nan", "inf", "1e300"])
def test_a_number_that_its_property_does_not_hold_is_told_with_its_line(number: str, tmp_path: Path) -> None:
    body = f"0 1 2 7\n3 4 5 {number}\n6 7 8 9\n".encode()
    path = _ply(tmp_path / "a.ply", body, f"{XYZ}property uchar label\n")
    with pytest.raises(DamagedFile, match=r"a\.ply:10: .* stands where a whole number of 0 to 255 belongs"):
        read_ply(path)
    faces = "element face 2\nproperty list uchar uchar vertex_indices\n"
    path = _ply(tmp_path / "b.ply", f"0 1 2\n3 4 5\n6 7 8\n3 0 1 2\n3 0 {number} 2\n".encode(), faces=faces)
    with pytest.raises(DamagedFile, match=r"b\.ply:14: .* stands where a whole number of 0 to 255 belongs"):
        read_ply(path)


@pytest.mark.parametrize("length", ["-3", "2.5e9", "inf", "nan"])
def test_a_list_of_no_length_is_told(length: str, tmp_path: Path) -> None:
    faces = "element face 1\nproperty list uint int vertex_indices\n"
    with pytest.raises(DamagedFile, match=r"a\.ply:13"):
        read_ply(_ply(tmp_path / "a.ply", f"0 1 2\n3 4 5\n6 7 8\n{length} 0 1 2\n".encode(), faces=faces))


def test_a_binary_list_longer_than_the_file_is_told(tmp_path: Path) -> None:
    faces = "element face 1\nproperty list uint int vertex_indices\n"
    body = np.arange(9, dtype="<f4").tobytes() + np.array([4_000_000_000, 0, 1, 2], "<u4").tobytes()
    with pytest.raises(DamagedFile, match="ends in row 0 of 1 of face"):
        read_ply(_ply(tmp_path / "a.ply", body, faces=faces, form="binary_little_endian"))


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_more_rows_than_the_header_promises_are_told(form: str, tmp_path: Path) -> None:
    body = b"0 1 2\n3 4 5\n6 7 8\n" if form == "ascii" else np.arange(9, dtype="<f4").tobytes()
    assert len(read_ply(_ply(tmp_path / "a.ply", body + b"\n", form=form)).points) == 3
    with pytest.raises(DamagedFile, match="goes on after the last row"):
        read_ply(_ply(tmp_path / "a.ply", body, form=form, count=2))


def test_a_face_of_fewer_than_three_corners_is_told(tmp_path: Path) -> None:
    faces = "element face 2\nproperty list uchar int vertex_indices\n"
    with pytest.raises(DamagedFile, match="has 2 corners in face 1"):
        read_ply(_ply(tmp_path / "a.ply", b"0 1 2\n3 4 5\n6 7 8\n3 0 1 2\n2 0 1\n", faces=faces))
