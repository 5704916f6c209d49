"""What README, docs and examples tell a reader to type exists, and links lead somewhere."""

import ast
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer

import s4tok
from s4tok_cli.app import app
from s4tok_pipelines.tables.names import ALL, NAMES, REAL
from tests.documents import ROOT, Line, documents, lines, python_blocks

LINK = re.compile(r"\]\((?P<target>[^)#\s:]+)(?:#[^)\s]*)?\)")
PLACEHOLDER = re.compile(r"\$(?:\w+|@)|^[A-Z]+$")  # "$shapes", "N": stands for a value, also a number
CHOICES = re.compile(r"^[a-z0-9.]+(\|[a-z0-9.]+)+$")
OURS = ("s4tok", "s4tok_cache", "s4tok_pipelines", "s4tok_cli")


def every_command(group: Any, words: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, each in group.commands.items():
        found |= every_command(each, (*words, name)) if hasattr(each, "commands") else {(*words, name): each}
    return found


COMMANDS = every_command(typer.main.get_command(app))
TYPED = [line for line in lines("s4tok") if not PLACEHOLDER.match(line.words[1])]


@pytest.mark.parametrize("line", TYPED, ids=str)
def test_a_command_that_is_shown_exists_with_its_options_and_their_values(line: Line) -> None:
    count = next((n for n in (2, 1) if line.words[1 : 1 + n] in COMMANDS), None)
    assert count, f"{line.words[1]} is no command"
    command, given = COMMANDS[line.words[1 : 1 + count]], list(line.words[1 + count :])
    options = {flag: each for each in command.params if each.param_type_name == "option" for flag in each.opts}
    if given and (last := options.get(given[-1])) is not None and not last.is_flag:
        given.append("1")  # named without a value, in a sentence
    command.make_context(line.words[1], [PLACEHOLDER.sub("1", word) for word in given])
    for flag, value in pairwise(given):
        if flag in options and CHOICES.match(str(options[flag].metavar)) and value != "1":
            assert set(value.split(",")) <= set(options[flag].metavar.split("|"))


def test_commands_are_found_at_all() -> None:
    assert len(TYPED) > 100
    assert {line.place for line in TYPED} > {"README.md", "docs/quickstart.md", "examples/six_stages.sh"}


@pytest.mark.parametrize("line", lines("make"), ids=str)
def test_a_target_of_make_that_is_shown_exists(line: Line) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets, starts = (re.findall(rf"^([a-z0-9-]+){end}:", makefile, re.MULTILINE) for end in ("", "%"))
    for word in line.words[1:]:
        is_result = "reproduce-" in starts and word.removeprefix("reproduce-") in (*NAMES, REAL, ALL)
        assert word in targets or is_result or "=" in word or word.startswith("-")


@pytest.mark.parametrize("line", lines("python"), ids=str)
def test_a_script_that_is_shown_exists(line: Line) -> None:
    if line.words[1] == "-c":
        ast.parse(line.words[2])
    else:
        assert (ROOT / line.words[1]).is_file()


@pytest.mark.parametrize(("place", "text"), python_blocks())
def test_python_that_is_shown_can_be_read_and_what_it_imports_of_s4tok_exists(place: str, text: str) -> None:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS:
            module = import_module(str(node.module))
            assert all(hasattr(module, each.name) for each in node.names), ast.unparse(node)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "s4tok":
            assert hasattr(s4tok, node.attr), f"s4tok.{node.attr}"


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    lost = [link["target"] for link in LINK.finditer(text) if not (path.parent / link["target"]).exists()]
    assert lost == []


@pytest.mark.parametrize("path", [*documents(), ROOT / "CHANGELOG.md"], ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_is_wrapped(path: Path) -> None:
    prose = re.sub(r"^ *```.*?^ *```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL).splitlines()
    assert [line for line in prose if len(line) > 120 and not line.lstrip().startswith(("|", "![", "#"))] == []


def test_every_picture_is_shown_somewhere() -> None:
    shown = "".join(path.read_text("utf-8") for path in documents())
    pictures = [path.name for path in (ROOT / "docs").rglob("*") if path.suffix in (".png", ".jpg")]
    assert [name for name in pictures if name not in shown] == []


def test_every_picture_is_made_by_make_figures() -> None:
    pages = sorted((ROOT / "tools/pages").glob("*figure*.py"))
    target = re.search(r"^figures:.*?\n\n", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert target
    assert all(page.stem in target[0] for page in pages)
    made = target[0] + "".join(page.read_text("utf-8") for page in pages)
    pictures = [path.name for path in (ROOT / "docs").rglob("*") if path.suffix in (".png", ".jpg")]
    assert [name for name in pictures if name not in made] == []
