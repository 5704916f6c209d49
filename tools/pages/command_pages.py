"""The command reference, made from the commands themselves: one Markdown page each."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import typer
from rich.text import Text

from s4tok_cli.app import app, subcommands

DEFAULT = re.compile(r" \[(?P<value>[^\[\]]+)\]$")  # help ends with it, as `s4tok_cli.command` writes


class Option(NamedTuple):
    """A row of a page's table."""

    flags: str
    about: str
    default: str
    panel: str
    is_common: bool  # shown by --help, and not by --help-all alone


def command_pages() -> dict[str, str]:
    """Write a page for each subcommand, by its name, in the order in which help lists them."""
    root: Any = typer.main.get_command(app)
    pages = {}
    for module in subcommands():
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        pages[name] = page_of(name, root.commands[name], module.EXAMPLES)
    return pages


def command_table() -> str:
    """List the commands with a link to the page of each, for a page beside their folder."""
    root: Any = typer.main.get_command(app)
    names = command_pages()
    rows = [
        f"| [`{name}`](commands/{name}.md) | {_plain(root.commands[name].help).splitlines()[0]} |" for name in names
    ]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def page_of(name: str, command: Any, examples: tuple[str, ...]) -> str:
    """Write one page: what the command does, examples, arguments, and options by panel."""
    parts = [f"# s4tok {name}", _plain(command.help)]
    if examples:
        parts.append("\n".join(["```sh", *examples, "```"]))
    if hasattr(command, "commands"):
        for word, each in command.commands.items():
            parts += [f"## s4tok {name} {word}", _plain(each.help), *_parameters(each, f"{name} {word}", level=3)]
    else:
        parts += _parameters(command, name, level=2)
    return "\n\n".join(parts) + "\n"


def options_of(command: Any) -> list[Option]:
    """List a command's options as they are shown, without `--help` and what is only another way to say SOURCE."""
    return [
        _option(each)
        for each in command.params
        if each.param_type_name == "option" and each.name not in ("help", "help_all", "source_flag")
    ]


def _parameters(command: Any, words: str, level: int) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    shown = " ".join(str(each.metavar or each.name).strip("[]{}").upper() for each in arguments)
    yield "```\ns4tok " + " ".join(filter(None, (words, shown, "[OPTIONS]"))) + "\n```"
    for each, text in zip(arguments, shown.split(), strict=True):
        yield f"`{text}`: {_plain(each.help)}"
    options = options_of(command)
    for panel in dict.fromkeys(each.panel for each in options):
        mine = [each for each in options if each.panel == panel]
        common, rest = ([each for each in mine if each.is_common is wanted] for wanted in (True, False))
        yield f"{'#' * level} {panel}"
        if common:
            yield _table(common)
        if rest:
            yield '??? info "More, which `--help-all` shows"\n\n' + _indented(_table(rest))


def _option(option: Any) -> Option:
    names = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    takes = option.metavar or "|".join(_choices(option.type_descriptor.annotation))
    value = "" if option.is_flag or not takes else f" `{takes}`"
    about = _plain(option.help)
    found = DEFAULT.search(about)
    return Option(
        names + value,
        about[: found.start()] if found else about,
        found["value"] if found else _switch(option),
        option.rich_help_panel,
        not option.hidden,
    )


def _choices(annotation: Any) -> list[str]:
    """Give the words of a Literal, also of one that may be left out."""
    parts = get_args(annotation)
    return [word for part in parts for word in ([part] if isinstance(part, str) else _choices(part))]


def _switch(option: Any) -> str:
    return "off" if option.is_flag and not option.secondary_opts else ""


def _plain(text: str | None) -> str:
    """Take the markup for the terminal out of a help."""
    paragraphs = (text or "").split("\n\n")
    return "\n\n".join(" ".join(Text.from_markup(each).plain.split()) for each in paragraphs)


def _table(options: list[Option]) -> str:
    rows = [f"| {each.flags} | {_cell(each.about)} | {_cell(each.default)} |" for each in options]
    return "\n".join(["| option | what it does | default |", "|---|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())
