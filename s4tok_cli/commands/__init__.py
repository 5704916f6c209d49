"""The subcommands of `s4tok`: `app.py` takes whatever lies here.

Each is a module with its `PLACE` in the help, `EXAMPLES` for its end, and a function of its own name; or, for a group
such as `cache`, with what it is `ABOUT` and its `FUNCTIONS`.
"""

from typing import Literal, NamedTuple, TypeAlias

Panel: TypeAlias = Literal["Stages", "Results", "This machine"]  # the headings of `s4tok --help`, in this order


class Place(NamedTuple):
    """Where `s4tok --help` lists a subcommand."""

    panel: Panel
    number: int  # below its heading, which lists small ones first
