"""Proves a result: every byte of every file against its digests, and sets aside what fails."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from s4tok_cache import folder as folders
from s4tok_cache.errors import CacheCorrupt, CacheError
from s4tok_cache.files import FileSystem, make_folder, rename, sync_folder
from s4tok_cache.folder import FileName
from s4tok_cache.index import read_rows
from s4tok_cache.inspect import about
from s4tok_cache.progress import Steps, quietly
from s4tok_cache.reader import OpenFiles
from s4tok_cache.stamp import Stamp


@dataclass
class Verdict:
    """What was read, and what was found wrong with it."""

    files: int = 0
    entries: int = 0
    damaged: dict[Path, str] = field(default_factory=dict)
    set_aside: list[Path] = field(default_factory=list)


def verify(folder: Path, *, repair: bool = False, files: FileSystem | None = None, steps: Steps = quietly) -> Verdict:
    """Check every file of a result; with `repair`, move the damaged ones to its quarantine.

    What lay in a damaged file counts as missing from then on, and the stage's next run makes it again.
    """
    files = files or FileSystem()
    folder = Path(folder).absolute()
    verdict = Verdict()
    stamp: Stamp | None = None
    try:
        stamp = about(folder, files).stamp
    except CacheCorrupt as error:
        verdict.damaged[folder / folders.STAGE] = str(error)
    packed = folder.parent / f"{folder.name}.h5"
    paths = [folder / piece.name for kind in ("seg", "fail") for piece in folders.pieces(files, folder, kind)]
    if packed.is_file():
        paths.append(packed)
    for path in steps(paths, f"verifying {folder.name}"):
        try:
            verdict.entries += _check(path, folder, stamp, files)
        except FileNotFoundError:  # tidied away in the meantime
            continue
        except CacheError as error:
            verdict.damaged[path] = str(error)
        verdict.files += 1
    if repair:
        _set_aside(verdict, folder, files)
    return verdict


def _check(path: Path, folder: Path, stamp: Stamp | None, files: FileSystem) -> int:
    piece = FileName.parse(path.name)
    if piece is not None:
        # A segment's name holds the hash of its bytes, so that damage is found before HDF5 reads any of it.
        if hashlib.blake2b(files.read(path), digest_size=8).hexdigest() != piece.digest:
            raise CacheCorrupt(f"{path} is damaged: its bytes are not those it was named after.")
        if piece.kind == "fail":
            return 0
    rows = read_rows(path, folder.parent, stamp)
    opened = OpenFiles(folder.parent)
    try:
        for key, row in rows.items():
            opened.read(str(path.relative_to(folder.parent)), key, row)
    finally:
        opened.close()
    return len(rows)


def _set_aside(verdict: Verdict, folder: Path, files: FileSystem) -> None:
    quarantine = folder / folders.QUARANTINE
    for path in verdict.damaged:
        make_folder(files, quarantine)
        rename(files, path, quarantine / path.name)
        sync_folder(files, path.parent)
        verdict.set_aside.append(quarantine / path.name)
