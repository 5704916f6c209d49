"""Arrays made ready for a cache where they were made: a worker compresses and hashes, and the parent only copies."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count
from math import prod
from typing import Any

import h5py
import numpy as np

from s4tok_cache.entry import Entry, Fingerprint, array_digest
from s4tok_cache.layouts import Layout, NumPyArray, Value

CHUNK = 1 << 20  # bytes; one chunk up to here, for a chunk size that does not divide an array wastes the rest
LIBVER = ("v110", "v110")  # checksums on all metadata, and readable by every HDF5 since 1.10
IMAGES = count()


@dataclass(frozen=True, eq=False)
class Sealed:
    """An array as it lies in a file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    is_compressed: bool
    digest: str
    chunks: tuple[tuple[tuple[int, ...], int, bytes], ...]  # of each its corner, the filters left out, the bytes

    @property
    def nbytes(self) -> int:
        """Give the bytes of the array, as it lies in memory."""
        return prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, eq=False)
class SealedEntry:
    """Sealed arrays and attributes under a key."""

    key: str
    arrays: Mapping[str, Sealed]
    attributes: Mapping[str, Value]
    fingerprint: Fingerprint

    @cached_property
    def nbytes(self) -> int:
        """Give the bytes of all arrays, as they lie in memory."""
        return sum(array.nbytes for array in self.arrays.values())

    def opened(self) -> Entry:
        """Give the arrays themselves."""
        with in_memory() as file:
            arrays = {name: create(file, name, array)[()] for name, array in self.arrays.items()}
        for array in arrays.values():
            array.flags.writeable = False
        return Entry(self.key, arrays, self.attributes, self.fingerprint)


def seal(key: str, arrays: Mapping[str, NumPyArray], layout: Layout) -> dict[str, Sealed]:
    """Compress and hash the arrays of one entry, for `Store.write` to take in."""
    return {name: _sealed(key, name, np.ascontiguousarray(array), layout.compressed) for name, array in arrays.items()}


def _sealed(key: str, name: str, array: NumPyArray, compressed: Collection[str]) -> Sealed:
    with in_memory() as file:
        dataset = create(file, name, array, name in compressed)
        file.flush()
        corners = [dataset.id.get_chunk_info(place).chunk_offset for place in range(_n_chunks(dataset))]
        chunks = tuple((corner, *dataset.id.read_direct_chunk(corner)) for corner in corners)
    return Sealed(array.dtype, array.shape, name in compressed, array_digest(key, name, array), chunks)


def _n_chunks(dataset: h5py.Dataset) -> int:
    return int(dataset.id.get_num_chunks()) if dataset.chunks else 0


def create(group: h5py.Group, name: str, array: NumPyArray | Sealed, is_compressed: bool = False) -> h5py.Dataset:
    """Write an array into a file, or one that was sealed."""
    if isinstance(array, Sealed):
        is_compressed = array.is_compressed
    # An array of nothing has no chunks to guard.
    how = _properties(chunk(array), is_compressed) if prod(array.shape) else _properties((), is_compressed=False)
    kind, space = h5py.h5t.py_create(array.dtype, logical=True), h5py.h5s.create_simple(array.shape)
    dataset = h5py.h5d.create(group.id, name.encode(), kind, space, dcpl=how)
    if isinstance(array, Sealed):
        for corner, left_out, content in array.chunks:
            dataset.write_direct_chunk(corner, content, left_out)
    else:
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, array)
    return h5py.Dataset(dataset)


@lru_cache(maxsize=64)  # arrays have many shapes, and HDF5 holds each list until it is dropped
def _properties(chunks: tuple[int, ...], is_compressed: bool) -> Any:
    """Say how HDF5 lays an array out; `Group.create_dataset` makes the same anew for each, in a third of its time."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    if chunks:
        properties.set_chunk(chunks)
        if is_compressed:
            properties.set_shuffle()
            properties.set_deflate(1)
        properties.set_fletcher32()
    return properties


def chunk(array: NumPyArray | Sealed) -> tuple[int, ...]:
    """Choose whole arrays up to a mebibyte, and slabs of about that size above."""
    shape = list(array.shape)
    for axis in range(len(shape)):
        if prod(shape) * array.dtype.itemsize <= CHUNK:
            break
        below = prod(shape[axis + 1 :]) * array.dtype.itemsize
        shape[axis] = max(1, min(shape[axis], CHUNK // below))
    return tuple(shape)


@contextmanager
def in_memory() -> Iterator[h5py.File]:
    """Open an empty file that is never written to a disk."""
    # A name of its own: a file whose creation a signal interrupts stays open in HDF5, which then refuses its name.
    with h5py.File(f"segment {next(IMAGES)}", "w", driver="core", backing_store=False, libver=LIBVER) as file:
        yield file
