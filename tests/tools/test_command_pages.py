from typing import Any

import pytest
import typer

from s4tok_cli.app import app, subcommands
from tools.pages.command_pages import command_pages, command_table, options_of

PAGES = command_pages()
WITHOUT_DEFAULT = ("`--room`, `--object`", "`--set` `NAME=VALUE`")  # told by the cloud's size; changes nothing
ROOT_COMMAND: Any = typer.main.get_command(app)


def test_every_subcommand_has_a_page_with_its_examples() -> None:
    assert set(PAGES) == set(ROOT_COMMAND.commands)
    for module in subcommands():
        page = PAGES[module.__name__.rpartition(".")[2].replace("_", "-")]
        assert all(example in page for example in module.EXAMPLES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_every_option_with_its_default_and_no_markup_of_the_terminal(name: str) -> None:
    command = ROOT_COMMAND.commands[name]
    for each in [command, *getattr(command, "commands", {}).values()]:
        for option in options_of(each) if each.params else ():
            assert f"| {option.flags} | " in PAGES[name]
            assert option.about
            assert "\\[" not in option.about
            assert option.default or option.flags in WITHOUT_DEFAULT


def test_defaults_choices_and_what_help_leaves_out_are_told() -> None:
    pretrain = {option.flags.split("`")[1]: option for option in options_of(ROOT_COMMAND.commands["pretrain"])}
    assert pretrain["--epochs"].default == "paper: 300, toy: 30"
    assert "`total|assign|distill`" in pretrain["--loss"].flags
    assert pretrain["--json"].default == "off"
    assert pretrain["--epochs"].is_common
    assert not pretrain["--temperature"].is_common
    dense = next(each for each in options_of(ROOT_COMMAND.commands["extract-clip"]) if "--dense" in each.flags)
    assert "`last|maskclip`" in dense.flags


def test_the_table_of_commands_leads_to_their_pages() -> None:
    assert all(f"(commands/{name}.md)" in command_table() for name in PAGES)
