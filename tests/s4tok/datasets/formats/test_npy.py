import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.npy import Npz, read_npy
from s4tok.shapes import Array

MEMORY = 16 << 20


def _npy(array: Array, **more: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **more)
    return file.getvalue()


def _header(text: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin-1") + body


def test_an_array_of_more_dimensions_than_numpy_has_and_one_that_others_follow_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {(1,) * 70}}}\n", bytes(4)))
    with pytest.raises(DamagedFile, match="a header that promises the shape"):
        read_npy(path)
    path.write_bytes(_npy(np.zeros((2, 3))) + _npy(np.zeros((2, 3))))
    with pytest.raises(DamagedFile, match=r"goes on for .* bytes after its array"):
        read_npy(path)


@pytest.mark.parametrize("dtype", ["f4", ">f8", "u1", "i8", "?", "f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_read_as_numpy_reads_it(dtype: str, order: str, tmp_path: Path) -> None:
    array = np.array(np.arange(24).reshape(2, 4, 3) % 5, dtype=dtype, order="F" if order == "F" else "C")
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", first=array, second=array[0])
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), np.load(tmp_path / "a.npy"))
    archive = Npz(tmp_path / "a.npz")
    assert list(archive) == ["first", "second"]
    np.testing.assert_array_equal(archive["second"], array[0])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (_npy(np.array([{}], dtype=object), allow_pickle=True), "never loaded"),
        (_npy(np.zeros(3, [("a", "f4"), ("b", "O")]), allow_pickle=True), "never loaded"),
        (_npy(np.array(["words"])), "values of type"),
        (
            _header("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 3)}", bytes(64)),
            "promises an array",
        ),
        (_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3)}", bytes(64)), "promises the shape"),
        (_header("{'descr': '<f4', 'fortran_order': False, 'shape': (True, 3)}", bytes(64)), "promises the shape"),
        (_header("{'descr': '<f4', 'shape': (1, 3)}", bytes(64)), "cannot be read"),
        (_header("__import__('os').system('true')"), "cannot be read"),
        (_header("[" * 9000), "cannot be read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "header of 4,294,967,295 bytes"),
        (b"\x93NUMPY", "only the beginning"),
        (_npy(np.zeros((100, 3)))[:-1], "promises an array"),
    ],
)
def test_what_is_no_plain_array_is_refused(data: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    with pytest.raises(DamagedFile, match=told) as refused:
        read_npy(path)
    assert str(path) in str(refused.value)


def test_a_zip_bomb_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("points.npy", "w") as member:
        member.write(_header("{'descr': '<f4', 'fortran_order': False, 'shape': (16777216, 3)}"))
        for _ in range(192):
            member.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(DamagedFile, match="zip bomb"):
        Npz(path)["points"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


def test_a_member_that_unpacks_to_more_than_its_header_says_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("points.npy", _npy(np.ones((4, 3))) + bytes(32 << 20))
    tracemalloc.start()
    with pytest.raises(DamagedFile, match="goes on for"):
        Npz(path)["points"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY


def test_a_name_that_climbs_out_of_an_archive_stays_a_name(tmp_path: Path) -> None:
    path = tmp_path / "slip.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../escaped.npy", _npy(np.ones(3)))
    np.testing.assert_array_equal(Npz(path)["../../escaped"], np.ones(3))
    assert [each.name for each in tmp_path.rglob("*")] == ["slip.npz"]
