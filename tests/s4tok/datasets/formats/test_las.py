from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.las import read_las

LENGTH, N = 20, 6


def _las(path: Path, promised: int, minor: int = 2, after: bytes = b"") -> Path:
    size = {2: 227, 3: 235, 4: 375}[minor]
    header = bytearray(size)
    header[:4], header[24:26] = b"LASF", bytes([1, minor])
    header[94:96], header[96:100] = size.to_bytes(2, "little"), size.to_bytes(4, "little")
    header[104:107] = bytes([0, LENGTH, 0])
    header[107:111] = promised.to_bytes(4, "little")
    header[131:179] = np.array([1e-3] * 3 + [0.0] * 3, "<f8").tobytes()
    if minor == 4 and after:
        header[235:243] = (size + N * LENGTH).to_bytes(8, "little")
    rows = np.zeros((N, LENGTH), np.uint8)
    rows[:, :12] = np.arange(3 * N, dtype="<i4").view(np.uint8).reshape(N, 12)
    path.write_bytes(bytes(header) + rows.tobytes() + after)
    return path


@pytest.mark.parametrize("promised", [0, N - 1, N + 1, 2**32 - 1])
def test_a_header_that_promises_other_points_than_there_are_is_told(promised: int, tmp_path: Path) -> None:
    for minor in (2, 3, 4):
        with pytest.raises(DamagedFile, match=f"promises {promised:,} points of 20 bytes and holds {N * LENGTH}"):
            read_las(_las(tmp_path / "a.las", promised, minor))


def test_records_that_a_header_places_after_the_points_are_no_points(tmp_path: Path) -> None:
    assert len(read_las(_las(tmp_path / "a.las", N, 4, after=bytes(999))).points) == N
