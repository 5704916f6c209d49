"""How long work tells of its progress, without knowing who listens."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Steps(Protocol):
    """Hand items on, one at a time, and tell somebody how far the work is."""

    def __call__(self, items: Iterable[Item], text: str, total: int | None = None) -> Iterator[Item]:
        """Take the items, what is being done, and how many there are where they cannot be counted."""
        ...


def quietly(items: Iterable[Item], text: str, total: int | None = None) -> Iterator[Item]:
    """Report nothing."""
    return iter(items)
