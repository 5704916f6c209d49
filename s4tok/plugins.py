"""Tables that other packages may add rows to, through entry points.

Nothing of such a package is imported before its row is asked for.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from s4tok.errors import MissingError

Row = TypeVar("Row")


class Table(Mapping[str, Row]):
    """Rows by name: s4tok's own first, then those that installed packages name under an entry point's group.

    In the pyproject.toml of such a package:

        [project.entry-points."s4tok.tokenizers"]
        pairs = "my_package.tokenizers:PAIRS"

    A plugin cannot take the name of a row that is there.
    """

    def __init__(self, group: str, rows: Mapping[str, Row]) -> None:
        self.group, self.rows = group, dict(rows)

    @cached_property
    def added(self) -> dict[str, EntryPoint]:
        """Find the rows of other packages, by name."""
        found = sorted(entry_points(group=self.group), key=lambda each: each.name)
        return {each.name: each for each in found if each.name not in self.rows}

    def __getitem__(self, name: str) -> Row:
        if name in self.rows:
            return self.rows[name]
        entry = self.added[name]
        try:
            row: Row = entry.load()
        except Exception as error:
            package = entry.dist.name if entry.dist else "a package"
            raise MissingError(
                f"{name!r} of {package} ({entry.value}) cannot be loaded: {error}.",
                f"mend or remove it: pip uninstall {package}",
            ) from error
        return row

    def __contains__(self, name: object) -> bool:
        return name in self.rows or name in self.added

    def __iter__(self) -> Iterator[str]:
        yield from self.rows
        yield from self.added

    def __len__(self) -> int:
        return len(self.rows) + len(self.added)
