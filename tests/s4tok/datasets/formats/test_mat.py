import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.mat import read_mat


@pytest.mark.parametrize("packed", [True, False])
def test_arrays_and_structs_are_read(packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"one": np.eye(3), "row": {"name": "bed", "size": [1.0, 2.0]}}, do_compression=packed)
    found = read_mat(path)
    assert sorted(found) == ["one", "row"]
    np.testing.assert_array_equal(found["one"], np.eye(3))
    assert found["row"].name == "bed"
    assert found["row"].size.tolist() == [1, 2]


def test_a_file_cut_anywhere_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"one": np.random.default_rng(0).random((40, 6))}, do_compression=True)
    whole = path.read_bytes()
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        try:
            read_mat(path)
        except DamagedFile:
            continue


def test_a_bomb_and_a_file_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"one": np.eye(3)}, do_compression=True)
    head = path.read_bytes()[:128]
    body = zlib.compress(bytes(1 << 27), 9)
    path.write_bytes(head + np.array([15, len(body)], "<u4").tobytes() + body)
    with pytest.raises(DamagedFile, match="refused as a bomb"):
        read_mat(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file" + bytes(200))
    with pytest.raises(DamagedFile, match="of version 7") as caught:
        read_mat(path)
    assert "-v7" in caught.value.hint
