"""File systems that die at the k-th call, or answer it with an error; and one that notes every call."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s4tok_cache.files import FileSystem
from tests.torture.disk import Call


class Intercepted(FileSystem):
    """Send every call through `around`."""

    def around(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        raise NotImplementedError

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        return int(self.around("open", super().open, path, flags, mode))

    def write(self, descriptor: int, content: memoryview) -> int:
        return int(self.around("write", super().write, descriptor, content))

    def fsync(self, descriptor: int) -> None:
        self.around("fsync", super().fsync, descriptor)

    def close(self, descriptor: int) -> None:
        self.around("close", super().close, descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self.around("replace", super().replace, source, target)

    def unlink(self, path: Path) -> None:
        self.around("unlink", super().unlink, path)

    def mkdir(self, path: Path) -> None:
        self.around("mkdir", super().mkdir, path)

    def listdir(self, path: Path) -> list[str]:
        return list(self.around("listdir", super().listdir, path))

    def stat(self, path: Path) -> os.stat_result:
        found: os.stat_result = self.around("stat", super().stat, path)
        return found

    def read(self, path: Path) -> bytes:
        return bytes(self.around("read", super().read, path))

    def free(self, path: Path) -> int:
        return int(self.around("free", super().free, path))


class Counting(Intercepted):
    """Number the calls from 0 and let `strike` loose on the k-th; every other one goes through."""

    def __init__(self, k: int = -1) -> None:
        self.k = k
        self.calls = 0
        self.struck = ""

    def around(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        number, self.calls = self.calls, self.calls + 1
        if number != self.k:
            return call(*arguments)
        self.struck = what
        return self.strike(what, call, *arguments)

    def strike(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        del what
        return call(*arguments)


class Deadly(Counting):
    """Kill the process just before its k-th call, half way through when that writes; k + 1 is "just after"."""

    def strike(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        if what == "write":
            descriptor, content = arguments
            call(descriptor, content[: len(content) // 2])
        os._exit(137)


ANOMALIES: dict[str, int] = {
    "no space": errno.ENOSPC,
    "over quota": errno.EDQUOT,
    "I/O error": errno.EIO,
    "interrupted": errno.EINTR,
    "gone after it was done": errno.ENOENT,  # a network file system that sends the request twice
    "short write": 0,
}


class Failing(Counting):
    """Answer the k-th call with an anomaly."""

    def __init__(self, k: int, anomaly: str) -> None:
        super().__init__(k)
        self.anomaly = anomaly

    def strike(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        if self.anomaly == "short write":
            if what != "write":
                return call(*arguments)
            descriptor, content = arguments
            return call(descriptor, content[: max(1, len(content) // 3)])
        if self.anomaly == "gone after it was done" or what == "close":
            result = call(*arguments)  # a descriptor is gone whatever close answers
            if self.anomaly == "gone after it was done" and what not in ("replace", "unlink"):
                return result
        code = ANOMALIES[self.anomaly]
        raise OSError(code, os.strerror(code), *(argument for argument in arguments[:1] if isinstance(argument, Path)))


class Recording(Intercepted):
    """Note every call that changes the disk, as `Disk` replays it, and `done` where a program was told it is safe."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.inodes: dict[str, int] = {}  # numbers of our own: the kernel gives those of deleted files out again
        self.files: dict[int, int] = {}  # descriptor -> inode
        self.folders: dict[int, str] = {}
        self.offsets: dict[int, int] = {}

    def done(self, keys: list[str]) -> None:
        self.calls.append(Call("done", content="\n".join(keys).encode()))

    def around(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        result = call(*arguments)
        match what:
            case "open":
                self._opened(result, arguments[0], arguments[1])
            case "write":
                self._wrote(arguments[0], bytes(arguments[1][:result]))
            case "fsync":
                self._synced(arguments[0])
            case "close":
                self.files.pop(arguments[0], None)
                self.folders.pop(arguments[0], None)
            case "replace":
                source, target = map(str, arguments)
                self.inodes[target] = self.inodes.pop(source)
                self.calls.append(Call("replace", source, target))
            case "unlink":
                self.inodes.pop(str(arguments[0]), None)
                self.calls.append(Call("unlink", str(arguments[0])))
            case "mkdir":
                self.calls.append(Call("make_folder", str(arguments[0])))
        return result

    def _opened(self, descriptor: int, path: Path, flags: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self.folders[descriptor] = str(path)
            return
        if flags & os.O_CREAT or str(path) not in self.inodes:
            inode = self.inodes[str(path)] = len(self.calls)
            self.calls.append(Call("create", str(path), inode=inode))
            content = path.read_bytes()
            if content:  # written by others behind our back, as HDF5 does; none of it is synced
                self.calls.append(Call("write", inode=inode, content=content))
        self.files[descriptor], self.offsets[descriptor] = self.inodes[str(path)], 0

    def _wrote(self, descriptor: int, content: bytes) -> None:
        self.calls.append(Call("write", inode=self.files[descriptor], offset=self.offsets[descriptor], content=content))
        self.offsets[descriptor] += len(content)

    def _synced(self, descriptor: int) -> None:
        if descriptor in self.folders:
            self.calls.append(Call("sync_folder", self.folders[descriptor]))
        else:
            self.calls.append(Call("sync", inode=self.files[descriptor]))
