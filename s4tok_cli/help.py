"""Help that says what a word or switch is by its name and sentence, and leaves the types of Python out."""

from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command with such a help."""

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Print the help."""
        for each in self.params:
            _leave_type_out(each)
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group of commands with such a help."""

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Print the help."""
        for each in self.get_params(ctx):
            _leave_type_out(each)
        super().format_help(ctx, formatter)


def _leave_type_out(parameter: Any) -> None:
    if isinstance(parameter, TyperArgument):
        vars(parameter)["display_type_rich"] = _no_type
    elif parameter.is_flag:
        parameter.metavar = ""


def _no_type(ctx: typer.Context) -> None:
    return None
