"""MATLAB's .mat files of version 5, through SciPy; what they unpack to is held against their size before."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_bytes
from s4tok.datasets.formats.zips import FREE, LARGEST_RATIO

HEADER, TAG = 128, 8  # bytes
COMPRESSED = 15  # kind of an element
MAT_73 = b"\x89HDF", b"MATLAB 7.3"


def read_mat(path: Path) -> dict[str, Any]:
    """Read the variables of a file: arrays, and structs as objects with attributes; what has one element is itself."""
    from scipy.io import loadmat

    data = read_bytes(path)
    if data.startswith(MAT_73):
        raise DamagedFile(path, "is a .mat file of version 7.3", "save it again with -v7.")
    _refuse_bombs(data, path)
    try:
        found = loadmat(BytesIO(data), squeeze_me=True, struct_as_record=False)
    except Exception as error:
        raise DamagedFile(path, f"is no whole .mat file: {error}", "get the file again.") from error
    return {name: value for name, value in found.items() if not name.startswith("__")}


def _refuse_bombs(data: bytes, path: Path) -> None:
    """Unpack what is compressed, as far as is believable."""
    order, at = "<" if data[HEADER - 2 : HEADER] == b"IM" else ">", HEADER
    while at + TAG <= len(data):
        kind, size = struct.unpack(f"{order}II", data[at : at + TAG])
        at += TAG
        if kind == COMPRESSED:
            most, body = max(FREE, LARGEST_RATIO * size), data[at : at + size]
            try:
                unpacked = len(zlib.decompressobj().decompress(body, most + 1))
            except zlib.error as error:
                raise DamagedFile(path, f"is no whole .mat file: {error}", "get the file again.") from error
            if unpacked > most:
                raise DamagedFile(path, f"would unpack {size:,} bytes to over {most:,}; it is refused as a bomb")
        at += size
