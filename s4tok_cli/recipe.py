"""Options made from the fields of configurations: help from the field's documentation, the default shown, any by --set.

A command takes `recipe: Annotated[Changes, FieldsOf(...)]` and is given what the user changed, by dotted name.
"""

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias, get_origin

from typer import Option

from s4tok.fields import Field, fields_of, read_setting
from s4tok_cli import completion

Changes: TypeAlias = dict[str, Any]  # dotted name of a field -> its value
SETTINGS = "settings"  # the parameter of --set
LONGEST = 26  # of a list of choices; longer ones stand in the sentence alone


@dataclass(frozen=True)
class Part:
    """The fields of one configuration class, in a panel of the help."""

    path: str  # within the whole configuration: "training", or "" for its own fields
    kind: type
    panel: str
    common: Collection[str] = ()  # shown by --help; the others by --help-all
    flags: Mapping[str, str] = field(default_factory=dict)  # where an option is not called as its field
    left_out: Collection[str] = ()  # reached by --set alone
    nones: Mapping[str, str] = field(default_factory=dict)  # what None of a field stands for, if not for none

    def dotted(self, name: str) -> str:
        """Give a field's name within the whole configuration."""
        return f"{self.path}.{name}" if self.path else name


class FieldsOf:
    """Stands in the annotation of a command's parameter, which its options replace."""

    def __init__(self, kind: type, parts: Sequence[Part], presets: Mapping[str, object]) -> None:
        """Take the whole configuration's class, its parts, and the presets whose values are shown as defaults."""
        self.kind, self.presets = kind, presets
        self.fields: dict[str, tuple[str, Field]] = {}  # parameter -> dotted name, field
        self.parameters: list[inspect.Parameter] = []
        for part in parts:
            for name, each in fields_of(part.kind).items():
                if name not in part.left_out:
                    self._add(part, each)
        setting = Option(
            "--set",
            help="Set any field of the configuration, such as training.epochs=5.",
            metavar="NAME=VALUE",
            show_default=False,
            hidden=True,
        )
        self.parameters.append(_parameter(SETTINGS, Annotated[list[str] | None, setting]))

    def take(self, values: dict[str, Any]) -> Changes:
        """Take the values of these options out of a command's, and give what was changed."""
        changes: Changes = {}
        for name, (dotted, each) in self.fields.items():
            value = values.pop(name)
            if value is not None:
                flag = f"--{name.replace('_', '-')}"
                changes[dotted] = each.read(value, flag) if isinstance(value, str) else value
        for text in values.pop(SETTINGS) or ():
            dotted, value = read_setting(self.kind, text)
            changes[dotted] = value
        return changes

    def _add(self, part: Part, each: Field) -> None:
        flag = part.flags.get(each.name, f"--{each.name.replace('_', '-')}")
        name = flag.partition("/")[0].removeprefix("--").replace("-", "_")
        is_switch = each.type is bool
        if is_switch and "/" not in flag:
            flag = f"{flag}/--no-{flag.removeprefix('--')}"
        option = Option(
            flag,
            help=f"{each.about} \\[{self._default(part.dotted(each.name), part.nones.get(each.name, 'none'))}]",
            hidden=each.name not in part.common,
            rich_help_panel=part.panel,
            metavar=None if is_switch else _metavar(each),
            autocompletion=_completion(each),
        )
        kind: Any = bool if is_switch else str  # the field reads its own text, and says what it takes
        self.fields[name] = part.dotted(each.name), each
        self.parameters.append(_parameter(name, Annotated[kind | None, option]))

    def _default(self, dotted: str, none: str) -> str:
        """Write the value of each preset, or one for all where they agree."""
        said = {}
        for preset, config in self.presets.items():
            value: Any = config
            for part in dotted.split("."):
                value = getattr(value, part)
            said[preset] = none if value is None else _in_words(value)
        values = list(said.values())
        if len(set(values)) == 1:
            return values[0]
        return ", ".join(f"{preset}: {value}" for preset, value in said.items())


def _metavar(each: Field) -> str:
    if each.choices and len("|".join(each.choices)) <= LONGEST:
        return "|".join(each.choices)
    if get_origin(each.type) is tuple:
        return "A,B,..."
    return "|".join(({int: "N", float: "X"}.get(each.type, "NAME"), *each.words))


def _completion(each: Field) -> completion.Complete | None:
    names = {"tokenizer": completion.tokenizers, "method": completion.superpoint_methods}.get(each.name)
    if names is None and each.choices:
        return completion.among(lambda: each.choices)
    return None if names is None else completion.among(names)


def _in_words(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(_in_words(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
