"""What the documents tell a reader to type: commands of s4tok, scripts, targets of make, and Python."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?P<text>(?:[A-Z_]+=\S+ )*(?:s4tok|make|python) [^`]+)`")
SHELLS = ("", "sh", "bash", "console")
OPERATORS = re.compile(r"^[;&|()<>]+$")
ASSIGNMENT = re.compile(r"^[A-Z][A-Z0-9_]*=")
SUBSTITUTION = re.compile(r"\$\((?P<text>s4tok [^)]*)\)")


class Line(NamedTuple):
    """A command as a document has it."""

    place: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        """Give what a failing test is called by."""
        return f"{self.place}: {' '.join(self.words)}"


def documents() -> list[Path]:
    """List the Markdown files that readers meet."""
    found = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "s4tok").rglob("*.md"),
    ]
    return sorted(found)


def scripts() -> list[Path]:
    """List the shell scripts that readers copy."""
    return sorted(path for path in (ROOT / "examples").rglob("*") if path.suffix in (".sh", ".sbatch"))


def lines(program: str) -> list[Line]:
    """Find every call of a program in documents and scripts."""
    found = [line for path in documents() for text in _typed(path.read_text("utf-8")) for line in _calls(path, text)]
    found += [line for path in scripts() for line in _calls(path, path.read_text("utf-8"))]
    return list(dict.fromkeys(line for line in found if line.words[0] == program))


def python_blocks() -> list[tuple[str, str]]:
    """Find every block of Python, with its place; a notebook's cells are one."""
    found = []
    for path in documents():
        blocks = [block for block in BLOCK.finditer(path.read_text("utf-8")) if block["language"] == "python"]
        found += [(f"{path.relative_to(ROOT)}, block {n}", block["text"]) for n, block in enumerate(blocks)]
    for path in sorted((ROOT / "docs").rglob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        found.append((str(path.relative_to(ROOT)), text))
    return found


def _typed(text: str) -> Iterator[str]:
    """Give the blocks for a shell, and the commands within sentences."""
    for block in BLOCK.finditer(text):
        if block["language"] in SHELLS:
            yield block["text"]
    for span in INLINE.finditer(BLOCK.sub("", text)):
        yield " ".join(span["text"].split())


def _calls(path: Path, text: str) -> Iterator[Line]:
    place = str(path.relative_to(ROOT))
    for line in text.replace("\\\n", " ").splitlines():
        for part in [line, *(inner["text"] for inner in SUBSTITUTION.finditer(line))]:
            for words in _split(part):
                yield Line(place, words)


def _split(line: str) -> Iterator[tuple[str, ...]]:
    """Split a line of shell into commands of words, without the assignments before them."""
    lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a sentence with an apostrophe
        return
    command: list[str] = []
    for word in [*words, ";"]:
        if not OPERATORS.match(word):
            command += [word] if command or not ASSIGNMENT.match(word) else []
        elif command:
            yield tuple(command)
            command = []
