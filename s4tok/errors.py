"""The errors a user can mend: each one sentence, the way out beside it."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

Choice = TypeVar("Choice")


class S4TokError(Exception):
    """Say what was found and what was wanted; `hint` is the way out, where there is one."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def with_hint(self) -> str:
        """Give both as one sentence, for a list of what failed."""
        return f"{str(self).removesuffix('.')}; {self.hint}" if self.hint else str(self)


class UsageError(S4TokError):
    """The command was asked for something that does not exist or does not fit together."""


class InputError(S4TokError):
    """A file, a cloud or an earlier stage's result is missing or not as it must be."""


class MissingError(S4TokError):
    """A package, a weight file or a system library that this work needs is not there."""


def choose(kind: str, name: str, table: Mapping[str, Choice]) -> Choice:
    """Look a name up in a room's table, and answer an unknown one with the names there are."""
    if name in table:
        return table[name]
    raise UsageError(f"no {kind} is called {name!r}; there are: {', '.join(table)}.", did_you_mean(name, table))


def did_you_mean(name: str, names: Mapping[str, object] | list[str]) -> str:
    """Suggest the known name nearest to a misspelt one, or nothing."""
    close = get_close_matches(name, list(names), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
