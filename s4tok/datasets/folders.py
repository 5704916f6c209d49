"""Finding what a dataset's documentation names in a folder as users have it: case changed, or one level deeper."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from s4tok.datasets.formats.damage import DamagedFile
from s4tok.datasets.formats.text import read_lines


def child(folder: Path, name: str) -> Path | None:
    """Find an entry by its name, or by its name in another case where that is unambiguous."""
    exact = folder / name
    if exact.exists():
        return exact
    if not folder.is_dir():
        return None
    alike = [path for path in folder.iterdir() if path.name.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def from_root(path: Path) -> Path:
    """Give a path from the root, the same however it is named; `..` is the parent of what a link before it leads to."""
    if path.name == "..":
        return path.resolve()
    return path.parent.resolve() / path.name if ".." in path.parts else path.absolute()


def candidates(folder: Path, *names: str) -> Iterator[Path]:
    """Give the folder itself, then the folders of these names below it, each with those below it in turn."""
    yield folder
    for name in names:
        inner = child(folder, name)
        if inner is not None and inner.is_dir():
            yield inner
            yield from (deeper for other in names if (deeper := child(inner, other)) and deeper.is_dir())


def read_list(folder: Path, name: str, hint: str) -> list[str]:
    """Read a split's list, one name a line; blank lines and doubled names are passed over."""
    path = child(folder, name)
    if path is None:
        raise DamagedFile(folder / name, "the list of this split is not there", hint)
    names = list(dict.fromkeys(line.strip() for line in read_lines(path) if line.strip()))
    if not names:
        raise DamagedFile(path, "has no names", hint)
    return names


def index_of(names: Iterable[str]) -> dict[str, int]:
    """Number names in their order."""
    return {name: i for i, name in enumerate(names)}
