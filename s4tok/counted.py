"""Numbers and names of things in sentences."""

from collections.abc import Sequence


def counted(n: int, noun: str, plural: str = "") -> str:
    """Say how many: 1 cloud, 2 clouds, 3,000 clouds; 1 box, 2 boxes where the plural is named."""
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def in_short(names: Sequence[str], shown: int = 3) -> str:
    """Name the first few of many."""
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")
