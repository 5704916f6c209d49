"""Finds what a cache no longer needs, and removes it."""

import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from s4tok_cache import folder as folders
from s4tok_cache.errors import CacheError
from s4tok_cache.files import FileSystem, sync_folder
from s4tok_cache.inspect import Result, examine
from s4tok_cache.progress import Steps, quietly
from s4tok_cache.reader import OpenFiles

LITTER_AGE = 24 * 3600.0  # seconds; a temporary file lives for seconds, a packed one for minutes
EMPTY_AGE = 24 * 3600.0  # seconds since a run began or failed there last


@dataclass(frozen=True)
class Removal:
    """A file that can go, and why."""

    path: Path
    reason: str
    bytes: int


def plan(folder: Path, *, files: FileSystem | None = None, steps: Steps = quietly) -> list[Removal]:
    """List what can go without anything being lost."""
    files = files or FileSystem()
    result = examine(folder, files)
    return [
        *_superseded(result, files, steps),
        *_quarantined(result, files),
        *_litter(result, files),
        *_empty(result, files),
    ]


def collect(removals: Iterable[Removal], *, files: FileSystem | None = None) -> int:
    """Remove what was planned, and the folders that it leaves empty; return the bytes it took."""
    files = files or FileSystem()
    freed = 0
    touched = set()
    for removal in removals:
        try:
            files.unlink(removal.path)
        except FileNotFoundError:  # another collector was quicker
            continue
        freed += removal.bytes
        touched.add(removal.path.parent)
    for parent in sorted(touched):
        sync_folder(files, parent)
        _remove_emptied(parent, files)
    return freed


def _remove_emptied(folder: Path, files: FileSystem) -> None:
    """Remove a folder of which nothing is left, and its split and dataset if they hold nothing else."""
    for place in (folder, *folder.parents[:2]):
        if files.listdir(place):
            return
        with suppress(OSError):  # a run has just begun there, or another collector was quicker
            files.rmdir(place)


def _superseded(result: Result, files: FileSystem, steps: Steps) -> Iterator[Removal]:
    """Find segments all of whose entries lie elsewhere too, in a copy that was just read and found whole.

    One that holds the newest copy of an entry stays with an older copy: that would be taken for the newest without it.
    """
    index = result.index
    packed = f"{result.folder.name}.h5"
    in_packed = index.files.get(packed, {})
    opened = OpenFiles(result.folder.parent)
    whole: dict[tuple[str, str], bool] = {}

    def reads(name: str, key: str) -> bool:
        if (name, key) not in whole:
            try:
                opened.read(name, key, index.files[name][key])
                whole[name, key] = True
            except (CacheError, OSError):
                whole[name, key] = False
        return whole[name, key]

    def elsewhere(name: str, key: str) -> bool:
        if index.where[key] != name:
            return reads(index.where[key], key)
        return in_packed.get(key) == index.files[name][key] and reads(packed, key)

    held = set[str]()  # in older segments that stay
    try:
        for name, rows in steps(index.files.items(), f"reading {result.folder.name}", len(index.files)):
            if name == packed:
                continue
            if not all(elsewhere(name, key) and not (index.where[key] == name and key in held) for key in rows):
                held.update(rows)
            else:
                path = result.folder.parent / name
                reason = "packed" if all(key in in_packed for key in rows) else "replaced since"
                yield Removal(path, reason, files.stat(path).st_size)
    finally:
        opened.close()


def _quarantined(result: Result, files: FileSystem) -> Iterator[Removal]:
    """Give up damaged files once everything that lay in them has been replaced."""
    quarantine = result.folder / folders.QUARANTINE
    if result.is_complete and quarantine.is_dir():
        for name in sorted(files.listdir(quarantine)):
            path = quarantine / name
            yield Removal(path, "damaged, and replaced since", files.stat(path).st_size)


def _litter(result: Result, files: FileSystem) -> Iterator[Removal]:
    """Find what killed runs left behind."""
    for place, start in ((result.folder, "."), (result.folder.parent, f".{result.folder.name}.h5.")):
        if not place.is_dir():
            continue
        for name in sorted(files.listdir(place)):
            path = place / name
            if name.startswith(start) and name.endswith(".tmp") and _is_abandoned(path, files):
                yield Removal(path, "left by a run that was killed", files.stat(path).st_size)


def _empty(result: Result, files: FileSystem) -> Iterator[Removal]:
    """Give up a result in which nothing was ever made, once nobody can be at it any more."""
    if result.index.where or not result.folder.is_dir():
        return
    states = {name: files.stat(result.folder / name) for name in sorted(files.listdir(result.folder))}
    own = all(name in (folders.STAGE, folders.EXPECTED, folders.INDEX) or name.startswith("fail-") for name in states)
    if own and all(time.time() - state.st_mtime > EMPTY_AGE for state in states.values()):
        for name in sorted(states, key=lambda name: name == folders.STAGE):  # which makes the folder a result: last
            yield Removal(result.folder / name, "of a run that made nothing", states[name].st_size)


def _is_abandoned(path: Path, files: FileSystem) -> bool:
    if time.time() - files.stat(path).st_mtime <= LITTER_AGE:
        return False
    body, process, _, _ = path.name.rsplit(".", 3) if path.name.count(".") > 3 else (path.name, "", "", "")
    if body.endswith(f".{socket.gethostname()}") and process.isdigit():
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            return False
        return False
    return True
