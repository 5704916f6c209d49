"""One entry of a cache, what it was made from, and the digests that prove it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from s4tok_cache.errors import CacheUsage
from s4tok_cache.layouts import NumPyArray, Value
from s4tok_cache.stamp import canonical

AND_ENTRIES = "+"
LONGEST_KEY = 500  # characters; three times as many bytes, should all of them need encoding


class Fingerprint(NamedTuple):
    """What an entry was made from: enough to notice, later, that it has changed."""

    path: str  # relative to the dataset's root
    size: int  # bytes; also deals work evenly over shards
    mtime_ns: int = 0
    sha256: str = ""  # of the content, where somebody paid for it; then "+" and the hash of other entries, if any

    def same(self, other: "Fingerprint") -> bool:
        """Say whether the input is unchanged: by content where both know it, else by size and time.

        Entries that an entry was made from too have to be the same in any case.
        """
        (mine, *my_entries), (theirs, *their_entries) = self._hashes, other._hashes
        if my_entries != their_entries:
            return False
        if mine and theirs:
            return mine == theirs
        return (self.size, self.mtime_ns) == (other.size, other.mtime_ns)

    def with_entries(self, digests: Iterable[str]) -> "Fingerprint":
        """Say that an entry is made from entries of other results too, which their digests identify."""
        known = hashlib.blake2b(canonical(list(digests)).encode(), digest_size=16).hexdigest()
        return self._replace(sha256=f"{self.sha256}{AND_ENTRIES}{known}")

    def without_entries(self) -> "Fingerprint":
        """Leave out the entries of other results."""
        return self._replace(sha256=self._hashes[0])

    @property
    def _hashes(self) -> list[str]:
        return self.sha256.split(AND_ENTRIES)

    @classmethod
    def of_row(cls, row: Any) -> "Fingerprint":
        """Read a stored row, in which numbers must be numbers and words must be words."""
        path, size, mtime_ns, sha256 = row
        if not (type(path) is type(sha256) is str and type(size) is type(mtime_ns) is int):
            raise TypeError(f"{row!r} is no fingerprint")
        return cls(path, size, mtime_ns, sha256)


@dataclass(frozen=True, eq=False)
class Entry:
    """Arrays and attributes under a key, each array read-only."""

    key: str
    arrays: Mapping[str, NumPyArray]
    attributes: Mapping[str, Value]
    fingerprint: Fingerprint

    def __getitem__(self, name: str) -> NumPyArray:
        return self.arrays[name]

    @property
    def nbytes(self) -> int:
        """Give the bytes of all arrays, as they lie in memory."""
        return sum(array.nbytes for array in self.arrays.values())


def array_digest(key: str, name: str, array: NumPyArray) -> str:
    """Hash an array together with its place, so that no other entry's array can stand in for it."""
    state = hashlib.blake2b(digest_size=16)
    state.update(f"{key}\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
    state.update(array.data if array.size else b"")
    return state.hexdigest()


def entry_digest(
    key: str, digests: Mapping[str, str], attributes: Mapping[str, Value], fingerprint: Fingerprint
) -> str:
    """Hash all there is to an entry."""
    text = canonical([key, dict(digests), dict(attributes), fingerprint])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def encode(key: str) -> str:
    """Turn a key into a name HDF5 takes: "Area_5/office_1" becomes "Area_5%2Foffice_1"."""
    if not key or len(key) > LONGEST_KEY:
        raise CacheUsage(f"a key has 1 to {LONGEST_KEY} characters, and {key[:40]!r} has {len(key)}.")
    try:
        name = quote(key, safe=" +,=@()")
    except UnicodeEncodeError as error:
        raise CacheUsage(f"the key {key!r} is no text that UTF-8 can write.") from error
    return name.replace(".", "%2E", 1) if name.startswith(".") else name
