"""What a cache declares of its entries: arrays with their shapes in letters, attributes, and the command that makes it.

One letter has one size within an entry.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Protocol, TypeAlias

import numpy as np

from s4tok_cache.errors import CacheMismatch

NumPyArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Value: TypeAlias = int | float | str


class Shaped(Protocol):
    """An array, or what stands for one: enough to hold it against its declaration."""

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def nbytes(self) -> int: ...  # noqa: D102


LARGEST_ARRAY = 1 << 30  # bytes; a reader refuses more, so that a small hostile file cannot fill the memory


@dataclass(frozen=True)
class ArraySpec:
    """One array of an entry."""

    dtype: str
    shape: str  # one letter or number an axis
    meaning: str
    compress: bool = True  # features are not: 15 % smaller for twenty times slower writes


@dataclass(frozen=True)
class Layout:
    """One kind of cache."""

    name: str
    version: int
    arrays: Mapping[str, ArraySpec]
    made_by: str  # the subcommand
    attributes: Mapping[str, type[Value]] = field(default_factory=dict)

    @property
    def compressed(self) -> frozenset[str]:
        """Name the arrays that are compressed."""
        return frozenset(name for name, array in self.arrays.items() if array.compress)

    def part(self, names: Collection[str]) -> "Layout":
        """Keep some of the arrays."""
        return replace(self, arrays={name: array for name, array in self.arrays.items() if name in names})

    def check(self, key: str, arrays: Mapping[str, Shaped], attributes: Mapping[str, Value]) -> None:
        """Refuse an entry that is not laid out as declared."""
        if arrays.keys() != self.arrays.keys():
            raise CacheMismatch(f"{key}: {self.name} hold {_names(self.arrays)}, and these are {_names(arrays)}.")
        if attributes.keys() != self.attributes.keys():
            raise CacheMismatch(
                f"{key}: {self.name} have the attributes {_names(self.attributes)}, and these are {_names(attributes)}."
            )
        sizes: dict[str, tuple[int, str]] = {}
        for name, declared in self.arrays.items():
            array = arrays[name]
            if array.dtype != np.dtype(declared.dtype) or not _fits(array.shape, declared.shape.split(), sizes, name):
                known = ", ".join(f"{letter} = {size} by {whose}" for letter, (size, whose) in sizes.items())
                raise CacheMismatch(
                    f"{key}: {name} must be {declared.dtype} ({declared.shape}), and it is "
                    f"{array.dtype} {array.shape}{f' where {known}' if known else ''}."
                )
            if array.nbytes > LARGEST_ARRAY:
                raise CacheMismatch(
                    f"{key}: {name} has {array.nbytes:,} bytes, and the cache holds at most {LARGEST_ARRAY:,} an array."
                )
        for name, kind in self.attributes.items():
            value = attributes[name]
            if not isinstance(value, kind) or not _storable(value):
                raise CacheMismatch(f"{key}: {name} must be {kind.__name__}, and it is {value!r}.")


def _fits(shape: tuple[int, ...], letters: list[str], sizes: dict[str, tuple[int, str]], name: str) -> bool:
    if len(shape) != len(letters):
        return False
    for size, letter in zip(shape, letters, strict=True):
        wanted = int(letter) if letter.isdigit() else sizes.setdefault(letter, (size, name))[0]
        if size != wanted:
            return False
    return True


def _storable(value: Value) -> bool:
    if isinstance(value, str):
        return "\0" not in value and len(value) < 16_000
    if isinstance(value, int):
        return not isinstance(value, bool) and -(2**63) <= value < 2**63
    return isfinite(value)


def _names(table: Mapping[str, object]) -> str:
    return ", ".join(sorted(table)) or "nothing"
