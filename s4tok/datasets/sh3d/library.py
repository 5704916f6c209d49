"""The furniture libraries as they are published: .sh3f files, which are zips, or the Debian package that holds them."""

import hashlib
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.deb import read_deb
from s4tok.datasets.formats.zips import believable_members, open_zip, read_member
from s4tok.datasets.reader import FolderLayout
from s4tok.datasets.sh3d.catalogue import FILE, Piece, read_catalogue

PACKAGE = "sweethome3d-furniture"
INSTALLED = PurePosixPath("usr/share/sweethome3d/furniture")  # where the package puts its libraries
SUFFIXES = (".sh3f", ".zip")


class Terms(NamedTuple):
    """Which split a library is, and what one may do with it."""

    split: str
    licence: str  # by its SPDX name
    source: str  # as its licence asks to be told


LIBRARIES = {
    "BlendSwap-CC-0": Terms("train", "CC0-1.0", "authors on Blend Swap; converted by Emmanuel Puybaret / eTeks"),
    "BlendSwap-CC-BY": Terms("train", "CC-BY-3.0", "authors on Blend Swap; converted by Emmanuel Puybaret / eTeks"),
    "KatorLegaz": Terms("val", "CC-BY-3.0-US", "Andrew Kator & Jennifer Legaz"),
    "Reallusion": Terms("val", "CC-BY-3.0-US", "Reallusion"),
    "Scopia": Terms("test", "CC-BY-3.0", "Emmanuel Puybaret / eTeks and Scopia Visual Interfaces Systems"),
}


class Source(NamedTuple):
    """A library's file: on the disk, or inside a Debian package that is."""

    path: Path
    inner: str = ""  # its name in the package


def layout_of(path: Path) -> FolderLayout | None:
    """Find libraries in a folder, where the package puts them below it, in a package that lies in it, or in a file."""
    if path.is_file():
        name = "sh3f" if library_of(path.name) else "deb" if _is_package(path) else ""
        return FolderLayout(name, path.parent, (path.name,)) if name else None
    for root in (path, path / INSTALLED):
        names = sorted(each.name for each in root.iterdir() if library_of(each.name)) if root.is_dir() else []
        if names:
            return FolderLayout("sh3f", root, tuple(names))
    packages = sorted(filter(_is_package, path.glob("*.deb")))
    return FolderLayout("deb", path, (packages[-1].name,)) if packages else None


def library_of(name: str) -> str | None:
    """Tell which library a file is by its name, such as Scopia.sh3f or 3DModels-Scopia-1.8.zip."""
    stem, dot, suffix = name.lower().rpartition(".")
    if dot + suffix not in SUFFIXES:
        return None
    words = f"-{stem.removeprefix('3dmodels-')}-"
    return next((each for each in LIBRARIES if words.startswith(f"-{each.lower()}-")), None)


def sources(layout: FolderLayout) -> dict[str, Source]:
    """Say where each library lies that this copy has."""
    if layout.name == "sh3f":
        named = {library_of(name): Source(layout.root / name) for name in layout.files}
    else:
        [package] = (layout.root / name for name in layout.files)
        names = _packed(package, package.stat().st_mtime_ns)
        named = {library_of(name): Source(package, name) for name in names}
    return {library: named[library] for library in LIBRARIES if library in named}


def read_pieces(source: Source, library: str) -> dict[Piece, int]:
    """Read a library's catalogue, and the bytes of each model's file."""
    place = source.path / source.inner
    with open_zip(source.path, ".sh3f", _content(source)) as archive:
        members = believable_members(archive, source.path)
        data = read_member(archive, members[FILE], place) if FILE in members else b""
    if not data:
        raise DamagedFile(place, f"holds no {FILE}", "it is no furniture library, or one packed again: unpack it.")
    pieces = read_catalogue(data, library, place / FILE)
    lost = next((piece.model for piece in pieces if piece.model not in members), None)
    if lost is not None:
        raise DamagedFile(place, f"lists {lost}, which it does not hold", "get the file again.")
    return {piece: members[piece.model].file_size for piece in pieces}


def read_model_files(source: Source, model: str) -> dict[str, bytes]:
    """Read what lies beside a model's file, and itself, by name."""
    folder = model.rpartition("/")[0] + "/"
    with open_zip(source.path, ".sh3f", _content(source)) as archive:
        members = believable_members(archive, source.path)
        chosen = [info for name, info in members.items() if name.startswith(folder)]
        return {info.filename: read_member(archive, info, source.path / source.inner) for info in chosen}


def digest(source: Source) -> str:
    """Tell a library by the checksums of all that lies in it, without reading it."""
    with open_zip(source.path, ".sh3f", _content(source)) as archive:
        members = believable_members(archive, source.path)
        sums = [f"{name} {info.file_size} {info.CRC}" for name, info in sorted(members.items())]
    return hashlib.blake2b("\n".join(sums).encode(), digest_size=6).hexdigest()


def _content(source: Source) -> BytesIO | None:
    if not source.inner:
        return None
    return BytesIO(_packed(source.path, source.path.stat().st_mtime_ns)[source.inner])


def _is_package(path: Path) -> bool:
    return path.name.startswith(f"{PACKAGE}_") and path.suffix == ".deb"


@lru_cache(maxsize=1)  # 120 MB, and ten seconds to decompress
def _packed(package: Path, mtime_ns: int) -> dict[str, bytes]:
    found = read_deb(package, lambda name: library_of(name) is not None)
    if not found:
        raise DamagedFile(package, "holds no furniture library", f"it should be {PACKAGE}.")
    return found
