"""Zip archives: nothing is unpacked to disk, and a member is read only where its name and size are believable."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath

from s4tok.datasets.formats.damage import DamagedFile

# Deflate reaches 1030:1 on zeros. Labels that are all alike come near it, so small members may; large ones may not.
FREE, LARGEST_RATIO = 64 << 20, 200
MOST_MEMBERS = 100_000

# What zipfile lets through when an archive is broken, uses a method it has not, or asks for a password.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@contextmanager
def open_zip(path: Path, kind: str = ".zip", content: BytesIO | None = None) -> Iterator[zipfile.ZipFile]:
    """Open an archive, from `content` where it lies in another file; what is broken in it is told with its path."""
    try:
        with zipfile.ZipFile(content or path) as archive:
            yield archive
    except _BROKEN as error:
        raise DamagedFile(path, f"is no whole {kind} archive: {error}", "get the file again.") from error
    except OSError as error:
        raise DamagedFile(path, f"cannot be read: {error.strerror or error}") from error


def refuse_bomb(info: zipfile.ZipInfo, path: Path, what: str, hint: str) -> None:
    """Refuse a member that promises to unpack to far more than it takes."""
    if info.file_size > max(FREE, LARGEST_RATIO * info.compress_size):
        raise DamagedFile(
            path,
            f"{what} would unpack {info.compress_size:,} bytes to {info.file_size:,}, "
            f"more than {LARGEST_RATIO} to 1; it is refused as a zip bomb",
            hint,
        )


def believable_members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """List the files of an archive by name, after none was found that leads out of it or is a link."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise DamagedFile(path, f"has {len(members):,} members, where {MOST_MEMBERS:,} are plenty")
    for info in members:
        name = PurePosixPath(info.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in info.filename or ":" in info.filename:
            raise DamagedFile(path, f"holds {info.filename!r}, which would lie outside it; the archive is refused")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DamagedFile(path, f"holds {info.filename!r}, which is a link; the archive is refused")
    return {info.filename: info for info in members if not info.is_dir()}


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, largest: int = FREE) -> bytes:
    """Read one member of at most `largest` bytes, whose checksum zipfile compares."""
    if info.file_size > largest:
        raise DamagedFile(
            path / info.filename, f"has {info.file_size:,} bytes, where {largest:,} are plenty; it is refused"
        )
    refuse_bomb(info, path, info.filename, "get the file again.")
    return archive.read(info)
