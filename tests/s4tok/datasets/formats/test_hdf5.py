import fcntl
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.hdf5 import open_hdf5

MEMORY = 16 << 20


def _refusal(path: Path, name: str = "data") -> str:
    tracemalloc.start()
    with pytest.raises(DamagedFile) as refused, open_hdf5(path) as file:
        file.read(name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY
    assert str(path) in str(refused.value)
    return str(refused.value)


def test_a_row_is_the_row_of_the_whole(tmp_path: Path) -> None:
    clouds = np.random.default_rng(0).random((5, 7, 3)).astype(np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=clouds, compression="gzip", shuffle=True, fletcher32=True)
    with open_hdf5(tmp_path / "a.h5") as mine:
        assert mine.shape("data") == (5, 7, 3)
        np.testing.assert_array_equal(mine.read("data", 3), clouds[3])
        with pytest.raises(DamagedFile, match="row 5 is asked for"):
            mine.read("data", 5)


def test_a_file_that_another_program_has_locked_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.arange(3)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with open_hdf5(path) as mine:
            np.testing.assert_array_equal(mine.read("data"), [0, 1, 2])


def test_links_and_values_out_of_the_file_are_refused_and_the_other_file_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["data"] = np.full(4, 42)
    (tmp_path / "secret.raw").write_bytes(bytes(range(64)))
    layout = h5py.VirtualLayout((4,), "i8")
    layout[:] = h5py.VirtualSource(str(secret), "data", (4,))
    for name in ("external-link", "soft-link", "external-storage", "virtual"):
        path = tmp_path / f"{name}.h5"
        with h5py.File(path, "w") as file:
            if name == "external-link":
                file["data"] = h5py.ExternalLink(str(secret), "data")
            elif name == "soft-link":
                file["other"], file["data"] = np.zeros(4), h5py.SoftLink("/other")
            elif name == "external-storage":
                file.create_dataset("data", (8,), "i8", external=[(str(tmp_path / "secret.raw"), 0, 64)])
            else:
                file.create_virtual_dataset("data", layout)
        assert "it is refused" in _refusal(path)


def test_a_dataset_that_promises_more_than_it_stores_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "hollow.h5", "w") as file:  # no chunk written: terabytes of fill values
        file.create_dataset("data", (10**6, 2048, 3), "f4", chunks=(1, 2048, 3))
    assert "promises" in _refusal(tmp_path / "hollow.h5")
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("data", data=np.zeros((1000, 2048, 3), "f4"), compression="gzip", compression_opts=9)
    assert "promises" in _refusal(tmp_path / "bomb.h5")


def test_what_is_no_array_of_numbers_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["text"] = "words"
        file["group/inner"] = np.zeros(3)
        file["scalar"] = 3.0
        file["deep"] = np.zeros((2, 2, 2, 2))
        file.create_dataset("objects", (3,), h5py.string_dtype())
        file.create_dataset("lzf", data=np.arange(1000), compression="lzf")
    for name in ("text", "group", "scalar", "deep", "objects", "lzf", "absent"):
        assert name in _refusal(tmp_path / "odd.h5", name)


def test_a_file_that_is_no_hdf5_or_only_a_part_of_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("not at all")
    assert "no whole HDF5 file" in _refusal(tmp_path / "text.h5")
    assert "is not there" in _refusal(tmp_path / "absent.h5")
