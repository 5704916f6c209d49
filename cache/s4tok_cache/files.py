"""Every call to the file system that writes a cache, in one object, so that each can be made to fail."""

# Each method of FileSystem is the system call of its name, which is all a docstring could say.
# ruff: noqa: D102

import errno
import os
import secrets
import shutil
import socket
from contextlib import suppress
from pathlib import Path


class FileSystem:
    """The calls themselves and nothing else; a test replaces this by one that fails, forgets or records."""

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        return os.open(path, flags | os.O_CLOEXEC, mode)

    def write(self, descriptor: int, content: memoryview) -> int:
        return os.write(descriptor, content)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        os.replace(source, target)  # noqa: PTH105 - one function a system call

    def unlink(self, path: Path) -> None:
        os.unlink(path)  # noqa: PTH108 - as above

    def mkdir(self, path: Path) -> None:
        os.mkdir(path)  # noqa: PTH102 - as above

    def rmdir(self, path: Path) -> None:
        os.rmdir(path)  # noqa: PTH106 - as above

    def listdir(self, path: Path) -> list[str]:
        return os.listdir(path)  # noqa: PTH208 - as above

    def stat(self, path: Path) -> os.stat_result:
        return os.stat(path)  # noqa: PTH116 - as above

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def free(self, path: Path) -> int:
        return shutil.disk_usage(path).free


def write_whole(path: Path, content: bytes, *, files: FileSystem | None = None, parents: bool = False) -> None:
    """Write a file whole, or not at all: after this returns it survives a power cut. `parents` makes its folders too.

    Written under a name that readers pass over, synced, renamed, and the folder synced, because a rename is a change
    of the folder. A sync that failed is never asked again on the same file: the kernel may have dropped the pages and
    would then say yes. The caller writes anew, under a new name.
    """
    files = files or FileSystem()
    if parents:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(3)}.tmp"
    try:
        descriptor = files.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[files.write(descriptor, rest) :]
            files.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                files.close(descriptor)
            raise
        files.close(descriptor)  # network file systems report a full quota here
        rename(files, temporary, path)
    except BaseException as error:
        with suppress(OSError):
            files.unlink(temporary)
        if isinstance(error, OSError):
            raise with_path(error, path, known_as=temporary) from error
        raise


def rename(files: FileSystem, temporary: Path, target: Path) -> None:
    """Give a synced file its final name, durably."""
    ours = files.stat(temporary).st_ino
    try:
        files.replace(temporary, target)
    except FileNotFoundError:
        # A network file system that sends the request twice answers the second time that the source is gone.
        if not _exists(files, target) or files.stat(target).st_ino != ours:
            raise
    sync_folder(files, target.parent)


def sync_folder(files: FileSystem, folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = files.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        files.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a folder and say so
            raise with_path(error, folder) from error
    finally:
        with suppress(OSError):  # what is synced is safe, and a folder's descriptor holds nothing else
            files.close(descriptor)


def make_folder(files: FileSystem, folder: Path) -> None:
    """Make a folder and what leads to it, durably.

    The names of the folder, its split, its dataset and the cache are synced even when they were there: whoever made
    them may have died before doing so.
    """
    for step in (*reversed(folder.parents), folder):
        if not _exists(files, step):
            with suppress(FileExistsError):  # another task was quicker
                files.mkdir(step)
            sync_folder(files, step.parent)
    for parent in folder.parents[:4]:
        with suppress(PermissionError):  # a folder of somebody else's, which was there before
            sync_folder(files, parent)


def with_path(error: OSError, path: Path, known_as: Path | None = None) -> OSError:
    """Say which file an error is about; the system's own does not for a descriptor, or names one nobody asked for."""
    is_told = error.filename is not None and str(error.filename) != str(known_as)
    if is_told or error.errno is None:
        return error
    return type(error)(error.errno, error.strerror or os.strerror(error.errno), str(path))


def _exists(files: FileSystem, path: Path) -> bool:
    try:
        files.stat(path)
    except FileNotFoundError:
        return False
    return True
