"""The words a small CLIP was trained on: it answers others too, but what it answers to them means nothing."""

import gzip
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from s4tok.errors import InputError

FILE = "words.txt.gz"  # beside the weights: a phrase a line, after lines that begin with #
LINKS = frozenset(("a", "an", "the", "of", "in", "on", "with", "and", "or", "for"))
ALIKE = 0.75  # of difflib's measure, from which on a word is worth suggesting


@dataclass(frozen=True, eq=False)
class KnownWords:
    """Phrases, each as `plain` writes it."""

    phrases: frozenset[str]

    @cached_property
    def words(self) -> frozenset[str]:
        """Give every word that occurs in a phrase."""
        return LINKS | {word for phrase in self.phrases for word in phrase.split()}

    @classmethod
    def beside(cls, folder: Path) -> "KnownWords | None":
        """Read the list that lies beside a model's weights; models without one are taken to know everything."""
        file = folder / FILE
        if not file.is_file():
            return None
        try:
            lines = gzip.decompress(file.read_bytes()).decode().splitlines()
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise InputError(f"{file} is no list of words: {error}.", "write the model anew, or remove it.") from error
        return cls(frozenset(line for line in lines if line and not line.startswith("#")))

    def write(self, folder: Path, notice: str = "") -> None:
        """Write the list, the same bytes for the same phrases."""
        text = notice + "".join(f"{phrase}\n" for phrase in sorted(self.phrases))
        (folder / FILE).write_bytes(gzip.compress(text.encode(), mtime=0))

    def unknown_in(self, phrase: str) -> list[str]:
        """List the words of a phrase that are not known; none where the phrase itself is, or each of its words."""
        said = plain(phrase)
        return [] if said in self.phrases else [word for word in said.split() if word not in self.words]

    def nearest(self, word: str) -> str:
        """Give the known word that is spelt most alike; nothing where none is."""
        alike = get_close_matches(word, sorted(self.words), n=1, cutoff=ALIKE)
        return alike[0] if alike else ""


def plain(text: str) -> str:
    """Write a name as names are compared: small letters, single spaces, no hyphens or underscores."""
    return " ".join(re.sub(r"[-_]", " ", text).lower().split())
