"""`s4tok reproduce`: a table of the paper, made with one command."""

from typing import Annotated

from typer import Argument

from s4tok.errors import MissingError, choose

TABLES = {"table2": "the effect of tokenization on scenes"}


def reproduce(table: Annotated[str, Argument(help=f"One of: {', '.join(TABLES)}.")]) -> None:
    """Make a table of the paper."""
    choose("table", table, TABLES)
    raise MissingError(
        f"{table} is not built yet: it needs the stages pretrain and segment.",
        "`s4tok --help` lists the stages there are.",
    )
