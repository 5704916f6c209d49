from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.pcd import read_pcd

HEADER = "VERSION 0.7\nFIELDS x y z label\nSIZE 4 4 4 1\nTYPE F F F U\nCOUNT 1 1 1 1\n"
ROW = np.dtype([("xyz", "<f4", 3), ("label", "u1")])


def _ascii(path: Path, rows: str, sizes: str) -> Path:
    path.write_text(f"{HEADER}{sizes}DATA ascii\n{rows}")
    return path


def test_points_that_are_not_width_times_height_are_told(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="has 2 POINTS, and its WIDTH times its HEIGHT are 1,200"):
        read_pcd(_ascii(tmp_path / "a.pcd", "0 0 0 1\n1 1 1 3\n", "WIDTH 1200\nHEIGHT 1\nPOINTS 2\n"))


@pytest.mark.parametrize("form", ["ascii", "binary"])
def test_more_points_than_the_header_promises_are_told(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pcd"
    rows = np.zeros(3, ROW)
    body = b"0 0 0 0\n" * 3 if form == "ascii" else rows.tobytes() + b"\1"
    path.write_bytes(f"{HEADER}WIDTH 2\nHEIGHT 1\nPOINTS 2\nDATA {form}\n".encode() + body)
    with pytest.raises(DamagedFile, match="promises 2 points and holds"):
        read_pcd(path)


def test_a_number_that_its_field_does_not_hold_is_told_with_its_line(tmp_path: Path) -> None:
    for number in ("305", "-1", "1.5", "nan"):
        path = _ascii(tmp_path / "a.pcd", f"0 0 0 1\n1 1 1 {number}\n", "WIDTH 2\nHEIGHT 1\n")
        with pytest.raises(DamagedFile, match=r"a\.pcd:10: .* stands where a whole number of 0 to 255 belongs"):
            read_pcd(path)
    found = read_pcd(_ascii(tmp_path / "b.pcd", "0 0 0 1\nnan nan nan nan\n", "WIDTH 2\nHEIGHT 1\n"))
    assert found.labels is not None
