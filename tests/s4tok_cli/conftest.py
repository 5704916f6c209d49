"""A command of a test's own."""

from collections.abc import Callable
from functools import partial

import pytest

from s4tok_cli import app as cli
from tests.running import Run

Added = Callable[[Callable[..., None]], Run]


@pytest.fixture
def added(s4tok: Run, monkeypatch: pytest.MonkeyPatch) -> Added:
    """Add a command for the length of a test, and run it: `added(probe)("x", "--json")`."""

    def add(command: Callable[..., None]) -> Run:
        monkeypatch.setattr(cli.app, "registered_commands", [*cli.app.registered_commands])
        cli._add(command, "Tests")
        return partial(s4tok, command.__name__)

    return add
