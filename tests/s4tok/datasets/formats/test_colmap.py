import struct
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets import open_dataset
from s4tok.datasets.formats.colmap import read_points_bin, read_points_text
from s4tok.datasets.formats.damage import DamagedFile

RNG = np.random.default_rng(0)
XYZ, COLOR, TRACKS = RNG.standard_normal((9, 3)), RNG.integers(0, 256, (9, 3)), RNG.integers(0, 5, 9)


def _bin(path: Path) -> bytes:
    content = struct.pack("<Q", len(XYZ))
    for number, (place, color, track) in enumerate(zip(XYZ.tolist(), COLOR.tolist(), TRACKS.tolist(), strict=True)):
        content += struct.pack("<Q3d3BdQ", 7 * number, *place, *color, 0.5, track)
        content += struct.pack(f"<{2 * track}I", *range(2 * track))
    path.write_bytes(content)
    return content


def _text(path: Path) -> None:
    lines = ["# 3D point list with one line of data per point:", f"# Number of points: {len(XYZ)}"]
    for number, (place, color, track) in enumerate(zip(XYZ.tolist(), COLOR.tolist(), TRACKS.tolist(), strict=True)):
        lines.append(" ".join(map(str, [7 * number, *place, *color, 0.5, *range(2 * track)])))
    path.write_text("\n".join(lines) + "\n")


def test_both_forms_give_places_and_colours_and_are_known_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "sparse").mkdir()
    for name, write in (("points3D.bin", _bin), ("points3D.txt", _text)):
        write(tmp_path / "sparse" / name)
    (tmp_path / "sparse" / "images.txt").write_text("1 0 0 0\n")
    (tmp_path / "sparse" / "cameras.bin").write_bytes(b"\1")
    clouds = open_dataset(tmp_path)
    assert clouds.keys == ("sparse/points3D.bin", "sparse/points3D.txt")
    for key in clouds.keys:
        np.testing.assert_allclose(clouds[key].original_xyz(), XYZ, atol=1e-6)
        np.testing.assert_allclose(np.asarray(clouds[key].color), COLOR / 255, atol=1e-6)


def test_a_file_that_is_cut_anywhere_or_goes_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points3D.bin"
    content = _bin(path)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DamagedFile):
            read_points_bin(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(DamagedFile, match="goes on after the 9 points"):
        read_points_bin(path)


@pytest.mark.parametrize("row", ["1 0 0 0 1 2 3", "1 0 0 0 1 2 3 0.5 7", "1 0 0 0 1 2 300 0.5", "1 0 nan 0 1 2 3 0.5"])
def test_a_line_that_is_no_point_is_told(row: str, tmp_path: Path) -> None:
    path = tmp_path / "points3D.txt"
    path.write_text(f"# a comment\n1 0 0 0 1 2 3 0.5 1 2\n{row}\n")
    with pytest.raises(DamagedFile, match=r"points3D\.txt:3"):
        read_points_text(path)
