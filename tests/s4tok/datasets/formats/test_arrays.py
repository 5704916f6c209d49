from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.arrays import read_npy_points, read_npz, read_text
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.shapes import Array

N = 200
RNG = np.random.default_rng(0)
XYZ = RNG.random((N, 3))
COLOR = RNG.integers(0, 256, (N, 3)).astype(float)
INTENSITY = RNG.integers(0, 256, (N, 1)).astype(float)
LABELS = RNG.integers(0, 20, (N, 1)).astype(float)


def _text(path: Path, *columns: Array, head: str = "") -> Path:
    np.savetxt(path, np.concatenate(columns, axis=1), fmt="%.6g", header=head, comments="")
    return path


def test_seven_columns_that_may_be_an_intensity_and_a_colour_are_asked_about(tmp_path: Path) -> None:
    for path in (tmp_path / "a.txt", tmp_path / "a.npy"):
        _text(path, XYZ, INTENSITY, COLOR)
        np.save(tmp_path / "a.npy", np.concatenate([XYZ, INTENSITY, COLOR], axis=1))
        read = read_npy_points if path.suffix == ".npy" else read_text
        with pytest.raises(DamagedFile, match="may be a colour after an intensity") as asked:
            read(path)
        assert "x y z intensity r g b" in asked.value.hint


def test_seven_columns_whose_first_line_says_what_they_are_or_that_end_with_a_label_are_read(tmp_path: Path) -> None:
    for names in ("x y z intensity r g b", "x,y,z,i,red,green,blue"):
        found = read_text(_text(tmp_path / "a.txt", XYZ, INTENSITY, COLOR, head=names))
        assert found.labels is None
        np.testing.assert_array_equal(np.asarray(found.color), COLOR)
    found = read_text(_text(tmp_path / "b.txt", XYZ, COLOR, LABELS))
    np.testing.assert_array_equal(np.asarray(found.labels), LABELS[:, 0])
    np.testing.assert_array_equal(np.asarray(found.color), COLOR)


def test_a_last_column_with_fractions_is_told_with_the_way_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"a\.txt:1: labels, the last column, are whole numbers") as told:
        read_text(_text(tmp_path / "a.txt", XYZ, XYZ[:, :1] + 0.5))
    assert "first line" in told.value.hint
    found = read_text(_text(tmp_path / "b.txt", XYZ, XYZ[:, :1] + 0.5, head="x y z intensity"))
    assert found.labels is None


def test_a_first_line_that_counts_other_rows_than_there_are_is_told(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"a\.txt:1: counts 150 rows in its first line, and has 200"):
        read_text(_text(tmp_path / "a.txt", XYZ, head="150"))


def test_a_text_whose_lines_end_as_those_of_old_macs_is_read(tmp_path: Path) -> None:
    path = _text(tmp_path / "a.txt", XYZ)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))
    np.testing.assert_allclose(read_text(path).points, XYZ, atol=1e-5)


def test_how_opaque_a_colour_is_is_left_out(tmp_path: Path) -> None:
    rgba = np.concatenate([COLOR, INTENSITY], axis=1).astype(np.uint8)
    np.savez(tmp_path / "a.npz", points=XYZ, colors=rgba)
    np.testing.assert_array_equal(np.asarray(read_npz(tmp_path / "a.npz").color), COLOR)
