"""Which entries a stage's folder holds and where each lies: the newest readable copy."""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from s4tok_cache.entry import Fingerprint
from s4tok_cache.errors import CacheCorrupt, CacheError
from s4tok_cache.files import FileSystem, write_whole
from s4tok_cache.folder import INDEX, pieces
from s4tok_cache.rules import check_format, explained, is_stamped, open_file, read_index, read_stamp, root_attribute
from s4tok_cache.segment import Row, index_table, parse_index
from s4tok_cache.stamp import Stamp, canonical, differences

Rows = dict[str, Row]


@dataclass
class Index:
    """Every readable file of a stage with its entries, oldest first, and what could not be read."""

    files: dict[str, Rows] = field(default_factory=dict)  # by path below the folder's parent
    where: dict[str, str] = field(default_factory=dict)  # of each key, the file with its newest copy
    damaged: dict[str, CacheError] = field(default_factory=dict)

    def add(self, name: str, rows: Rows) -> None:
        """Take in a file that is newer than all before."""
        self.files[name] = rows
        self.where.update(dict.fromkeys(rows, name))

    def row(self, key: str) -> Row:
        """Give what is known of a key's newest copy."""
        return self.files[self.where[key]][key]

    def fingerprint(self, key: str) -> Fingerprint:
        """Tell what a key's newest copy was made from."""
        return self.row(key)[0]


def build(files: FileSystem, folder: Path, stamp: Stamp, *, trust: bool = True) -> Index:
    """Index a stage's folder and the packed file beside it.

    Segments never change, so what `.index.json` says of one that still has its size is taken from there, unless
    `trust` is off. The packed file counts as older than all segments: they hold what was made since.
    """
    index = Index()
    known = _load(files, folder, stamp) if trust else {}
    fresh: dict[str, tuple[str, Rows]] = {}
    packed = folder.parent / f"{folder.name}.h5"
    paths = [packed, *(folder / piece.name for piece in pieces(files, folder, "seg"))]
    for path in paths:
        try:
            state = files.stat(path)
        except FileNotFoundError:
            continue
        name = str(path.relative_to(folder.parent))
        # The packed file keeps its name when it is made anew, so its time is part of what must not have changed.
        token = f"{state.st_size}" if path != packed else f"{state.st_size} {state.st_mtime_ns} {state.st_ino}"
        if name in known and known[name][0] == token:
            rows = known[name][1]
        else:
            try:
                rows = read_rows(path, folder.parent, stamp)
            except FileNotFoundError:  # tidied away in the meantime
                continue
            except CacheError as error:
                index.damaged[name] = error
                continue
        fresh[name] = token, rows
        index.add(name, rows)
    if fresh.keys() != known.keys() or any(known[name][0] != fresh[name][0] for name in fresh):
        with suppress(OSError):  # it only saves time; a folder one may not write to is read all the same
            _save(files, folder, stamp, fresh)
    return index


def read_rows(path: Path, inside: Path, stamp: Stamp | None) -> Rows:
    """Read one file's own index, and refuse a file that was made otherwise."""
    with explained(path):
        file = open_file(path, inside)
        try:
            check_format(file)
            made = stamp if stamp is not None and is_stamped(file, stamp) else read_stamp(file)
            rows = read_index(file)
            count = root_attribute(file, "entries")
            if count != len(rows):
                raise ValueError(f"it was to hold {count} entries and holds {len(rows)}")
        finally:
            file.close()
    if stamp is not None and made is not stamp:
        odd = "; ".join(differences(made, stamp))
        raise CacheCorrupt(f"{path} was made otherwise than its folder says: {odd}.", "move it out of there.")
    return rows


def _load(files: FileSystem, folder: Path, stamp: Stamp) -> dict[str, tuple[str, Rows]]:
    """Read `.index.json`; anything odd about it means that it is not there."""
    try:
        digest, _, content = files.read(folder / INDEX).partition(b"\n")
        if hashlib.blake2b(content, digest_size=16).hexdigest().encode() != digest:
            return {}
        held = json.loads(content)
        if held["stamp"] != stamp.sha256:
            return {}
        return {name: (token, parse_index(rows)) for name, (token, rows) in held["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _save(files: FileSystem, folder: Path, stamp: Stamp, held: dict[str, tuple[str, Rows]]) -> None:
    table = {name: [token, index_table(rows)] for name, (token, rows) in held.items()}
    content = canonical({"stamp": stamp.sha256, "files": table}).encode()
    digest = hashlib.blake2b(content, digest_size=16).hexdigest().encode()
    write_whole(folder / INDEX, digest + b"\n" + content, files=files)
