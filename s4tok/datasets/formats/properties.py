r"""Java's .properties: a name and a value a line, \uXXXX for letters that Latin-1 has not."""

import re
from collections.abc import Iterable

_LINE = re.compile(r"((?:\\.|[^\\=:\s])+)\s*[=:\s]?\s*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SHORT = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def parse_properties(lines: Iterable[str]) -> dict[str, str]:
    """Read the lines of a file; a line that ends with a backslash goes on in the next."""
    found: dict[str, str] = {}
    begun = ""
    for line in lines:
        line = begun + line.lstrip()
        begun = ""
        if not line or (line[0] in "#!"):
            continue
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            begun = line[:-1]
            continue
        matched = _LINE.fullmatch(line)
        if matched:
            found[_plain(matched[1])] = _plain(matched[2])
    return found


def _plain(text: str) -> str:
    return _ESCAPE.sub(_meant, text).strip() if "\\" in text else text.strip()


def _meant(escape: re.Match[str]) -> str:
    word = escape[1]
    return chr(int(word[1:], 16)) if len(word) == 5 else _SHORT.get(word, word)
