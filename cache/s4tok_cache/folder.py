"""The folder of one stage's result, and the names of what lies in it.

CACHE/<dataset>/<split>/<stage>-<hash>/
    stage.json                                  how it was made
    expected.json                               what the last run was asked for
    seg-0003of0064-<time>-<digest>.h5           immutable segments
    fail-0003of0064-<time>-<digest>.jsonl       entries that could not be made, and why
    .index.json                                 the segments' own indexes in one file; rebuilt at will
    quarantine/                                 damaged segments, set aside by verify --repair
    .<name>.<host>.<pid>.<random>.tmp           what a killed run leaves; readers pass over it
CACHE/<dataset>/<split>/<stage>-<hash>.h5       the packed file
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from s4tok_cache.entry import Fingerprint
from s4tok_cache.errors import CacheCorrupt, CacheMismatch
from s4tok_cache.files import FileSystem, write_whole
from s4tok_cache.layouts import Layout
from s4tok_cache.segment import FORMAT, tool
from s4tok_cache.shard import Shard
from s4tok_cache.stamp import Stamp, canonical

STAGE, EXPECTED, INDEX, QUARANTINE = "stage.json", "expected.json", ".index.json", "quarantine"
FILE_NAME = re.compile(
    r"(?P<kind>seg|fail)-(?P<index>\d{4})of(?P<count>\d{4})-(?P<time>\d{20})-(?P<digest>[0-9a-f]{16})\.(?:h5|jsonl)",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class FileName:
    """The name of a segment or of a list of failures; sorts by age, oldest first."""

    time_ns: int
    name: str
    kind: str
    shard: Shard
    digest: str

    @classmethod
    def parse(cls, name: str) -> "FileName | None":
        """Read a name, and nothing out of any other."""
        found = FILE_NAME.fullmatch(name)
        if found is None or name.endswith(".h5") != (found["kind"] == "seg"):
            return None
        index, count = int(found["index"]), int(found["count"])
        if index >= count:
            return None
        return cls(int(found["time"]), name, found["kind"], Shard(index, count), found["digest"])


@dataclass(frozen=True)
class FailedEntry:
    """An entry that could not be made."""

    key: str
    reason: str
    fingerprint: Fingerprint


@dataclass(frozen=True)
class About:
    """How a result was made and what lies in it."""

    stamp: Stamp
    layout: str
    version: int

    def require(self, layout: Layout, path: Path) -> None:
        """Refuse a result that is laid out otherwise, as an older or newer s4tok does."""
        if (self.layout, self.version) != (layout.name, layout.version):
            raise CacheMismatch(
                f"{path} holds {self.layout}, version {self.version}, "
                f"and this s4tok has {layout.name}, version {layout.version}.",
                f"move it away and run s4tok {layout.made_by} again.",
            )


def piece_name(kind: str, shard: Shard, time_ns: int, content: bytes) -> str:
    """Name a piece after who wrote it, when, and its bytes, so that no two pieces meet and damage shows."""
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    return f"{kind}-{shard.name}-{time_ns:020d}-{digest}.{'h5' if kind == 'seg' else 'jsonl'}"


def pieces(files: FileSystem, folder: Path, kind: str) -> list[FileName]:
    """List the pieces of a kind, oldest first; a folder that is not there has none."""
    try:
        names = files.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(piece for name in names if (piece := FileName.parse(name)) is not None and piece.kind == kind)


def write_stage(files: FileSystem, folder: Path, stamp: Stamp, layout: Layout) -> None:
    """Say how the folder's content is made, for people and for `cache ls`."""
    about = {
        "format": FORMAT,
        "stage": stamp.stage,
        "parameters": json.loads(stamp.json),
        "sha256": stamp.sha256,
        "layout": layout.name,
        "layout_version": layout.version,
        "tool": tool(),
    }
    write_whole(folder / STAGE, (json.dumps(about, indent=2, sort_keys=True) + "\n").encode(), files=files)


def read_stage(files: FileSystem, folder: Path) -> About | None:
    """Read how the folder's content was made; None where it was never written."""
    path = folder / STAGE
    try:
        about = json.loads(files.read(path))
        stamp = Stamp.from_json(canonical(about["parameters"]))
        if stamp.sha256 != about["sha256"]:
            raise ValueError("its hash is another's")
        return About(stamp, str(about["layout"]), int(about["layout_version"]))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, RecursionError, CacheCorrupt) as error:
        raise CacheCorrupt(f"{path} is damaged.", "remove it; the next run of the stage writes it again.") from error


def write_expected(files: FileSystem, folder: Path, expected: Mapping[str, Fingerprint]) -> None:
    """Note what a complete cache will hold, so that `cache ls` and `cache pack` know without the dataset.

    Entries of other results, which may still be in the making when one of several tasks begins, are left out.
    """
    content = canonical({key: expected[key].without_entries() for key in sorted(expected)}).encode()
    path = folder / EXPECTED
    with suppress(FileNotFoundError):
        if files.read(path) == content:
            return
    write_whole(folder / EXPECTED, content, files=files)


def read_expected(files: FileSystem, folder: Path) -> dict[str, Fingerprint] | None:
    """Read what a complete cache will hold; None where no run has said it."""
    path = folder / EXPECTED
    try:
        return {str(key): Fingerprint.of_row(row) for key, row in json.loads(files.read(path)).items()}
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CacheCorrupt(f"{path} is damaged.", "remove it; the next run of the stage writes it again.") from error


def failures_text(failures: Iterable[FailedEntry]) -> bytes:
    """Write one line a failure."""
    lines = (canonical({"key": one.key, "reason": one.reason, "fingerprint": one.fingerprint}) for one in failures)
    return "".join(f"{line}\n" for line in lines).encode()


def read_failures(files: FileSystem, folder: Path) -> dict[str, FailedEntry]:
    """Read the newest failure of each entry; the caller knows which entries have succeeded since."""
    newest: dict[str, FailedEntry] = {}
    for piece in pieces(files, folder, "fail"):
        path = folder / piece.name
        try:
            content = files.read(path)
        except FileNotFoundError:  # tidied away in the meantime
            continue
        try:
            if hashlib.blake2b(content, digest_size=8).hexdigest() != piece.digest:
                raise ValueError("its bytes are not what was written")
            for line in content.splitlines():
                row = json.loads(line)
                fingerprint = Fingerprint.of_row(row["fingerprint"])
                newest[str(row["key"])] = FailedEntry(str(row["key"]), str(row["reason"]), fingerprint)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise CacheCorrupt(
                f"{path} is damaged: {error}.", "s4tok cache verify --repair sets it aside; then run again."
            ) from error
    return newest
