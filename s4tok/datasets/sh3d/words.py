"""The words of the furniture libraries: what each model is, what else a class is called, which parts its names tell."""

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from s4tok.datasets.formats.obj import Surface


class Word(NamedTuple):
    """What one model is."""

    name: str  # in plain English
    kind: str  # its class; empty where it has none
    why_not: str  # why it has none
    parts: tuple[str, ...]  # of its class, those its names tell


class Part(NamedTuple):
    """A part that models of some classes have, and how their names tell it."""

    kinds: tuple[str, ...]
    name: str
    words: frozenset[str]


@cache
def read_words() -> dict[str, Word]:
    """Read what each model is, by its key."""
    rows = _rows("pieces.tsv", 5)
    return {key: Word(name, kind, why, _listed(parts)) for key, name, kind, why, parts in rows}


@cache
def read_kinds() -> dict[str, tuple[str, ...]]:
    """Read the classes in their order, each with other words for it."""
    return {kind: _listed(others) for kind, others in _rows("classes.tsv", 2)}


@cache
def read_parts() -> dict[str, tuple[Part, ...]]:
    """Read the parts of every class, in the order in which they are looked for."""
    rows = [Part(_listed(kinds), name, frozenset(words.split())) for kinds, name, words in _rows("parts.tsv", 3)]
    return {kind: tuple(part for part in rows if kind in part.kinds) for kind in read_kinds()}


def part_told(surface: Surface, parts: tuple[Part, ...]) -> int | None:
    """Tell which of the parts a surface is by its names: the first with a word that occurs."""
    words = frozenset(re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", " ".join(surface)).lower()))
    return next((number for number, part in enumerate(parts) if words & part.words), None)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()


def _rows(name: str, columns: int) -> list[list[str]]:
    text = files("s4tok.datasets.sh3d").joinpath(name).read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    assert all(len(row) == columns for row in rows), name
    return rows
