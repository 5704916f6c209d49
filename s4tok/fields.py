"""What a configuration's fields say of themselves: their documentation, their type and limits, and values as text.

A field is documented by the string below it. Its first sentence is the help of the option that sets it.
"""

import ast
import inspect
import math
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from textwrap import dedent
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from s4tok.errors import UsageError, did_you_mean

Config = TypeVar("Config")

SENTENCE_END = re.compile(r"(?<!\bEq)(?<!\bApp)(?<!\bSec)(?<!\bFig)\. (?=[A-Z0-9\[])")


@dataclass(frozen=True)
class Between:
    """The least and the greatest value of a number; stands in the `Annotated` type of a field."""

    least: int | float
    greatest: int | float | None = None
    rising: bool = False  # of two numbers, which is the lower one first

    def has(self, value: Any) -> bool:
        """Tell whether a number, or each of several, lies between."""
        values = value if isinstance(value, tuple) else (value,)
        most = math.inf if self.greatest is None else self.greatest
        return all(self.least <= each <= most for each in values) and (
            not self.rising or list(values) == sorted(values)
        )


@dataclass(frozen=True)
class Field:
    """One field of a configuration."""

    name: str
    type: Any  # without limits and without None
    default: Any
    about: str  # the first sentence
    limits: Between | None = None
    optional: bool = False  # whether it may be None
    words: tuple[str, ...] = ()  # that it takes beside its type

    @property
    def choices(self) -> tuple[str, ...]:
        """List the words it takes, if it takes words of a list."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    def read(self, text: str, called: str = "") -> Any:
        """Read a value that a user typed for what is `called` so.

        Raises:
            UsageError: For what is no value of this field.
        """
        if text.strip() in self.words:
            return text.strip()
        refusal = UsageError(f"{called or self.name} takes {self.expects}, and was given {text!r}.")
        try:
            found = _read(self.type, text.strip(), self.optional)
        except ValueError:
            raise refusal from None
        if self.limits is not None and found is not None and not self.limits.has(found):
            raise refusal
        return found

    @property
    def expects(self) -> str:
        """Say in words what it takes."""
        if self.choices:
            return " or ".join(self.choices)
        if get_origin(self.type) is tuple:
            return _in_a_row(get_args(self.type), self.limits)
        said = {int: "a whole number", float: "a number", bool: "true or false"}.get(self.type, "a text")
        said = " or ".join((said, *self.words))
        if self.limits is None:
            return said
        most = "" if self.limits.greatest is None else f", at most {self.limits.greatest:g}"
        return f"{said} of at least {self.limits.least:g}{most}"


@cache
def fields_of(kind: type) -> dict[str, Field]:
    """List the fields of a configuration class that hold one value each, those of its bases first."""
    hints, about = get_type_hints(kind, include_extras=True), _documented(kind)
    found = {}
    for each in fields(kind):
        hint, limits, optional = _plain(hints[each.name])
        if is_dataclass(hint):
            continue
        default = each.default if each.default is not MISSING else None
        words = () if get_origin(hint) is Literal else _words_in(hints[each.name])
        found[each.name] = Field(each.name, hint, default, about.get(each.name, ""), limits, optional, words)
    return found


def changed(config: Config, changes: Mapping[str, Any]) -> Config:
    """Put values in place of a configuration's, each by its dotted name: "training.epochs"."""
    for name, value in changes.items():
        config = _changed(config, name.split("."), value)
    return config


def read_setting(kind: type, text: str) -> tuple[str, Any]:
    """Read "training.epochs=3" for a configuration class: the dotted name and its value.

    Raises:
        UsageError: For a name there is not, and for what is no value of that field.
    """
    name, equals, value = text.partition("=")
    known = dict(_all(kind))
    if not equals:
        raise UsageError(f"--set takes NAME=VALUE, and was given {text!r}.", "for example --set training.epochs=3.")
    if name.strip() not in known:
        raise UsageError(f"no setting is called {name.strip()!r}.", did_you_mean(name.strip(), sorted(known)))
    return name.strip(), known[name.strip()].read(value, name.strip())


def _all(kind: type, prefix: str = "") -> list[tuple[str, Field]]:
    found = [(prefix + name, field) for name, field in fields_of(kind).items()]
    for name, hint in get_type_hints(kind).items():
        if is_dataclass(hint) and isinstance(hint, type):
            found += _all(hint, f"{prefix}{name}.")
    return found


def _changed(config: Config, path: list[str], value: Any) -> Config:
    first, rest = path[0], path[1:]
    return replace(config, **{first: _changed(getattr(config, first), rest, value) if rest else value})  # type: ignore[type-var]


def _documented(kind: type) -> dict[str, str]:
    """Read the first sentence of the string below each field."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if not is_dataclass(each):
            continue
        [body] = ast.parse(dedent(inspect.getsource(each))).body
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                text = inspect.cleandoc(ast.literal_eval(below.value)) if isinstance(below.value, ast.Constant) else ""
                assert isinstance(field.target, ast.Name)
                found[field.target.id] = _first_sentence(" ".join(text.split()))
    return found


def _first_sentence(text: str) -> str:
    """Cut after the first full stop that is none of an abbreviation's."""
    found = SENTENCE_END.search(text)
    return text if found is None else text[: found.start() + 1]


def _plain(hint: Any) -> tuple[Any, Between | None, bool]:
    """Take limits and None off a type."""
    limits = None
    if get_origin(hint) is Annotated:
        limits = next((each for each in get_args(hint)[1:] if isinstance(each, Between)), None)
        hint = get_args(hint)[0]
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [each for each in get_args(hint) if each is not type(None)]
        optional = len(inner) < len(get_args(hint))
        hint, more, _ = _plain(inner[0])
        limits = limits or more
    return hint, limits, optional


def _words_in(hint: Any) -> tuple[str, ...]:
    """List the words that a union takes beside its first type."""
    if get_origin(hint) not in (Union, types.UnionType):
        return ()
    return tuple(word for each in get_args(hint) if get_origin(each) is Literal for word in get_args(each))


def _in_a_row(kinds: tuple[Any, ...], limits: Between | None) -> str:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return f"some of {', '.join(get_args(kinds[0]))}, joined by commas"
    said = "whole numbers" if kinds[0] is int else "numbers"
    order = ", the lower first" if limits is not None and limits.rising else ""
    return f"{len(kinds)} {said} joined by commas{order}"


def _read(kind: Any, text: str, optional: bool) -> Any:
    if get_origin(kind) is Literal and text in get_args(kind):
        return text
    if optional and (text.lower() == "none" or (not text and kind is not str)):  # an empty text may mean something
        return None
    if get_origin(kind) is Literal:
        raise ValueError
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        words = [word.strip() for word in text.split(",") if word.strip()]
        if len(kinds) == 2 and kinds[1] is Ellipsis:  # a set of words, in the order of the list
            known = get_args(kinds[0])
            return tuple(sorted({_read(kinds[0], word, optional=False) for word in words}, key=known.index))
        if len(words) != len(kinds):
            raise ValueError
        return tuple(_read(each, word, optional=False) for each, word in zip(kinds, words, strict=True))
    if kind is bool:
        return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _no()
    value = kind(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    return value


def _no() -> bool:
    raise ValueError
