"""Reads finished caches, packed or in segments: in any number of processes, each opening its own files."""

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py

from s4tok_cache.entry import Entry, Fingerprint
from s4tok_cache.errors import CacheCorrupt, CacheMismatch, CacheMissing
from s4tok_cache.files import FileSystem
from s4tok_cache.folder import FailedEntry, read_failures
from s4tok_cache.index import build
from s4tok_cache.inspect import about, stamps_of
from s4tok_cache.layouts import Layout
from s4tok_cache.rules import compressed_arrays, explained, open_file, read_entry
from s4tok_cache.segment import Row
from s4tok_cache.stamp import Stamp, differences

MOST_OPEN = 256  # files; a shell's usual limit is 1,024, and a training run has other files to open


class OpenFiles:
    """The files a process reads from, the least used closed first.

    A copy in another process, forked or sent there, opens its own: HDF5's state does not survive either journey.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: OrderedDict[str, h5py.File] = OrderedDict()
        self._process = os.getpid()

    def read(self, name: str, key: str, row: Row, arrays: tuple[str, ...] | None = None) -> Entry:
        """Read and check an entry, all of it or some of its arrays."""
        path = self.folder / name
        with explained(path):
            return read_entry(self._file(name), key, row, arrays)

    def compressed(self, name: str, key: str) -> frozenset[str]:
        """Name the arrays of an entry that are compressed."""
        with explained(self.folder / name):
            return compressed_arrays(self._file(name), key)

    def _file(self, name: str) -> h5py.File:
        if self._process != os.getpid():
            self._files, self._process = OrderedDict(), os.getpid()
        if name in self._files:
            self._files.move_to_end(name)
            return self._files[name]
        while len(self._files) >= MOST_OPEN:
            self._files.popitem(last=False)[1].close()
        file = open_file(self.folder / name, self.folder)
        self._files[name] = file
        return file

    def close(self) -> None:
        """Close what this process has opened."""
        if self._process == os.getpid():
            while self._files:
                self._files.popitem()[1].close()

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_files": OrderedDict(), "_process": -1}


class CacheReader:
    """The entries of one stage under CACHE/<dataset>/<split>, found once, read when asked for, every byte checked."""

    def __init__(self, root: Path, layout: Layout, stamp: Stamp) -> None:
        self.root, self.layout, self.stamp = Path(root).absolute(), layout, stamp
        self.folder = self.root / stamp.folder
        if not self.folder.is_dir() and not self.packed.is_file():
            raise self._absent()
        about(self.folder, FileSystem()).require(layout, self.folder)
        self._open = OpenFiles(self.root)
        self._index = build(FileSystem(), self.folder, stamp)

    @property
    def packed(self) -> Path:
        """Say where the packed file lies, when there is one."""
        return self.root / f"{self.stamp.folder}.h5"

    @classmethod
    def find(cls, root: Path, layout: Layout, stage: str, **known: object) -> "CacheReader":
        """Open the one result of a stage there is with the parameters that are known, however else it was made."""
        root = Path(root).absolute()
        every = stamps_of(root, stage)
        stamps = [stamp for stamp in every if known.items() <= stamp.parameters.items()]
        if not every:
            raise CacheMissing(f"{root} has no {layout.name}.", f"s4tok {layout.made_by} makes them.")
        if not stamps:
            wanted = ", ".join(f"{name} {value}" for name, value in known.items())
            raise CacheMismatch(
                f"{root} has results of {stage}, and none made with {wanted}.",
                f"s4tok {layout.made_by} makes another beside them.",
            )
        if len(stamps) > 1:
            odd = "; ".join(differences(stamps[0], stamps[1]))
            raise CacheMismatch(
                f"{root} has {len(stamps)} results of {stage}, which differ: {odd}.",
                "say which parameters are wanted, or remove the others.",
            )
        return cls(root, layout, stamps[0])

    def _absent(self) -> Exception:
        others = stamps_of(self.root, self.stamp.stage)
        if not others:
            return CacheMissing(f"{self.root} has no {self.layout.name}.", f"s4tok {self.layout.made_by} makes them.")
        odd = "; ".join(differences(others[0], self.stamp))
        return CacheMismatch(
            f"{self.root / others[0].folder} was made with {odd}.",
            f"s4tok {self.layout.made_by} with the wanted parameters makes another beside it.",
        )

    def keys(self) -> list[str]:
        """Name the entries, sorted."""
        return sorted(self._index.where)

    def __contains__(self, key: str) -> bool:
        return key in self._index.where

    def __len__(self) -> int:
        return len(self._index.where)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def fingerprint(self, key: str) -> Fingerprint:
        """Tell what an entry was made from."""
        self.require([key])
        return self._index.fingerprint(key)

    def digest(self, key: str) -> str:
        """Tell the digest of an entry: the same content, made from the same input, has the same one."""
        self.require([key])
        return self._index.row(key)[1]

    def require(self, keys: Iterable[str]) -> None:
        """Refuse to go on without these entries, and say what is in the way."""
        absent = [key for key in keys if key not in self._index.where]
        if not absent:
            return
        some = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
        count = f"{len(absent)} entries" if len(absent) > 1 else "an entry"
        if self._index.damaged:
            raise CacheCorrupt(
                f"{self.folder} lacks {count} ({some}), and has damaged files, {len(self._index.damaged)} in all: "
                f"{next(iter(self._index.damaged.values()))}",
                f"s4tok cache verify --repair {self.root}, then s4tok {self.layout.made_by} again.",
            )
        raise CacheMissing(
            f"{self.folder} lacks {count}: {some}.", f"s4tok {self.layout.made_by} makes what is missing."
        )

    def failures(self) -> dict[str, FailedEntry]:
        """Tell which entries could not be made when they were last tried, and why."""
        found = read_failures(FileSystem(), self.folder)
        return {
            key: failure
            for key, failure in sorted(found.items())
            if key not in self or not self.fingerprint(key).same(failure.fingerprint)
        }

    def read(self, key: str, arrays: tuple[str, ...] | None = None) -> Entry:
        """Read an entry, or some of its arrays."""
        try:
            entry = self._read(key, arrays)
        except FileNotFoundError:  # tidied away in the meantime: look once more, also into a file that was packed anew
            self._open.close()
            self._index = build(FileSystem(), self.folder, self.stamp)
            entry = self._read(key, arrays)
        (self.layout if arrays is None else self.layout.part(arrays)).check(key, entry.arrays, entry.attributes)
        return entry

    def _read(self, key: str, arrays: tuple[str, ...] | None) -> Entry:
        self.require([key])
        return self._open.read(self._index.where[key], key, self._index.row(key), arrays)

    def __getitem__(self, key: str) -> Entry:
        return self.read(key)

    def close(self) -> None:
        """Close the files this process has opened; reading on opens them again."""
        self._open.close()
