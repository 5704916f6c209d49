"""Give every torture test its tally, and print all tallies under the last test."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.torture.tally import Tally

TALLIES: pytest.StashKey[list[Tally]] = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder; the hook is told of all there are."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.torture)


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory where there is one: syncing is free there, and power is only lost in a model."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(prefix="torture-", dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    name = request.node.name.removeprefix("test_").replace("_", " ")
    count = Tally(name)
    yield count
    request.config.stash.setdefault(TALLIES, []).append(count)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tallies = config.stash.get(TALLIES, [])
    if tallies:
        terminalreporter.section("torture")
    for count in filter(None, tallies):
        terminalreporter.write_line(str(count))
