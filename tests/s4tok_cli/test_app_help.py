"""What the help of every command promises."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperArgument

from s4tok_cli import commands, options
from s4tok_cli.app import app, subcommands
from tests.running import Run


def every_command(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from every_command(each, (*words, name))
        else:
            yield " ".join((*words, name)), each


COMMANDS = dict(every_command(typer.main.get_command(app)))
HAS_TYPES = hasattr(TyperArgument, "display_type_rich")  # older versions show those of arguments whatever one does
EXAMPLES = [example for module in subcommands() for example in module.EXAMPLES]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help_a_panel_and_its_default(name: str) -> None:
    for option in COMMANDS[name].params:
        if option.param_type_name != "option":
            continue
        assert option.help, option.name
        assert option.rich_help_panel, option.name
        says_its_default = option.help.endswith("]")
        assert says_its_default or option.is_flag or option.name in ("settings", "source_flag"), option.name


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_screen(s4tok: Run, name: str) -> None:
    done = s4tok(*name.split(), "--help", COLUMNS="80")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) <= 60
    assert not HAS_TYPES or not re.search(r"<[a-z]", done.stdout)


def test_panels_stand_in_one_order() -> None:
    order = [options.INPUT, "Labelling", options.MODELS, options.OUTPUT, options.RUNNING]
    found = [option.rich_help_panel for option in COMMANDS["segment"].params if option.param_type_name == "option"]
    assert list(dict.fromkeys(found)) == order


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_options_of_every_example_exist(example: str) -> None:
    words = shlex.split(example)
    name = next(each for each in (" ".join(words[1:3]), words[1]) if each in COMMANDS)
    context = COMMANDS[name].make_context(name, words[1 + len(name.split()) :], resilient_parsing=True)
    assert context.params
    known = {flag for option in COMMANDS[name].params for flag in option.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_command_stands_below_a_heading() -> None:
    assert commands.Panel is not None
    assert {module.PLACE.panel for module in subcommands()} == {"Stages", "Results", "This machine"}
