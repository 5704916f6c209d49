"""Cache files as an enemy would write them: whole but for one thing that a reader must not follow, fill or believe.

Where a file leads elsewhere, just the right bytes lie there, so that no digest but only a rule can tell.
"""

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

Hostile = Callable[[h5py.Group, Path], None]  # makes the first entry hostile; the path is a folder outside the cache


def external_storage(entry: h5py.Group, outside: Path) -> None:
    right = entry["labels"][...]
    (outside / "labels.raw").write_bytes(right.tobytes())
    place = [(str(outside / "labels.raw"), 0, right.nbytes)]
    _replace(entry, shape=right.shape, dtype=right.dtype, external=place)


def external_link(entry: h5py.Group, outside: Path) -> None:
    _copy_outside(entry, outside)
    del entry["labels"]
    entry["labels"] = h5py.ExternalLink(str(outside / "labels.h5"), "labels")


def soft_link(entry: h5py.Group, outside: Path) -> None:
    del outside
    entry.file.move(f"{entry.name}/labels", "/elsewhere")
    entry["labels"] = h5py.SoftLink("/elsewhere")


def virtual_dataset(entry: h5py.Group, outside: Path) -> None:
    _copy_outside(entry, outside)
    right = entry["labels"]
    layout = h5py.VirtualLayout(right.shape, right.dtype)
    layout[:] = h5py.VirtualSource(str(outside / "labels.h5"), "labels", right.shape)
    digest = right.attrs["blake2b"]
    del entry["labels"]
    entry.create_virtual_dataset("labels", layout, fillvalue=-7).attrs["blake2b"] = digest


def entry_by_link(entry: h5py.Group, outside: Path) -> None:
    name = entry.name
    with h5py.File(outside / "entry.h5", "w") as file:
        entry.file.copy(entry, file, "entry")
    file = entry.file
    del file[name]
    file[name] = h5py.ExternalLink(str(outside / "entry.h5"), "entry")


def entries_by_link(entry: h5py.Group, outside: Path) -> None:
    file = entry.file
    with h5py.File(outside / "entries.h5", "w") as other:
        file.copy("entries", other)
    del file["entries"]
    file["entries"] = h5py.ExternalLink(str(outside / "entries.h5"), "entries")


def shape_bomb(entry: h5py.Group, outside: Path) -> None:
    del outside
    _replace(entry, shape=(1 << 45,), dtype="i4", chunks=(1024,))


def wide_bomb(entry: h5py.Group, outside: Path) -> None:
    del outside
    _replace(entry, shape=(1 << 28, 1 << 28), dtype="i4", chunks=(1, 1024))


def gzip_bomb(entry: h5py.Group, outside: Path) -> None:
    del outside
    bomb = _replace(entry, shape=(1 << 30,), dtype="i4", chunks=(1 << 24,), compression=9, shuffle=True)
    bomb[: 1 << 24] = 0


def chunk_bomb(entry: h5py.Group, outside: Path) -> None:
    del outside
    _replace(entry, shape=(1000,), maxshape=(None,), dtype="i4", chunks=(1 << 29,), compression=1)


def group_that_holds_itself(entry: h5py.Group, outside: Path) -> None:
    del outside
    del entry["labels"]
    entry["labels"] = entry


def deep_groups(entry: h5py.Group, outside: Path) -> None:
    del outside
    del entry["labels"]
    entry.create_group("/".join(["labels"] * 64))


def objects(entry: h5py.Group, outside: Path) -> None:
    del outside
    _replace(entry, data=np.array(["x" * 10] * 1000, object), dtype=h5py.string_dtype())


def references(entry: h5py.Group, outside: Path) -> None:
    del outside
    _replace(entry, data=np.array([entry.ref] * 1000, object), dtype=h5py.ref_dtype)


def records(entry: h5py.Group, outside: Path) -> None:
    del outside
    _replace(entry, data=np.zeros(1000, [("a", "i4"), ("b", "f4")]))


def unknown_filter(entry: h5py.Group, outside: Path) -> None:
    del outside
    made = _replace(entry, shape=(1000,), dtype="i4", chunks=(1000,), compression=32015, allow_unknown_filter=True)
    made.id.write_direct_chunk((0,), bytes(4000))


def named_type(entry: h5py.Group, outside: Path) -> None:
    del outside
    del entry["labels"]
    entry["labels"] = np.dtype("i4")


def many_attributes(entry: h5py.Group, outside: Path) -> None:
    del outside
    for number in range(5000):
        entry.attrs[f"a{number}"] = number


def large_attribute(entry: h5py.Group, outside: Path) -> None:
    del outside
    entry.attrs["n_superpoints"] = np.zeros(1 << 20)


def text_on_the_heap(entry: h5py.Group, outside: Path) -> None:
    del outside
    entry.attrs["n_superpoints"] = "x" * 1000


def many_arrays(entry: h5py.Group, outside: Path) -> None:
    del outside
    for number in range(2000):
        entry[f"a{number}"] = np.zeros(1)


LEAD_ELSEWHERE: tuple[Hostile, ...] = (
    external_storage,
    external_link,
    soft_link,
    virtual_dataset,
    entry_by_link,
    entries_by_link,
)
FLOOD_OR_CONFUSE: tuple[Hostile, ...] = (
    shape_bomb,
    wide_bomb,
    gzip_bomb,
    chunk_bomb,
    group_that_holds_itself,
    deep_groups,
    objects,
    references,
    records,
    unknown_filter,
    named_type,
    many_attributes,
    large_attribute,
    text_on_the_heap,
    many_arrays,
)


def _replace(entry: h5py.Group, **made: object) -> h5py.Dataset:
    """Put another array in the place of the labels, under their digest."""
    digest = entry["labels"].attrs["blake2b"]
    del entry["labels"]
    dataset = entry.create_dataset("labels", **made)
    dataset.attrs["blake2b"] = digest
    return dataset


def _copy_outside(entry: h5py.Group, outside: Path) -> None:
    with h5py.File(outside / "labels.h5", "w") as file:
        entry.file.copy(entry["labels"], file, "labels")


def make_fifo(path: Path) -> None:
    """Put a pipe where a segment was: who opens it to read waits for ever."""
    path.unlink()
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_symlink(path: Path) -> None:
    """Lead out of the cache, to the very bytes that were there."""
    elsewhere = path.parents[2] / "elsewhere.h5"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
