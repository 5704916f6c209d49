"""The error of every format: which file is not as it must be, on which line, and how."""

import os
from pathlib import Path

from s4tok.errors import InputError

CONTROLS = {*map(chr, range(32)), "\x7f"}  # what moves a terminal's cursor


def legible(name: str) -> str:
    r"""Write a file's name in letters: bytes that are not UTF-8 as \xff, a line break as \n."""
    letters = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(each.encode("unicode_escape").decode() if each in CONTROLS else each for each in letters)


class DamagedFile(InputError):
    """Name the file and, in a text, the line; the sentence follows."""

    def __init__(self, path: Path, sentence: str, hint: str = "", line: int | None = None) -> None:
        where = legible(str(path)) if line is None else f"{legible(str(path))}:{line}"
        sentence = " ".join(sentence.split())  # a name out of a broken file may hold a line break
        sentence = sentence if sentence.endswith(".") else f"{sentence}."
        super().__init__(f"{where}: {sentence}", hint)
        self.path = path
        self.line = line
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["DamagedFile"], tuple[Path, str, str, int | None]]:
        """Survive the way back from a worker process, which plain exceptions of several arguments do not."""
        return type(self), (self.path, self.sentence, self.hint, self.line)
