"""A disk that loses power: whatever was not synced, pages and names alike, may be there afterwards or not."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import PurePath

PAGE = 4096


@dataclass(frozen=True)
class Call:
    """Describe one thing a program asked of the disk; `what` is the method's name in `Disk`."""

    what: str
    path: str = ""
    target: str = ""
    inode: int = -1
    offset: int = 0
    content: bytes = b""


@dataclass
class Name:
    """One change of a folder: a name appears (inode >= 0) or goes (-1), and lasts once the folder is synced."""

    path: str
    inode: int
    is_durable: bool = False


@dataclass
class Page:
    offset: int
    content: bytes
    is_durable: bool = False


@dataclass
class Disk:
    """Replay calls, then lose power.

    Stricter than any journal: names and pages of an unsynced file are lost or kept each by itself, in no
    order. A page that is lost below the file's end reads as zeros.
    """

    names: list[Name] = field(default_factory=list)
    pages: dict[int, list[Page]] = field(default_factory=dict)
    inodes: dict[str, int] = field(default_factory=dict)
    unused: Iterator[int] = field(default_factory=lambda: count(1_000_000))

    def replay(self, call: Call) -> None:
        getattr(self, call.what)(call)

    def make_folder(self, call: Call) -> None:
        self._name(call.path, next(self.unused))

    def create(self, call: Call) -> None:
        self.pages[call.inode] = []
        self._name(call.path, call.inode)

    def write(self, call: Call) -> None:
        for start in range(0, len(call.content), PAGE):
            self.pages[call.inode].append(Page(call.offset + start, call.content[start : start + PAGE]))

    def sync(self, call: Call) -> None:
        for page in self.pages[call.inode]:
            page.is_durable = True

    def sync_folder(self, call: Call) -> None:
        for name in self.names:
            if str(PurePath(name.path).parent) == call.path:
                name.is_durable = True

    def replace(self, call: Call) -> None:
        self._name(call.target, self.inodes[call.path])
        self._name(call.path, -1)

    def unlink(self, call: Call) -> None:
        self._name(call.path, -1)

    def _name(self, path: str, inode: int) -> None:
        self.names.append(Name(path, inode))
        self.inodes[path] = inode

    def lose_power(self, draw: random.Random, kept: float) -> tuple[set[str], dict[str, bytes]]:
        """Return the folders and the files that are there when the machine is up again."""
        found: dict[str, int] = {}
        for name in self.names:
            if name.is_durable or draw.random() < kept:
                found[name.path] = name.inode
        here = {path: inode for path, inode in found.items() if inode >= 0 and self._is_reachable(path, found)}
        files = {path: self._content(inode, draw, kept) for path, inode in here.items() if inode in self.pages}
        return {path for path in here if path not in files}, files

    def _is_reachable(self, path: str, found: dict[str, int]) -> bool:
        made = {name.path for name in self.names}
        return all(found.get(str(above), -1) >= 0 for above in PurePath(path).parents if str(above) in made)

    def _content(self, inode: int, draw: random.Random, kept: float) -> bytes:
        content = bytearray()
        for page in self.pages[inode]:
            end = page.offset + len(page.content)
            content.extend(bytes(max(0, end - len(content))))
            if page.is_durable or draw.random() < kept:
                content[page.offset : end] = page.content
        return bytes(content)


Mutant = Callable[[list[Call]], list[Call]]


def without_file_sync(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.what != "sync"]


def without_folder_sync(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.what != "sync_folder"]


def renamed_before_written(calls: list[Call]) -> list[Call]:
    """Move every rename up to just behind the creation of its file, as if it were written in place."""
    target = {call.path: call for call in calls if call.what == "replace"}
    moved: list[Call] = []
    for call in calls:
        if call.what != "replace":
            moved.append(call)
        if call.what == "create" and call.path in target:
            moved.append(target[call.path])
    return moved
