"""What lies in a cache folder: which results, how they were made, and whether they are complete."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from s4tok_cache import folder as folders
from s4tok_cache.entry import Fingerprint
from s4tok_cache.errors import CacheCorrupt, CacheMissing
from s4tok_cache.files import FileSystem
from s4tok_cache.folder import About, FailedEntry
from s4tok_cache.index import Index, build
from s4tok_cache.rules import check_format, explained, open_file, read_stamp, root_attribute
from s4tok_cache.shard import Shard
from s4tok_cache.stamp import Stamp

RESULT = re.compile(r"[^.].*-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True)
class Result:
    """One stage's result: a folder of segments, a packed file, or both."""

    folder: Path
    about: About
    index: Index
    expected: dict[str, Fingerprint] | None  # None where no run has said it
    missing: Sequence[str]
    failures: dict[str, FailedEntry]
    shards: int  # that the last run was divided into
    bytes: int
    newest: float  # when the last file came to be there, in seconds since 1970

    @property
    def segments(self) -> int:
        """Count the readable segments."""
        return len(self.index.files) - self.is_packed

    @property
    def is_packed(self) -> bool:
        """Say whether there is a packed file."""
        return f"{self.folder.name}.h5" in self.index.files

    @property
    def is_complete(self) -> bool:
        """Say whether all that the last run was asked for is there."""
        return self.expected is not None and not self.missing

    def shards_to_run(self) -> list[Shard]:
        """Name the shards whose entries are missing."""
        if self.expected is None:
            return []
        sizes = {key: fingerprint.size for key, fingerprint in self.expected.items()}
        missing = set(self.missing)
        shards = (Shard(number, self.shards) for number in range(self.shards))
        return [shard for shard in shards if not missing.isdisjoint(shard.deal(sizes))]


def examine(folder: Path, files: FileSystem | None = None) -> Result:
    """Look at one result: `folder` is where its segments lie, or would lie beside its packed file."""
    files = files or FileSystem()
    folder = Path(folder).absolute()
    made = about(folder, files)
    index = build(files, folder, made.stamp)
    expected = folders.read_expected(files, folder)
    missing = [
        key
        for key, fingerprint in sorted((expected or {}).items())
        if key not in index.where or not index.fingerprint(key).without_entries().same(fingerprint)
    ]
    absent = set(missing)
    failures = {
        key: failure
        for key, failure in sorted(folders.read_failures(files, folder).items())
        if key not in index.where or key in absent
    }
    last = max(folders.pieces(files, folder, "seg"), default=None)
    states = []
    for name in index.files:
        with suppress(FileNotFoundError):  # tidied away in the meantime
            states.append(files.stat(folder.parent / name))
    return Result(
        folder,
        made,
        index,
        expected,
        missing,
        failures,
        shards=1 if last is None else last.shard.count,
        bytes=sum(state.st_size for state in states),
        newest=max((state.st_mtime for state in states), default=0.0),
    )


def about(folder: Path, files: FileSystem) -> About:
    """Read how a result was made, from its folder or from its packed file."""
    found = folders.read_stage(files, folder)
    if found is not None:
        return found
    packed = folder.parent / f"{folder.name}.h5"
    try:
        with explained(packed), open_file(packed, folder.parent) as file:
            check_format(file)
            stamp = read_stamp(file)
            found = About(stamp, str(root_attribute(file, "layout")), int(root_attribute(file, "layout_version")))
    except FileNotFoundError:
        raise CacheMissing(f"{folder} is no stage's result.", "s4tok cache ls shows what there is.") from None
    if stamp.folder != folder.name:
        raise CacheCorrupt(f"{packed} holds what belongs into {stamp.folder}.", "give it back its name.")
    return found


def results(cache: Path) -> Iterator[Path]:
    """Find every result at or below a folder, sorted by path; a result's own folder counts too."""
    cache = Path(cache).absolute()
    if RESULT.fullmatch(cache.name) and cache.is_dir():
        yield cache
        return
    if cache.suffix == ".h5" and RESULT.fullmatch(cache.stem) and cache.is_file():
        yield cache.with_suffix("")
        return
    found = set()
    for path in cache.rglob("*-????????????*"):
        name = path.name.removesuffix(".h5")
        if RESULT.fullmatch(name) and (path.name != name or (path / folders.STAGE).is_file()):
            found.add(path.parent / name)
    yield from sorted(found)


def stamps_of(root: Path, stage: str) -> list[Stamp]:
    """Find how a stage's results under CACHE/<dataset>/<split> were made."""
    root = Path(root).absolute()
    return [
        about(folder, FileSystem()).stamp
        for folder in results(root)
        if folder.parent == root and folder.name.rpartition("-")[0] == stage
    ]
