"""Debian packages: the files that one would install, read without installing or running anything."""

import io
import lzma
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Literal

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes

MAGIC, HEADER = b"!<arch>\n", 60
Mode = Literal["r|", "r|gz", "r|bz2", "r|xz"]
COMPRESSIONS: dict[str, Mode] = {"": "r|", ".gz": "r|gz", ".bz2": "r|bz2", ".xz": "r|xz"}
LARGEST = 1 << 30  # bytes of one file, and of all that have to be passed on the way
UNPACK = "unpack it yourself with dpkg-deb -x PACKAGE FOLDER, and name the folder."


def read_deb(path: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Read the files whose names are wanted, by name; links, devices and names that lead elsewhere are refused."""
    mode, data = _data_archive(path)
    found: dict[str, bytes] = {}
    passed = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode=mode) as archive:
            for member in archive:
                passed += member.size
                if passed > LARGEST:
                    raise DamagedFile(path, f"unpacks to more than {LARGEST:,} bytes; it is refused")
                name = PurePosixPath(member.name)
                if not wanted(name.name):
                    continue
                if not member.isfile() or ".." in name.parts:
                    raise DamagedFile(path, f"holds {member.name!r}, which is no plain file of its own; it is refused")
                file = archive.extractfile(member)
                found[name.name] = file.read() if file else b""
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError) as error:
        raise DamagedFile(path, f"has a broken archive: {error}", "get the file again.") from error
    return found


def _data_archive(path: Path) -> tuple[Mode, bytes]:
    """Find the archive of the files to install in the outer one, whose members follow each other."""
    package = read_bytes(path)
    if not package.startswith(MAGIC):
        raise DamagedFile(path, "is no Debian package", "get the file again.")
    at = len(MAGIC)
    while at + HEADER <= len(package):
        name = package[at : at + 16].decode("latin-1").strip().rstrip("/")
        length = package[at + 48 : at + 58].strip()
        if not length.isdigit() or at + HEADER + int(length) > len(package):
            break
        start, end = at + HEADER, at + HEADER + int(length)
        if name.startswith("data.tar"):
            suffix = name.removeprefix("data.tar")
            if suffix not in COMPRESSIONS:
                raise DamagedFile(path, f"is compressed as {suffix[1:]}, which this Python cannot read", UNPACK)
            return COMPRESSIONS[suffix], package[start:end]
        at = end + end % 2
    raise DamagedFile(path, "ends before its files begin, or is damaged", "get the file again.")
