"""What makes a function a command: the options that all commands have, and where the values of options come from.

`command` adds `--config`, `--json`, `-v`, `-q`, `--debug` and the help. A value comes from the flag, else from
`S4TOK_<OPTION>`, else from the TOML file of `--config`, else from its default in `s4tok/config/`.
"""

import inspect
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer import Option
from typer.core import TyperOption
from typer.models import OptionInfo

from s4tok.errors import InputError, UsageError, did_you_mean
from s4tok_cli import console
from s4tok_cli.console import Settings
from s4tok_cli.options import INPUT, MODELS, OUTPUT, RUNNING
from s4tok_cli.recipe import FieldsOf

# Options that had another name before version 0.2; the old one still works, on the command line and in a file.
RENAMED = {"teacher_only": "vision_only", "students": "checkpoints"}

_SourceFlag = Annotated[
    list[str] | None,
    Option(
        "--source",
        help="The same as SOURCE.",
        metavar="SOURCE",
        show_default=False,
        hidden=True,
    ),
]
_Json = Annotated[bool, Option("--json", help="Print one JSON object on stdout.")]
_Verbose = Annotated[bool, Option("--verbose", "-v", help="Say more.", hidden=True)]
_Quiet = Annotated[bool, Option("--quiet", "-q", help="Say only what went wrong.", hidden=True)]
_Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.", hidden=True)]


def _print_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        console.result(context.get_help())
        raise typer.Exit


def _print_all(context: typer.Context, wanted: bool) -> None:
    """Print the help with every option, those too that --help leaves out."""
    if wanted:
        for parameter in context.command.params:
            if isinstance(parameter, TyperOption):
                parameter.hidden = False
        console.result(context.get_help())
        raise typer.Exit


_HelpAll = Annotated[
    bool,
    Option("--help-all", callback=_print_all, is_eager=True, help="Show every option, and exit."),
]
_Help = Annotated[
    bool,
    Option("--help", "-h", callback=_print_help, is_eager=True, help="Show this message, and exit."),
]


def renamed(arguments: Sequence[str]) -> list[str]:
    """Put the new names of options in place of their old ones."""
    found = []
    for each in arguments:
        flag, equals, value = each.partition("=")
        name = RENAMED.get(flag.removeprefix("--").replace("-", "_")) if flag.startswith("--") else None
        found.append(f"--{name.replace('_', '-')}{equals}{value}" if name else each)
    return found


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command what every command has, and each of its options its environment variable."""
    hints = get_type_hints(function, include_extras=True)
    parameters: list[inspect.Parameter] = []
    recipes = {name: made for name, hint in hints.items() if (made := _fields_of(hint)) is not None}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in recipes:
            parameters += recipes[name].parameters
        elif is_dataclass(hints[name]):
            parameters += inspect.signature(hints[name]).parameters.values()
        else:
            parameters.append(parameter.replace(annotation=hints[name]))
    takes_source = "source" in hints
    common: dict[str, Any] = {"json": _Json, "verbose": _Verbose, "quiet": _Quiet, "debug": _Debug}
    if takes_source:
        common = {"source_flag": _SourceFlag, **common}
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, keyword, default=None if name == "source_flag" else False, annotation=annotation)
        for name, annotation in common.items()
    ]
    config = Annotated[
        Path | None,
        Option(
            envvar="S4TOK_CONFIG", callback=_read_config, is_eager=True, help="Take values from a TOML file.",
            metavar="FILE.toml", show_envvar=False, show_default="none",
        ),
    ]  # fmt: skip
    added.append(inspect.Parameter("config", keyword, default=None, annotation=config))
    added.append(inspect.Parameter("help_all", keyword, default=False, annotation=_HelpAll))
    added.append(inspect.Parameter("help", keyword, default=False, annotation=_Help))

    @wraps(function)
    def run(**values: Any) -> None:
        for name in ("config", "help_all", "help"):
            values.pop(name)
        Settings.json = values.pop("json")
        Settings.level = values.pop("verbose") - values.pop("quiet")
        Settings.debug = values.pop("debug") or Settings.debug
        for name, value in values.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"--{name.replace('_', '-')} takes a finite number, and was given {value}.")
        if takes_source:
            values["source"] = _one_source(values["source"], values.pop("source_flag"))
        for name, hint in hints.items():
            if name in recipes:
                values[name] = recipes[name].take(values)
            elif is_dataclass(hint):
                values[name] = hint(**{field.name: values.pop(field.name) for field in fields(hint)})  # type: ignore[operator]
        function(**values)

    signature = [each.replace(kind=keyword, annotation=_finished(each)) for each in (*parameters, *added)]
    signature.sort(key=lambda each: _rank(each.annotation))
    run.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in signature}
    return run


def _fields_of(hint: Any) -> FieldsOf | None:
    return next((each for each in get_args(hint) if isinstance(each, FieldsOf)), None)


def _finished(parameter: inspect.Parameter) -> Any:
    """Give an option its environment variable, and its panel and choices where it has none."""
    hint = parameter.annotation
    infos = [info for info in get_args(hint) if isinstance(info, OptionInfo)]
    if not infos:
        return hint
    info, kind = copy(infos[0]), get_args(hint)[0]
    if not info.envvar and not info.is_eager:
        info.envvar, info.show_envvar = f"S4TOK_{parameter.name.upper()}", False
    info.rich_help_panel = info.rich_help_panel or RUNNING
    if choices := _choices(kind):
        info.metavar = info.metavar or "|".join(choices)
    if kind in (Path, Path | None):  # what is there already has to be of the kind that will be written
        info.file_okay, info.dir_okay = "DIR" not in (info.metavar or ""), "FILE" not in (info.metavar or "")
    if default := _default_of(parameter, info):
        info.help = f"{info.help} \\[{default}]"
    info.show_default = False  # it stands in the help, on no line of its own
    return Annotated[kind, info]


def _choices(kind: Any) -> list[str]:
    """List what an option of few words takes."""
    literals = [each for each in (kind, *get_args(kind)) if get_origin(each) is Literal]
    return [str(word) for each in literals for word in get_args(each)]


def _default_of(parameter: inspect.Parameter, info: OptionInfo) -> str:
    """Say what an option is where it is not given; nothing for a switch, which is off."""
    if isinstance(info.show_default, str):
        return info.show_default
    is_said = info.show_default and parameter.default is not None and not isinstance(parameter.default, bool)
    return str(parameter.default) if is_said else ""


def _rank(hint: Any) -> int:
    """Tell where an option's panel stands in the help."""
    panel = next((info.rich_help_panel for info in get_args(hint) if isinstance(info, OptionInfo)), INPUT)
    return {INPUT: 0, MODELS: 2, OUTPUT: 3, RUNNING: 4}.get(str(panel), 1)


