"""How entries lie in an HDF5 file: in a segment built in memory, and in a packed file, alike.

    /                      attributes: format, layout, layout_version, stage, params_json, params_sha256, entries, tool
    /index                 JSON: key -> [path, size, mtime_ns, sha256 of the input, digest of the entry]
    /entries/KEY           a group an entry, its key percent-encoded, its attributes native ones
    /entries/KEY/ARRAY     chunked, fletcher32, with its digest as the attribute blake2b

Text attributes have fixed length: HDF5 puts text of variable length on a heap that no checksum guards.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

import h5py
import numpy as np

from s4tok_cache.entry import Entry, Fingerprint, array_digest, encode, entry_digest
from s4tok_cache.layouts import Layout, NumPyArray, Value
from s4tok_cache.sealed import CHUNK, Sealed, SealedEntry, create, in_memory
from s4tok_cache.stamp import Stamp, canonical

FORMAT = 1

Row: TypeAlias = tuple[Fingerprint, str]  # what an index says of an entry: its input and its digest


def image(
    entries: Mapping[str, Entry | SealedEntry], layout: Layout, stamp: Stamp, extra: Mapping[str, Value]
) -> tuple[bytes, dict[str, Row]]:
    """Build a segment in memory: the same entries give the same bytes, whatever order they came in."""
    with in_memory() as file:
        made = ((entries[key], layout.compressed) for key in sorted(entries))
        rows = fill(file, made, (layout.name, layout.version), stamp, extra)
        file.flush()
        content: bytes = file.id.get_file_image()
    return content, rows


def fill(
    file: h5py.File,
    entries: Iterable[tuple[Entry | SealedEntry, Collection[str]]],
    layout: tuple[str, int],
    stamp: Stamp,
    extra: Mapping[str, Value] = {},
) -> dict[str, Row]:
    """Write sorted entries into an empty file, one at a time, and return its index.

    Args:
        file: Nothing is in it yet.
        entries: Each with the names of its arrays that are compressed.
        layout: The name and the version of what they are laid out as.
        stamp: How they were made.
        extra: What else the file says of itself.
    """
    index: dict[str, Row] = {}
    group = file.create_group("entries")
    for entry, compressed in entries:
        digest = _put(group.create_group(encode(entry.key)), entry, compressed)
        index[entry.key] = entry.fingerprint, digest
    content = canonical(index_table(index)).encode()
    table = file.create_dataset(
        "index",
        data=np.frombuffer(content, np.uint8),
        chunks=(min(len(content), CHUNK),),
        compression=1,
        fletcher32=True,
    )
    put_attribute(table, "blake2b", hashlib.blake2b(content, digest_size=16).hexdigest())
    attributes: dict[str, Value] = {
        "format": FORMAT,
        "layout": layout[0],
        "layout_version": layout[1],
        "stage": stamp.stage,
        "params_json": stamp.json,
        "params_sha256": stamp.sha256,
        "entries": len(index),
        "tool": tool(),
        **extra,
    }
    for name, value in attributes.items():
        put_attribute(file, name, value)
    return index


def index_table(index: Mapping[str, Row]) -> dict[str, list[str | int]]:
    """Give an index the form in which it is written: path, size, time and hash of the input, digest of the entry."""
    return {key: [*fingerprint, digest] for key, (fingerprint, digest) in index.items()}


def parse_index(rows: Any) -> dict[str, Row]:
    """Read an index, in which words must be words and numbers numbers."""
    index: dict[str, Row] = {}
    for key, (path, size, mtime_ns, sha256, digest) in rows.items():
        if not (type(path) is type(sha256) is type(digest) is str and type(size) is type(mtime_ns) is int):
            raise ValueError(f"{rows[key]!r} is no row of an index")
        index[key] = Fingerprint(path, size, mtime_ns, sha256), digest
    return index


def _put(group: h5py.Group, entry: Entry | SealedEntry, compressed: Collection[str]) -> str:
    digests: dict[str, str] = {}
    arrays: Mapping[str, NumPyArray | Sealed] = {**entry.arrays}
    for name, array in sorted(arrays.items()):
        digests[name] = array.digest if isinstance(array, Sealed) else array_digest(entry.key, name, array)
        dataset = create(group, name, array, name in compressed)
        put_attribute(dataset, "blake2b", digests[name])
    for name, value in sorted(entry.attributes.items()):
        put_attribute(group, name, value)
    return entry_digest(entry.key, digests, entry.attributes, entry.fingerprint)


def put_attribute(thing: h5py.HLObject, name: str, value: Value) -> None:
    """Give something in a file an attribute that it does not have yet."""
    array = native(value)
    in_file, in_memory = _kinds(array.dtype)
    h5py.h5a.create(thing.id, name.encode(), in_file, _scalar()).write(array, mtype=in_memory)


@lru_cache(maxsize=256)
def _kinds(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    return h5py.h5t.py_create(dtype, logical=True), h5py.h5t.py_create(dtype)


@cache
def _scalar() -> Any:
    return h5py.h5s.create_simple(())


def native(value: Value) -> NumPyArray:
    """Give an attribute the form it has in the file: text in UTF-8 of fixed length, 64-bit numbers."""
    if isinstance(value, str):
        content = value.encode()
        return np.array(content, h5py.string_dtype("utf-8", max(1, len(content))))
    return np.array(value, np.int64 if isinstance(value, int) else np.float64)


@cache
def tool() -> str:
    """Name the version that writes."""
    try:
        return f"s4tok {version('s4tok')}"
    except PackageNotFoundError:
        return "s4tok, not installed"
