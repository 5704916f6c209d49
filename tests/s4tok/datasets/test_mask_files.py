from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.mask_files import MaskFiles
from s4tok.errors import InputError
from s4tok.shapes import Array


@pytest.fixture
def many() -> Array:
    """Three hundred masks, each two pixels wide."""
    return np.arange(300, dtype=np.int32).repeat(2).reshape(20, 30)


def test_npz_and_png_hold_more_masks_than_a_byte_can_count(tmp_path: Path, many: Array) -> None:
    (tmp_path / "room").mkdir()
    np.savez_compressed(tmp_path / "room" / "20.npz", mask=many)
    Image.fromarray(many.astype(np.uint16)).save(tmp_path / "room" / "40.png")
    files = MaskFiles(tmp_path)
    for frame in ("20", "40"):
        found = files.read("room", frame, (20, 30))
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, many)
    assert files.read("room", "20", (40, 60)).shape == (40, 60)
    assert len(np.unique(files.read("room", "20", (40, 60)))) == 300


def test_names_may_begin_with_zeros_and_a_longer_number_is_another_frame(tmp_path: Path, many: Array) -> None:
    (tmp_path / "room").mkdir()
    np.savez(tmp_path / "room" / "000120.npz", mask=many + 1)
    np.savez(tmp_path / "room" / "000020.npz", mask=many)
    assert MaskFiles(tmp_path).read("room", "20", (20, 30)).max() == 299
    with pytest.raises(InputError, match="has no masks of frame 0 of room"):
        MaskFiles(tmp_path).read("room", "0", (20, 30))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"masks": np.zeros((2, 2), np.int32)}, "has no array 'mask'; it has masks"),
        ({"mask": np.zeros((2, 2), np.uint8)}, "has masks in 8 bits, in which more than 255 of them wrap around"),
        ({"mask": np.zeros((2, 2, 3), np.int32)}, r"has masks of int32 \(2, 2, 3\)"),
        ({"mask": np.zeros((2, 2))}, r"has masks of float64 \(2, 2\)"),
        ({"mask": np.full((2, 2), -1)}, "has ids from -1 to -1"),
        ({"mask": np.full((2, 2), 2**40)}, "and they lie in 0 .. 2147483647"),
    ],
)
def test_what_is_no_map_of_masks_is_refused(tmp_path: Path, arrays: dict[str, Array], reason: str) -> None:
    (tmp_path / "room").mkdir()
    np.savez(tmp_path / "room" / "0.npz", **arrays)
    with pytest.raises(DamagedFile, match=reason):
        MaskFiles(tmp_path).read("room", "0", (2, 2))


def test_a_png_of_eight_bits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "room" / "0.png")
    with pytest.raises(DamagedFile, match="16 bits"):
        MaskFiles(tmp_path).read("room", "0", (4, 4))
