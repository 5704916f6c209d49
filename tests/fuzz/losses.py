"""How much a reader has to find in a malformed file that it reads, counted without the reader."""

import re

from tests.fuzz.malformed import Malformed
from tests.fuzz.reading import Outcome
from tests.fuzz.samples import CORNERS

LINE_END = re.compile(r"\r\n|\r|\n")


def is_loss(case: Malformed, found: Outcome) -> bool:
    """Tell whether points or faces are gone without a word.

    Formats that count are held against what was counted, and texts against their lines. glTF and USD say nothing
    twice, so that a lie of such a file cannot be told from the truth.
    """
    suffix = case.name.rpartition(".")[2]
    if found.kind != "read" or suffix == "glb" or suffix.startswith("usd"):
        return False
    if suffix in ("txt", "xyz"):
        return found.points != _rows(case.content)
    if suffix == "obj":
        points, faces = _statements(case.content)
        return found.faces != faces if faces else found.points != points
    if suffix == "off":
        return found.faces != _polygons(case.content)
    if suffix == "stl" and case.content.startswith(b"solid"):
        return found.faces != case.content.count(b"vertex") // 3
    if suffix == "ply" and b"element face" not in case.content and found.faces != case.sample.faces:
        return found.points != (case.sample.points or len(CORNERS))  # a mesh whose faces have another name
    return (found.points, found.faces) != (case.sample.points, case.sample.faces)


def _rows(content: bytes) -> int:
    lines = LINE_END.split(content.decode("latin-1").removeprefix("\xef\xbb\xbf"))
    rows = [row for row in (line.partition("#")[0].strip() for line in lines) if row]
    has_head = bool(rows) and (re.search("[xX]", rows[0]) is not None or rows[0].isdigit())
    return len(rows) - has_head


def _polygons(content: bytes) -> int:
    lines = [words for line in content.decode("latin-1").splitlines() if (words := line.partition("#")[0].split())]
    return sum(max(int(words[0]) - 2, 0) for words in lines[-6:])  # squares, each of which may now be something else


def _statements(content: bytes) -> tuple[int, int]:
    text = content.decode("latin-1").replace("\\\n", " ")
    words = [line.split() for line in LINE_END.split(text) if line.split()]
    faces = sum(max(len(each) - 3, 0) for each in words if each[0] == "f")
    return sum(each[0] == "v" for each in words), faces