def _one_source(argument: list[str] | None, flag: list[str] | None) -> list[str]:
    if argument and flag:
        raise UsageError("SOURCE was given twice, as an argument and as --source.", "give it once.")
    if not (argument or flag):
        raise UsageError(
            "SOURCE is missing.",
            "name a dataset's folder, a file, or a known name such as toy-shapes (`s4tok data ls` lists them).",
        )
    return argument or flag or []


def _read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Lay a TOML file's values under the command's flags and environment.

    Keys at the top of the file serve every command that has such an option; a table named after a command serves
    that command alone. A key that no command knows is refused.
    """
    if path is None or context.resilient_parsing:
        return path
    if not path.is_file():
        raise InputError(f"--config {path}: there is no such file.")
    try:
        file = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error

    commands = _options_of_all(context.find_root().command)
    values: dict[str, Any] = {}
    known = {option for options in commands.values() for option in options}
    words = context.command_path.split()[1:]
    for key, value in file.items():
        if not isinstance(value, dict):
            _refuse_unknown(path, key, known)
            values[_name(key)] = value
    for name, table in _tables(file):
        _refuse_unknown_command(path, name, commands)
        for key in table:
            _refuse_unknown(path, key, commands[name], f" in [{name}]")
        if name == ".".join(words):
            values.update({_name(key): value for key, value in table.items()})
    many = {each.name for each in context.command.params if getattr(each, "multiple", False) or each.nargs != 1}
    context.default_map = {name: value if name in many else _joined(value) for name, value in values.items()}
    return path


def _joined(value: Any) -> Any:
    """Write a list as an option takes it, its items joined by commas."""
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _options_of_all(group: Any, prefix: str = "") -> dict[str, set[str]]:
    """Find the options of every command, by the command's words joined with dots."""
    found: dict[str, set[str]] = {}
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            found |= _options_of_all(each, f"{prefix}{name}.")
        else:
            found[prefix + name] = {parameter.name for parameter in each.params} - {
                "config",
                "source_flag",
                "help_all",
                "help",
            }
    return found


def _tables(file: Mapping[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    """List a file's tables by dotted name, each without the tables inside it."""
    found = []
    for name, value in file.items():
        if isinstance(value, dict):
            plain = {key: inner for key, inner in value.items() if not isinstance(inner, dict)}
            inner_tables = _tables(value, f"{prefix}{name}.")
            if plain or not inner_tables:
                found.append((prefix + name, plain))
            found += inner_tables
    return found


def _refuse_unknown(path: Path, key: str, known: set[str], where: str = "") -> None:
    if _name(key) not in known:
        raise UsageError(f"{path}: no option is called {key!r}{where}.", did_you_mean(_name(key), sorted(known)))


def _refuse_unknown_command(path: Path, name: str, commands: Mapping[str, object]) -> None:
    if name not in commands:
        raise UsageError(f"{path}: no command is called [{name}].", did_you_mean(name, commands))


def _name(key: str) -> str:
    name = key.replace("-", "_")
    return RENAMED.get(name, name)
