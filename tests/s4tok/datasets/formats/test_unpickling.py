import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.unpickling import read_pickled_arrays

MEMORY = 16 << 20


class _Calls:
    """Calls a function when it is unpickled, which is all an attacker needs."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


def _refusal(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "modelnet40_train_8192pts_fps.dat"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(DamagedFile) as refused:
        read_pickled_arrays(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY
    assert str(path) in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_out_as_pickle_itself_gives_them_in_every_protocol(protocol: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(protocol)
    clouds = [
        rng.random((7, 6)).astype(np.float32),
        np.asfortranarray(rng.random((3, 6))),
        rng.random((2, 6)).astype(">f4"),
    ]
    content = [clouds, [np.array([3]), np.int64(39), 5, np.array([[True]])]]
    path = tmp_path / "arrays.dat"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    mine, theirs = read_pickled_arrays(path), pickle.loads(path.read_bytes())
    for part, other in zip(mine, theirs, strict=True):
        for array, twin in zip(part, other, strict=True):
            np.testing.assert_array_equal(array, twin)
            assert np.asarray(array).dtype.itemsize == np.asarray(twin).dtype.itemsize


def test_an_array_that_python_2_pickled_is_read(tmp_path: Path) -> None:
    body = np.arange(3, dtype="<f4").tobytes()
    data = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02U\x01bq\x03\x87q\x04R"
        b"q\x05(K\x01K\x03\x85q\x06cnumpy\ndtype\nq\x07U\x02f4q\x08K\x00K\x01\x87q\tRq\n(K\x03U\x01<q\x0bNNNJ\xff\xff"
        b"\xff\xffJ\xff\xff\xff\xffK\x00tq\x0cb\x89U\x0c" + body + b"q\rtq\x0eb."
    )
    path = tmp_path / "python2.dat"
    path.write_bytes(data)
    np.testing.assert_array_equal(read_pickled_arrays(path), [0, 1, 2])


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_runs_a_command_is_refused_by_name_and_runs_nothing(protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    for call in (
        _Calls(os.system, f"touch {marker}"),
        _Calls(eval, f"open({str(marker)!r}, 'w')"),
        _Calls(getattr, "", "upper"),
        _Calls(np.lib.npyio.DataSource, str(marker)),
        [[np.zeros((2, 3))], [_Calls(os.mkdir, str(marker))]],  # deep inside a list of arrays
    ):
        assert "it is refused" in _refusal(pickle.dumps(call, protocol=protocol), tmp_path)
    assert not marker.exists()


def test_a_forbidden_name_is_told(tmp_path: Path) -> None:
    assert "asks for posix.system" in _refusal(pickle.dumps(_Calls(os.system, "true")), tmp_path)


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    _refusal(pickle.dumps(np.array([{}, []], dtype=object)), tmp_path)
    _refusal(pickle.dumps(np.zeros(2, dtype=[("x", "f4"), ("o", "O")])), tmp_path)


def test_a_length_of_a_tebibyte_is_refused_without_taking_memory(tmp_path: Path) -> None:
    for opcode, width in ((b"\x8e", 8), (b"\x8d", 8), (b"\x96", 8), (b"B", 4), (b"T", 4)):  # bytes, text, bytearray
        length = min(2**40, 2 ** (8 * width - 1) - 1).to_bytes(width, "little")
        _refusal(b"\x80\x05" + opcode + length + b"abc.", tmp_path)


def test_a_memo_index_of_four_billion_takes_no_memory(tmp_path: Path) -> None:
    _refusal(b"\x80\x02Nr\xff\xff\xff\xff0", tmp_path)


def test_a_list_that_names_itself_again_and_again_is_refused(tmp_path: Path) -> None:
    bomb: list[Any] = [1]
    for _ in range(40):
        bomb = [bomb] * 10
    _refusal(pickle.dumps(bomb), tmp_path)
    wide = [[0] * 1000]
    _refusal(pickle.dumps([wide * 1000]), tmp_path)
    endless: list[Any] = []
    endless.append(endless)
    _refusal(pickle.dumps(endless), tmp_path)


def test_an_array_whose_shape_and_bytes_disagree_is_refused(tmp_path: Path) -> None:
    honest = pickle.dumps(np.zeros((5, 3), np.float32), protocol=2)
    assert honest.count(b"K\x05K\x03\x86") == 1
    _refusal(honest.replace(b"K\x05K\x03\x86", b"K\x05K\x04\x86"), tmp_path)


def test_a_pickle_cut_short_anywhere_is_told(tmp_path: Path) -> None:
    data = pickle.dumps([[np.zeros((5, 6), np.float32)], [np.array([1])]], protocol=2)
    for length in range(1, len(data), 7):
        _refusal(data[:length], tmp_path)
