"""NumPy's .npy and .npz: the header is held against the file's size before an array is made; nothing is unpickled."""

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.zips import open_zip, refuse_bomb
from s4tok.shapes import Array

LONGEST_HEADER = 1 << 16
MOST_DIMENSIONS = 32  # of NumPy 1's arrays


def read_npy(path: Path) -> Array:
    """Read an array of numbers from a .npy file."""
    try:
        with path.open("rb") as file:
            return _read_array(file.read, path, path.stat().st_size)
    except OSError as error:
        raise DamagedFile(path, f"cannot be read: {error.strerror}") from error


class Npz(Mapping[str, Array]):
    """The arrays of a .npz file by name; each is read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_zip(path, ".npz") as file:
            members = file.infolist()
        self.members = {info.filename.removesuffix(".npy"): info for info in members}

    def __getitem__(self, name: str) -> Array:
        """Read one array, after its declared size has been found believable."""
        info = self.members[name]
        refuse_bomb(info, self.path, f"array {name!r}", "if you trust it, save it again with numpy.savez.")
        with open_zip(self.path, ".npz") as file, file.open(info) as member:
            return _read_array(member.read, self.path, info.file_size)

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


def _read_array(read: Callable[[int], bytes], path: Path, size: int) -> Array:
    shape, dtype, fortran, offset = _read_header(read, path)
    promised = math.prod(shape) * dtype.itemsize
    if promised > size - offset:
        raise DamagedFile(
            path,
            f"promises an array {shape} of {dtype}, {promised:,} bytes, and holds {max(size - offset, 0):,}",
            "get the file again.",
        )
    if promised < size - offset:
        sentence = f"goes on for {size - offset - promised:,} bytes after its array {shape} of {dtype}"
        raise DamagedFile(path, sentence, "save one array a file, or several as .npz.")
    data = read(promised)
    if len(data) != promised:
        raise DamagedFile(path, f"ends after {len(data):,} of {promised:,} bytes", "get the file again.")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _read_header(read: Callable[[int], bytes], path: Path) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    lead = read(8)
    if len(lead) < 8 or lead[:6] != b"\x93NUMPY" or lead[6] not in (1, 2, 3):
        raise DamagedFile(path, "is no .npy file, or only the beginning of one", "get the file again.")
    n_bytes = 2 if lead[6] == 1 else 4
    length = int.from_bytes(read(n_bytes), "little")
    if length > LONGEST_HEADER:
        raise DamagedFile(path, f"has a header of {length:,} bytes, where {LONGEST_HEADER:,} are plenty")
    try:
        header = ast.literal_eval(read(length).decode("latin-1").strip())
        shape, dtype, fortran = tuple(header["shape"]), np.dtype(header["descr"]), bool(header["fortran_order"])
        believable = len(shape) <= MOST_DIMENSIONS and all(type(side) is int and side >= 0 for side in shape)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise DamagedFile(path, "has a header that cannot be read", "get the file again.") from error
    if not believable:
        raise DamagedFile(path, f"has a header that promises the shape {str(shape)[:60]}", "get the file again.")
    if dtype.kind not in "iufb":
        hint = "save numbers only, for example numpy.save(path, points.astype(numpy.float32))."
        what = "pickled Python objects, which are never loaded" if dtype.hasobject else f"values of type {dtype}"
        raise DamagedFile(path, f"holds {what}", hint)
    return shape, dtype, fortran, 8 + n_bytes + length
