"""Several clouds in one HDF5 file, a row each, as PointNet's and ScanObjectNN's authors publish them."""

from pathlib import Path

import numpy as np

from s4tok.datasets.dataset import Origin
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.hdf5 import open_hdf5
from s4tok.shapes import Array, Int

SEPARATOR = "/"  # between a file's stem and a row, in a key


def row_keys(path: Path, count: int) -> list[str]:
    """Name the rows of a file; the zeros keep them in order."""
    return [f"{path.stem}{SEPARATOR}{row:05d}" for row in range(count)]


def row_of(key: str) -> int:
    """Tell the row from a key."""
    return int(key.rpartition(SEPARATOR)[2])


def count_rows(path: Path, *names: str) -> int:
    """Count a file's clouds, which must be as many in each of its datasets."""
    with open_hdf5(path) as file:
        counts = {name: file.shape(name)[0] for name in names}
        shape = file.shape(names[0])
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise DamagedFile(path, f"must have as many rows of each, and has {listed}")
    if len(shape) != 3 or shape[2] != 3:
        raise DamagedFile(path, f"{names[0]} must be clouds x points x 3, and is {shape}")
    return counts[names[0]]


def read_ids(path: Path, name: str, n_classes: int) -> Int[Array, " k"]:
    """Read one class a cloud."""
    with open_hdf5(path) as file:
        ids = file.read(name).reshape(-1).astype(np.int64)
    if len(ids) and not 0 <= ids.min() <= ids.max() < n_classes:
        broken = int(((ids < 0) | (ids >= n_classes)).argmax())
        raise DamagedFile(path, f"{name} of row {broken} is {ids[broken]}, and there are {n_classes} classes")
    return ids


def read_rows(path: Path, row: int, *names: str) -> list[Array]:
    """Read one cloud: a row of each dataset."""
    with open_hdf5(path) as file:
        return [file.read(name, row) for name in names]


def share(origin: Origin, key: str, count: int) -> Origin:
    """Give one cloud its row and its share of the file's bytes."""
    return Origin(f"{origin.path}#{row_of(key)}", origin.size // max(count, 1), origin.mtime_ns)
