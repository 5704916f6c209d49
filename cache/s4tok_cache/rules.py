"""The reader's rules: what a cache file may contain, checked before a byte of it is believed.

A file may come from anywhere or from a failing disk. HDF5 itself would follow links out of the cache, read other
files as raw storage, fill rows of a missing source with made-up values, and allocate whatever a header declares.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z  # pyright: ignore[reportAttributeAccessIssue] - compiled

from s4tok_cache.entry import Entry, array_digest, encode, entry_digest
from s4tok_cache.errors import CacheCorrupt, CacheError, CacheMismatch
from s4tok_cache.layouts import LARGEST_ARRAY, NumPyArray, Value
from s4tok_cache.segment import FORMAT, Row, parse_index
from s4tok_cache.stamp import Stamp

FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
DEFLATE_LIMIT = 1100  # declared bytes over stored ones; deflate reaches 1032
SMALL = 1 << 20  # bytes any dataset may declare; below, the ratio says nothing
LARGEST_ATTRIBUTE = 1 << 16
MOST_ATTRIBUTES = 64
LARGEST_INDEX = 1 << 28
DEEPEST = 4  # axes

Thing: TypeAlias = Any  # whatever HDF5 has under a name; its own types are not typed


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what HDF5 says of damage into one sentence; what the system says of a file stays as it is."""
    try:
        yield
    except CacheError:
        raise
    except OSError as error:
        if error.errno is not None:  # no such file, too many open files, an unreadable disk
            raise
        raise _damaged(path, error) from error
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> CacheCorrupt:
    reason = " ".join(str(error).split()) or type(error).__name__
    return CacheCorrupt(f"{path} is damaged: {reason}.", "s4tok cache verify --repair sets it aside; then run again.")


def open_file(path: Path, folder: Path) -> h5py.File:
    """Open a cache file to read: a regular file inside its folder, without a lock."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(folder)):
        raise CacheCorrupt(f"{path} leads out of the cache, to {real}.", "remove that link.")
    if not stat.S_ISREG(os.stat(real).st_mode):  # noqa: PTH116 - a missing file shall say so
        raise CacheCorrupt(f"{path} is no regular file.")
    with explained(path):
        file = h5py.File(real, "r", locking=False)
    with explained(path):
        for name in (b"entries", b"index"):
            if not file.id.links.exists(name) or file.id.links.get_info(name).type != h5l.TYPE_HARD:
                raise ValueError(f"/{name.decode()} is missing or a link that leads elsewhere")
        return file
    raise AssertionError("explained() swallowed an error")


def root_attribute(file: h5py.File, name: str) -> Value:
    """Read one thing a file says of itself."""
    return _attribute(file.id, name)


def check_format(file: h5py.File) -> None:
    """Refuse a file of another time, and say who made it."""
    found = root_attribute(file, "format")
    if found != FORMAT:
        raise CacheMismatch(
            f"{file.filename} has format {found} (made by {root_attribute(file, 'tool')}), "
            f"and this s4tok reads format {FORMAT}.",
            f"run s4tok {root_attribute(file, 'stage')} again, or read it with the version that made it.",
        )


def is_stamped(file: h5py.File, stamp: Stamp) -> bool:
    """Say whether a file was made as the stamp says, word for word."""
    return root_attribute(file, "params_json") == stamp.json


def read_stamp(file: h5py.File) -> Stamp:
    """Read how a file's content was made, held against its hash."""
    text = str(root_attribute(file, "params_json"))
    if hashlib.sha256(text.encode()).hexdigest() != root_attribute(file, "params_sha256"):
        raise ValueError("params_json is not what was written")
    return Stamp.from_json(text)


def read_index(file: h5py.File) -> dict[str, Row]:
    """Read which entries a file holds, and hold that against what lies in it."""
    table = _dataset(file.id, b"index", LARGEST_INDEX)
    if table.dtype != np.uint8 or table.ndim != 1:
        raise ValueError(f"/index is {table.dtype} {table.shape}")
    content = table.tobytes()
    written = _attribute(h5o.open(file.id, b"index"), "blake2b")
    if hashlib.blake2b(content, digest_size=16).hexdigest() != written:
        raise ValueError("/index is not what was written")
    index = parse_index(json.loads(content))
    entries = h5o.open(file.id, b"entries")
    if not isinstance(entries, h5g.GroupID) or entries.get_num_objs() != len(index):
        raise ValueError(f"/index names {len(index)} entries, and they are not there")
    return index


