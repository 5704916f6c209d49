"""What a dataset of files adds to `CloudDataset`: it recognises its folder, lists its splits and can be checked.

A reader is a class with

- `recognises(folder)`: the `FolderLayout` of this dataset in a folder, or None. Reads names only, no
  file, and may descend into folders whose names it knows;
- `splits`, the official splits in the order a user means them: the first is taken where none is named;
- `official`: how many clouds each split has in the official release, by layout where layouts differ;
- `listed(split)`: the clouds of one split, key -> file relative to the layout's root, from lists and folder names;
- `__getitem__`, which reads one cloud and raises `DamagedFile` where the file is not as it must be;
- `oddities()`: what `s4tok data check` should say beyond counts and unreadable clouds.

Everything else (`all` and `train+val`, keys, origins, the check itself) is here, once. A dataset that is made and not
read needs only `splits` and a constructor that takes `split`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from s4tok.datasets.dataset import CloudDataset, Origin
from s4tok.datasets.formats.damage import DamagedFile
from s4tok.errors import InputError, choose

ALL = "all"


class FolderLayout(NamedTuple):
    """One of the forms a dataset is published in, and where it begins."""

    name: str  # "txt", "hdf5", ...
    root: Path
    files: tuple[str, ...] = ()  # what alone is meant, where the user has named files or one scan's folder


class EmptySplit(InputError):
    """A copy of a dataset has other splits and not this one."""


class Finding(NamedTuple):
    """Something the check of a dataset has found."""

    severity: Literal["problem", "note"]  # a problem breaks the dataset; a note is a known trait worth knowing
    path: str
    line: int | None
    sentence: str

    def __str__(self) -> str:
        """Write it as compilers do, so that editors can jump there."""
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.sentence}"


class FileDataset(CloudDataset):
    """A dataset read from files. It holds paths and numbers only, so that it can be sent to worker processes."""

    splits: ClassVar[tuple[str, ...]]
    official: ClassVar[Mapping[str, int]] = {}

    def __init__(self, name: str, layout: FolderLayout, split: str) -> None:
        self.name = name
        self.layout = layout
        self.split = split
        self.files: dict[str, str] = {}
        for part in parts_of(split, self.splits):
            self.files |= self.listed(part)
        outside = next(
            (file for file in self.files.values() if Path(file).is_absolute() or ".." in Path(file).parts), None
        )
        if outside is not None:
            raise DamagedFile(layout.root, f"lists {outside!r}, which lies outside the dataset")
        self.keys = tuple(sorted(self.files))
        if not self.keys:
            splits = ", ".join(each for each in self.splits if self.listed(each))
            raise EmptySplit(
                f"{layout.root} holds no cloud of split {split} of {name}.",
                f"splits it has: {splits}." if splits else "",
            )

    @classmethod
    @abstractmethod
    def recognises(cls, folder: Path) -> FolderLayout | None:
        """Find the dataset in a folder, by the names of what lies there."""

    @abstractmethod
    def listed(self, split: str) -> dict[str, str]:
        """List the clouds of one split: key -> file, relative to the layout's root."""

    def oddities(self) -> Iterator[Finding]:
        """Say what is worth knowing of this copy beyond counts and clouds that cannot be read."""
        return iter(())

    def path(self, key: str) -> Path:
        """Say which file a cloud lies in."""
        return self.layout.root / self.files[key]

    def origin(self, key: str) -> Origin:
        """Say where a cloud comes from; a file that holds several gives its name and an equal share of its bytes."""
        try:
            status = self.path(key).stat()
        except OSError as error:
            raise DamagedFile(self.path(key), f"cannot be read: {error.strerror}") from error
        return Origin(self.files[key], status.st_size, status.st_mtime_ns)

    def count_findings(self, *, partial: bool = False) -> Iterator[Finding]:
        """Compare the number of clouds with the official one, and look for files that are listed and not there."""
        wanted = sum(self.official.get(part, 0) for part in parts_of(self.split, self.splits))
        if wanted and len(self.keys) != wanted:
            sentence = f"split {self.split} has {len(self.keys):,} clouds; the official one has {wanted:,}."
            allowed = partial and len(self.keys) < wanted
            yield Finding("note" if allowed else "problem", str(self.layout.root), None, sentence)
        for path in sorted({self.path(key) for key in self.keys}):
            if not path.exists():
                yield Finding("problem", str(path), None, "is listed and is not there.")

    def cloud_finding(self, key: str) -> Finding | None:
        """Read one cloud and say what is wrong with it."""
        try:
            self[key]
        except DamagedFile as damage:
            return Finding("problem", str(damage.path), damage.line, damage.sentence)
        except InputError as error:
            return Finding("problem", str(self.path(key)), None, str(error))
        return None


def parts_of(split: str, splits: tuple[str, ...]) -> tuple[str, ...]:
    """Take a split apart: `all` is every split, `train+val` is two."""
    if split == ALL:
        return splits
    table = {name: name for name in (*splits, ALL)}
    return tuple(choose("split", part, table) for part in split.split("+"))
