"""Writes a stage's cache: entries in, immutable segments out, so that a killed run loses only the seconds in hand."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np

from s4tok_cache import folder as folders
from s4tok_cache.entry import Entry, Fingerprint, encode
from s4tok_cache.errors import CacheCorrupt, CacheError, CacheMismatch, CacheMissing
from s4tok_cache.files import FileSystem, make_folder, write_whole
from s4tok_cache.folder import FailedEntry, piece_name
from s4tok_cache.index import Index, build
from s4tok_cache.layouts import Layout, NumPyArray, Value
from s4tok_cache.reader import OpenFiles
from s4tok_cache.sealed import Sealed, SealedEntry
from s4tok_cache.segment import image
from s4tok_cache.shard import Shard
from s4tok_cache.stamp import Stamp, differences

MOST_ENTRIES = 64
MOST_BYTES = 64 << 20
MOST_SECONDS = 30.0


class Store:
    """A stage's cache while it is being made; use it as a context manager, so that what is buffered is committed.

    Any number of tasks may write to one folder at once: nothing is locked, names are unique, segments never change.
    An exception may come up anywhere, even in `commit`, as signal handlers raise them: entries stay in the buffer
    until their segment is durable, so that committing again loses nothing and at worst stores an entry twice.
    """

    def __init__(self, folder: Path, layout: Layout, stamp: Stamp, shard: Shard, files: FileSystem) -> None:
        self.folder, self.layout, self.stamp, self.shard = folder, layout, stamp, shard
        self.files = files
        self.overwrite = False
        self._index = Index()
        self._open = OpenFiles(folder.parent)
        self._buffer: dict[str, Entry | SealedEntry] = {}
        self._failed: dict[str, FailedEntry] = {}
        self._redone: set[str] = set()
        self._latest = 0
        self._since = time.monotonic()  # when work began whose results are not durable

    @classmethod
    def resume(
        cls,
        root: Path,
        layout: Layout,
        stamp: Stamp,
        *,
        shard: Shard = Shard(),  # noqa: B008 - it cannot change
        files: FileSystem | None = None,
        overwrite: bool = False,
    ) -> "Store":
        """Open the cache of a stage under CACHE/<dataset>/<split>, or begin it."""
        root = Path(root).absolute()
        store = cls(root / stamp.folder, layout, stamp, shard, files or FileSystem())
        store.overwrite = overwrite
        make_folder(store.files, store.folder)
        store._claim()
        store._index = build(store.files, store.folder, stamp)
        store._latest = max((piece.time_ns for piece in store._pieces()), default=0)
        return store

    def _claim(self) -> None:
        try:
            found = folders.read_stage(self.files, self.folder)
        except CacheCorrupt:
            found = None  # the folder's name and every segment carry the stamp too
        if found is None:
            folders.write_stage(self.files, self.folder, self.stamp, self.layout)
            return
        if found.stamp.sha256 != self.stamp.sha256:
            raise CacheMismatch(
                f"{self.folder} was made with {'; '.join(differences(found.stamp, self.stamp))}.",
                "somebody renamed that folder; move it away.",
            )
        found.require(self.layout, self.folder)

    def _pieces(self) -> list[folders.FileName]:
        return [piece for kind in ("seg", "fail") for piece in folders.pieces(self.files, self.folder, kind)]

    @property
    def damaged(self) -> Mapping[str, CacheError]:
        """Say which files could not be read, by path below CACHE/<dataset>/<split>; their entries count as missing."""
        return self._index.damaged

    @property
    def pending(self) -> list[str]:
        """Name the entries that are written and not yet durable."""
        return sorted(self._buffer)

    def keys(self) -> list[str]:
        """Name the entries that are durable."""
        return sorted(self._index.where)

    def missing(self, expected: Mapping[str, Fingerprint]) -> list[str]:
        """Name what this shard still has to make: entries that are not there, or whose input has changed."""
        folders.write_expected(self.files, self.folder, expected)
        mine = self.shard.deal({key: fingerprint.size for key, fingerprint in expected.items()})
        return [key for key in mine if not self._done(key, expected[key])]

    def _done(self, key: str, fingerprint: Fingerprint) -> bool:
        is_old = self.overwrite and key not in self._redone and key not in self._buffer
        return self._holds(key, fingerprint) and not is_old

    def _holds(self, key: str, fingerprint: Fingerprint) -> bool:
        if key in self._buffer:
            return self._buffer[key].fingerprint.same(fingerprint)
        return key in self._index.where and self._index.fingerprint(key).same(fingerprint)

    def write(
        self,
        key: str,
        arrays: Mapping[str, NumPyArray] | Mapping[str, Sealed],
        fingerprint: Fingerprint,
        attributes: Mapping[str, Value] = {},
    ) -> list[str]:
        """Take in an entry, and commit when enough has come together; return the keys that became durable.

        The arrays are copied: what the caller does to them afterwards changes nothing. Or they were sealed by a worker
        under the same key: then nothing is compressed or hashed here.
        """
        encode(key)
        self.layout.check(key, arrays, attributes)
        full = self._buffer and self._bytes() + sum(array.nbytes for array in arrays.values()) > MOST_BYTES
        durable = self.commit() if full else []
        sealed = {name: array for name, array in arrays.items() if isinstance(array, Sealed)}
        copies = {name: np.array(array, order="C") for name, array in arrays.items() if name not in sealed}
        for copy in copies.values():
            copy.flags.writeable = False
        if sealed:
            self._buffer[key] = SealedEntry(key, sealed, dict(attributes), fingerprint)
        else:
            self._buffer[key] = Entry(key, copies, dict(attributes), fingerprint)
        return durable + self._commit_when_full()

    def fail(self, key: str, reason: str, fingerprint: Fingerprint) -> list[str]:
        """Note that an entry could not be made; the next run tries again, and a success makes this forgotten."""
        self._failed[key] = FailedEntry(key, reason, fingerprint)
        return self._commit_when_full()

    def _commit_when_full(self) -> list[str]:
        if (
            len(self._buffer) + len(self._failed) >= MOST_ENTRIES
            or self._bytes() >= MOST_BYTES
            or time.monotonic() - self._since >= MOST_SECONDS
        ):
            return self.commit()
        return []

    def _bytes(self) -> int:
        return sum(entry.nbytes for entry in self._buffer.values())

    def commit(self) -> list[str]:
        """Make everything that was written durable, and return its keys."""
        entries, failed = dict(self._buffer), dict(self._failed)
        if entries:
            moment = self._now()
            content, rows = image(entries, self.layout, self.stamp, self._origin(moment))
            name = piece_name("seg", self.shard, moment, content)
            write_whole(self.folder / name, content, files=self.files)
            self._index.add(f"{self.folder.name}/{name}", rows)
            for key, entry in entries.items():
                self._redone.add(key)
                if self._buffer.get(key) is entry:
                    del self._buffer[key]
        if failed:
            content = folders.failures_text(failed.values())
            name = piece_name("fail", self.shard, self._now(), content)
            write_whole(self.folder / name, content, files=self.files)
            for key, failure in failed.items():
                if self._failed.get(key) is failure:
                    del self._failed[key]
        self._since = time.monotonic()
        return sorted(entries)

    def _origin(self, moment: int) -> dict[str, Value]:
        """Say who wrote a segment; nothing of this reaches a packed file."""
        job = os.environ.get("SLURM_JOB_ID", "")
        return {"shard": str(self.shard), "host": socket.gethostname(), "job": job, "time_ns": moment}

    def _now(self) -> int:
        """Give the time, later than every piece this store knows of, whatever the clocks of a cluster say."""
        self._latest = max(time.time_ns(), self._latest + 1)
        return self._latest

    def read(self, key: str) -> Entry:
        """Read an entry back, every byte checked."""
        held = self._buffer.get(key)
        if held is not None:
            return held.opened() if isinstance(held, SealedEntry) else held
        if key not in self._index.where:
            raise CacheMissing(f"{self.folder} has no entry {key!r}.")
        entry = self._open.read(self._index.where[key], key, self._index.row(key))
        self.layout.check(key, entry.arrays, entry.attributes)
        return entry

    def failures(self) -> dict[str, FailedEntry]:
        """Tell which entries could not be made and have not been made since."""
        known = folders.read_failures(self.files, self.folder) | self._failed
        return {key: failure for key, failure in sorted(known.items()) if not self._holds(key, failure.fingerprint)}

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.commit()
        except Exception:
            raise
        except BaseException:  # a signal on the way out; what it interrupted is still in the buffer
            self.commit()
            raise
        finally:
            self._open.close()
