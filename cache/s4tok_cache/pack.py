"""Brings all segments of a result into one file whose bytes do not depend on who made them, when and in what order.

HDF5 can crash when a disk fills up while it writes a file in place, so a child process writes it. The parent syncs
the file, gives it its name, or takes it away.
"""

import errno
import os
import pickle
import secrets
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import h5py

from s4tok_cache.entry import Entry
from s4tok_cache.errors import CacheCorrupt, CacheError, CacheMissing
from s4tok_cache.files import FileSystem, rename, with_path
from s4tok_cache.folder import About
from s4tok_cache.index import Index, read_rows
from s4tok_cache.inspect import Result, examine
from s4tok_cache.progress import Steps, quietly
from s4tok_cache.reader import OpenFiles
from s4tok_cache.sealed import LIBVER
from s4tok_cache.segment import fill

ROOM = 1.1  # free bytes wanted, for each byte of the files that are packed
SETTLING = 60.0  # seconds; network file systems may show another machine's files that late
POLL = 5.0
SMALLEST_ROOM = 1 << 20  # bytes; a child that died with less left died of that
CHILD = "import pickle, sys; pipe = sys.stdin.buffer; sys.path[:] = pickle.load(pipe); pickle.load(pipe).run()"


@dataclass(frozen=True)
class Packed:
    """A finished packed file."""

    path: Path
    entries: int
    bytes: int
    left_out: int  # entries that could not be made


def pack(
    folder: Path,
    *,
    without_failed: bool = False,
    settling: float = SETTLING,
    files: FileSystem | None = None,
    steps: Steps = quietly,
) -> Packed:
    """Pack a result that is complete; the segments stay, and `gc` finds that they can go.

    Args:
        folder: Where the segments lie; the packed file is put beside it, under its name and `.h5`.
        without_failed: Do not wait for entries that could not be made.
        settling: Look again until the newest segment is this old (seconds) before saying that entries are missing.
        files: Calls to the file system.
        steps: Hears how many entries are written and read back.
    """
    files = files or FileSystem()
    result = _complete(Path(folder).absolute(), files, without_failed, settling)
    target = result.folder.parent / f"{result.folder.name}.h5"
    wanted = int(ROOM * result.bytes)
    if files.free(target.parent) < wanted:
        raise OSError(errno.ENOSPC, f"packing needs {wanted:,} bytes, more than are free", str(target))
    temporary = target.parent / f".{target.name}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(3)}.tmp"
    keys = sorted(result.index.where.keys() - set(result.missing))  # an entry of an input that has changed is missing
    try:
        _in_child(_Job(keys, result.index, target.parent, result.about, temporary), files, steps)
        descriptor = files.open(temporary, os.O_RDONLY)
        try:
            files.fsync(descriptor)
        finally:
            files.close(descriptor)
        rename(files, temporary, target)
    except BaseException as error:
        with suppress(OSError):
            files.unlink(temporary)
        if isinstance(error, OSError):
            raise with_path(error, target) from error
        raise
    return Packed(target, len(keys), files.stat(target).st_size, len(result.missing))


def _complete(folder: Path, files: FileSystem, without_failed: bool, settling: float) -> Result:
    """Look at a result until nothing is missing, or until nothing can be on its way any more."""
    while True:
        result = examine(folder, files)
        absent = [key for key in result.missing if not (without_failed and key in result.failures)]
        if result.expected is not None and not absent and not result.index.damaged:
            return result
        if time.time() - result.newest >= settling:
            raise _refusal(result, absent)
        time.sleep(POLL)


def _refusal(result: Result, absent: list[str]) -> CacheError:
    if result.index.damaged:
        return CacheCorrupt(
            f"{len(result.index.damaged)} files of {result.folder} cannot be packed: "
            f"{next(iter(result.index.damaged.values()))}",
            "s4tok cache verify --repair sets them aside; then run the stage again.",
        )
    if result.expected is None:
        return CacheMissing(
            f"nothing in {result.folder} says what a complete result would hold.", "run the stage once more."
        )
    failed = [key for key in absent if key in result.failures]
    some = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
    shards = ", ".join(str(shard) for shard in result.shards_to_run())
    return CacheMissing(
        f"{result.folder} lacks {len(absent)} of {len(result.expected)} entries ({some}), "
        f"{len(failed)} of which could not be made.",
        f"run the stage again with --shard {shards}"
        + (", or pack --without-failed." if failed and len(failed) == len(absent) else "."),
    )


@dataclass(frozen=True)
class _Job:
    """What the child is to write; it answers with pickled messages on its standard output."""

    keys: list[str]
    index: Index
    folder: Path
    about: About
    temporary: Path

    def run(self) -> None:
        """Write, read all of it back, and say how far it is; an exception is the last thing said."""
        try:
            self._write()
            self._read_back()
        except Exception as error:
            self._tell(error)
            sys.exit(1)

    def _write(self) -> None:
        with h5py.File(self.temporary, "x", libver=LIBVER, locking=False) as file:
            fill(file, self._entries(), (self.about.layout, self.about.version), self.about.stamp)

    def _entries(self) -> Iterator[tuple[Entry, frozenset[str]]]:
        opened = OpenFiles(self.folder)
        for number, key in enumerate(self.keys):
            self._tell(number)
            name = self.index.where[key]
            yield opened.read(name, key, self.index.row(key)), opened.compressed(name, key)

    def _read_back(self) -> None:
        rows = read_rows(self.temporary, self.folder, self.about.stamp)
        if rows != {key: self.index.row(key) for key in self.keys}:
            raise CacheCorrupt(f"{self.temporary} is not what was written into it.")
        opened = OpenFiles(self.folder)
        for number, (key, row) in enumerate(rows.items()):
            self._tell(len(rows) + number)
            opened.read(self.temporary.name, key, row)

    def _tell(self, message: object) -> None:
        pickle.dump(message, sys.stdout.buffer)
        sys.stdout.buffer.flush()  # fails when the parent is gone, and so ends this process too


def _in_child(job: _Job, files: FileSystem, steps: Steps) -> None:
    last: deque[object] = deque()
    # A session of its own: an interrupt from the keyboard reaches the parent, which then ends the child.
    with subprocess.Popen(
        [sys.executable, "-I", "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with suppress(BrokenPipeError):  # it died at once; what it said, or did not say, is heard below
                pickle.dump(sys.path, child.stdin)
                pickle.dump(job, child.stdin)
                child.stdin.close()
            heard = steps(_heard(child.stdout), f"packing {job.about.stamp.folder}", 2 * len(job.keys))
            last = deque(heard, maxlen=1)
        except BaseException:
            child.kill()
            raise
    if child.returncode == 0:
        return
    said = last[0] if last else None
    if isinstance(said, CacheError) or (isinstance(said, OSError) and said.errno is not None):
        raise said
    if files.free(job.folder) < SMALLEST_ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise CacheError(
        f"packing {job.folder} ended with {said if isinstance(said, Exception) else f'exit code {child.returncode}'}."
    )


def _heard(pipe: IO[bytes]) -> Iterator[object]:
    """Take in what the child says, one message an entry, until it ends or dies in the middle of a word."""
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(pipe)
