"""HDF5 files of unknown origin: opened read-only and without a lock, plain datasets of numbers and nothing else."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.dependencies import load
from s4tok.shapes import Array

FREE, LARGEST_RATIO = 1 << 20, 200  # bytes a dataset may unpack to, and how many for each byte that it is stored in
FILTERS = {1, 2, 3}  # gzip, shuffle, fletcher32
MOST_DIMENSIONS = 3


class Hdf5:
    """The top-level datasets of an open file."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path = path
        self._file = file

    def __contains__(self, name: str) -> bool:
        return bool(self._file.id.links.exists(name.encode()))  # follows no link, as `in` would

    def shape(self, name: str) -> tuple[int, ...]:
        """Give a dataset's shape, after it has been found harmless."""
        return tuple(self._dataset(name).shape)

    def read(self, name: str, row: int | None = None) -> Array:
        """Read a dataset, or one row of it."""
        dataset = self._dataset(name)
        if row is not None and not 0 <= row < dataset.shape[0]:
            raise DamagedFile(self.path, f"{name} has {dataset.shape[0]} rows, and row {row} is asked for")
        return np.asarray(dataset[()] if row is None else dataset[row])

    def _dataset(self, name: str) -> Any:
        h5py = load("h5py")
        if name not in self:
            raise DamagedFile(self.path, f"has no dataset {name!r}")
        if not isinstance(self._file.get(name, getlink=True), h5py.HardLink):
            raise self._refused(name, "is a link out of its place")
        dataset = self._file[name]
        if not isinstance(dataset, h5py.Dataset):
            raise DamagedFile(self.path, f"{name!r} is not a dataset of numbers")
        if dataset.is_virtual or dataset.external:
            raise self._refused(name, "keeps its values in another file")
        if dataset.dtype.kind not in "iuf" or not 1 <= dataset.ndim <= MOST_DIMENSIONS:
            raise DamagedFile(self.path, f"{name!r} is {dataset.dtype} {dataset.shape}, not an array of numbers")
        creation = dataset.id.get_create_plist()
        filters = {creation.get_filter(i)[0] for i in range(creation.get_nfilters())}
        if not filters <= FILTERS:
            raise DamagedFile(
                self.path, f"{name!r} is compressed by filter {min(filters - FILTERS)}", "save it with gzip or without."
            )
        promised, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
        if promised > max(FREE, LARGEST_RATIO * stored):
            raise self._refused(name, f"promises {promised:,} bytes and stores {stored:,}")
        return dataset

    def _refused(self, name: str, why: str) -> DamagedFile:
        return DamagedFile(self.path, f"{name!r} {why}; it is refused", "copy its values into a plain dataset.")


@contextmanager
def open_hdf5(path: Path) -> Iterator[Hdf5]:
    """Open a file for reading; what HDF5 cannot read is told with the file's name."""
    h5py = load("h5py")
    if not path.is_file():
        raise DamagedFile(path, "is not there")
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield Hdf5(path, file)
    except DamagedFile:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DamagedFile(path, f"is no whole HDF5 file: {reason}", "get the file again.") from error
