"""The field's own words: phrases that guessing readers stumbled over stay out of help, messages, docs and keys."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from s4tok.objectives.s4token import S4Token
from s4tok_cli.app import app
from tests.documents import documents, scripts

ROOT = Path(__file__).parents[1]
PHRASES = (
    "a guess", "made world", "by heart", "a token's place", "targets' mean off", "of just this kind", "other CLIPs saw",
    "could mean anything", "looks at", "looked at", "CLIP saw", "CLIP sees", "made again", "nobody has trained",
    "above the guess", "guess without",
)  # fmt: skip
WORDS = {"student", "students", "lonely", "orphans", "whole", "fill", "judged", "guess", "guesses", "named", "hears"}
SOURCES = ("s4tok", "s4tok_cli", "pipelines", "cache", "examples", "benchmarks", "tools")


@cache
def texts() -> list[tuple[str, str]]:
    """Read every string of the code, docstrings too, and every page."""
    return list(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    for path in [path for source in SOURCES for path in sorted((ROOT / source).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", " ".join(node.value.split())
    for path in [*documents(), *scripts(), ROOT / "Makefile"]:
        yield str(path.relative_to(ROOT)), " ".join(path.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_text_has_a_phrase_of_a_private_language(phrase: str) -> None:
    found = [where for where, text in texts() if re.search(rf"\b{re.escape(phrase)}\b", text, re.IGNORECASE)]
    assert found == []


def test_columns_options_and_keys_are_called_by_the_fields_words() -> None:
    assert WORDS.isdisjoint(S4Token.columns)
    group = typer.main.get_command(app)
    options = {name for each in group.commands.values() for name in (option.name for option in each.params)}  # type: ignore[attr-defined]
    assert WORDS.isdisjoint(options)
    schema = json.loads((ROOT / "pipelines/s4tok_pipelines/tables/schema.json").read_text(encoding="utf-8"))
    assert WORDS.isdisjoint(re.findall(r'"(\w+)":', json.dumps(schema)))
