"""English nouns with what they mean, from WordNet: Debian's package `wordnet-base`, or a folder with its files.

`apt-get download wordnet-base` fetches the package (6 MB); nothing of it is run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from s4tok.datasets.formats.deb import read_deb
from s4tok.errors import InputError

FETCH = "apt-get download wordnet-base"
FILES = SENSES, NOUNS, ADJECTIVES = "data.noun", "index.noun", "index.adj"
# Its lexicographers' files of what one can see: animals, artefacts, bodies, food, objects, plants, shapes, substances.
THINGS = frozenset((5, 6, 8, 13, 17, 20, 25, 27))
NAMED = THINGS | {15, 18}  # of which names of several words are taken: places and people too
PLAIN = re.compile(r"[a-z]+(?:[ -][a-z]+){0,3}")  # no proper names, no numbers


@dataclass(frozen=True)
class Sense:
    """One meaning of a noun."""

    file: int  # of the lexicographers
    others: tuple[str, ...]  # all nouns that have it
    gloss: str  # what it means, in words


@dataclass(frozen=True)
class WordNet:
    """Nouns with their meanings, and the adjectives that texts have been seen to use."""

    nouns: Mapping[str, Sense]  # the first meaning that is a thing, or the first
    common: frozenset[str]  # nouns that texts have been seen to use
    adjectives: tuple[str, ...]

    @property
    def phrases(self) -> list[str]:
        """List the nouns of one word, and the things of several."""
        return sorted(noun for noun, sense in self.nouns.items() if " " not in noun or sense.file in NAMED)

    def meaning(self, noun: str) -> str:
        """Say what a noun means; nothing for one it does not have."""
        return self.nouns[noun].gloss if noun in self.nouns else ""

    @classmethod
    def read(cls, place: Path) -> "WordNet":
        """Read the package, or the folder of its files."""
        try:
            if place.is_file():
                files = read_deb(place, FILES.__contains__)
            else:
                files = {name: (place / name).read_bytes() for name in FILES}
            texts = {name: files[name].decode() for name in FILES}
        except (OSError, KeyError) as error:
            raise InputError(f"{place} holds no WordNet: {error}.", FETCH) from error
        senses = dict(map(_sense, _lines(texts[SENSES])))
        nouns, common = dict[str, Sense](), set[str]()
        for lemma, offsets, n_seen in map(_entry, _lines(texts[NOUNS])):
            known = [senses[offset] for offset in offsets if lemma in senses[offset].others]
            if known and PLAIN.fullmatch(lemma):
                nouns[lemma] = next((each for each in known if each.file in THINGS), known[0])
                if n_seen:
                    common.add(lemma)
        adjectives = [lemma for lemma, _, n_seen in map(_entry, _lines(texts[ADJECTIVES])) if n_seen]
        kept = tuple(each for each in adjectives if PLAIN.fullmatch(each) and " " not in each)
        return cls(nouns, frozenset(common), kept)


def _lines(text: str) -> Iterator[str]:
    """Leave out the licence, whose lines are indented."""
    return (line for line in text.splitlines() if line and not line.startswith(" "))


def _sense(line: str) -> tuple[str, Sense]:
    head, _, gloss = line.partition(" | ")
    words = head.split(" ")
    n_words = int(words[3], 16)
    others = tuple(word.replace("_", " ") for word in words[4 : 4 + 2 * n_words : 2])
    return words[0], Sense(int(words[1]), others, gloss.split('; "')[0].strip())


def _entry(line: str) -> tuple[str, list[str], int]:
    """Take a line of an index apart: the lemma, its meanings in their order, how many of them texts have."""
    words = line.split()
    n_senses = int(words[2])
    return words[0].replace("_", " "), words[-n_senses:], int(words[-n_senses - 1])