def read_entry(file: h5py.File, key: str, row: Row, names: tuple[str, ...] | None = None) -> Entry:
    """Read an entry, or some arrays of it, and check every byte against its digest."""
    group = _open(h5o.open(file.id, b"entries"), encode(key).encode())
    if not isinstance(group, h5g.GroupID):
        raise ValueError(f"/entries/{encode(key)} is no group")
    fingerprint, digest = row
    members = sorted(name.decode() for name in group)
    if len(members) > 64:
        raise ValueError(f"{key} has {len(members)} arrays")
    arrays: dict[str, NumPyArray] = {}
    digests: dict[str, str] = {}
    for name in members:
        if names is None or name in names:
            arrays[name] = _dataset(group, name.encode(), LARGEST_ARRAY)
            arrays[name].flags.writeable = False
            digests[name] = array_digest(key, name, arrays[name])
        else:
            digests[name] = str(_attribute(_open(group, name.encode()), "blake2b"))
    attributes = _attributes(group)
    if entry_digest(key, digests, attributes, fingerprint) != digest:
        raise ValueError(f"{key} is not what was written")
    return Entry(key, arrays, attributes, fingerprint)


def compressed_arrays(file: h5py.File, key: str) -> frozenset[str]:
    """Name the arrays of an entry, which was read and checked before, that are compressed."""
    group = _open(h5o.open(file.id, b"entries"), encode(key).encode())
    how = {name: _open(group, name).get_create_plist() for name in group}
    return frozenset(name.decode() for name, plist in how.items() if h5z.FILTER_DEFLATE in _filters(plist))


def _filters(plist: Thing) -> set[int]:
    return {plist.get_filter(number)[0] for number in range(plist.get_nfilters())}


def _open(group: h5g.GroupID, name: bytes) -> Thing:
    if group.links.get_info(name).type != h5l.TYPE_HARD:
        raise ValueError(f"{name.decode()} is a link that leads elsewhere")
    return h5o.open(group, name)


def _dataset(group: h5g.GroupID, name: bytes, largest: int) -> NumPyArray:
    dataset = _open(group, name)
    if not isinstance(dataset, h5d.DatasetID):
        raise ValueError(f"{name.decode()} is no dataset")
    plist = dataset.get_create_plist()
    layout = plist.get_layout()
    if layout == h5d.VIRTUAL or plist.get_external_count():
        raise ValueError(f"{name.decode()} keeps its values in other files")
    kind = dataset.get_type()
    if not isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID):
        raise ValueError(f"{name.decode()} holds no plain numbers")
    filters = _filters(plist)
    if not filters <= FILTERS:
        raise ValueError(f"{name.decode()} is packed by filters this reader does not run: {sorted(filters - FILTERS)}")
    shape = dataset.shape
    dtype = kind.dtype
    declared = prod(shape) * dtype.itemsize
    if not 1 <= len(shape) <= DEEPEST or dtype.itemsize > 8:
        raise ValueError(f"{name.decode()} is {dtype} {shape}")
    stored = dataset.get_storage_size()
    if declared > largest or declared > max(SMALL, DEFLATE_LIMIT * stored):
        raise ValueError(f"{name.decode()} declares {declared:,} bytes and has {stored:,}")
    if layout == h5d.CHUNKED and prod(plist.get_chunk()) * dtype.itemsize > max(SMALL, 2 * declared):
        raise ValueError(f"{name.decode()} has chunks of {plist.get_chunk()}")
    array = np.empty(shape, dtype)
    if array.size:
        dataset.read(h5s.ALL, h5s.ALL, array)
    return array


def _attributes(thing: Thing) -> dict[str, Value]:
    count = h5a.get_num_attrs(thing)
    if count > MOST_ATTRIBUTES:
        raise ValueError(f"{count} attributes")
    found = (h5a.open(thing, index=number) for number in range(count))
    return {attribute.name.decode(): _value(attribute) for attribute in found}


def _attribute(thing: Thing, name: str) -> Value:
    return _value(h5a.open(thing, name.encode()))


def _value(attribute: Thing) -> Value:
    kind = attribute.get_type()
    if attribute.shape != () or kind.get_size() > LARGEST_ATTRIBUTE:
        raise ValueError(f"the attribute {attribute.name.decode()} is {attribute.shape}")
    if isinstance(kind, h5t.TypeStringID) and not kind.is_variable_str():
        text = np.empty((), f"S{kind.get_size()}")
        attribute.read(text, mtype=kind)
        return bytes(text[()]).decode()
    if isinstance(kind, h5t.TypeIntegerID):
        whole = np.empty((), np.int64)
        attribute.read(whole)
        return int(whole)
    if isinstance(kind, h5t.TypeFloatID):
        real = np.empty((), np.float64)
        attribute.read(real)
        return float(real)
    raise ValueError(f"the attribute {attribute.name.decode()} is neither a number nor a text of fixed length")
