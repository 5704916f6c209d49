import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from s4tok_cli import console
from tests.running import environment

Lines = Callable[[int, float], list[str]]


def work() -> None:
    """Do the second half of forty steps."""
    progress = console.Progress()
    for step in progress.steps(list(range(20)), "cutting [red]", done=20):
        progress.gauge(failed=step // 10, points_per_second=1234.5)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lines:
    """Give the lines that progress prints at a level of `-v` and `-q`, at most one every so many seconds."""

    def run(level: int, at_most_every: float) -> list[str]:
        monkeypatch.setattr(console.Settings, "level", level)
        monkeypatch.setattr(console, "LINE_AT_MOST_EVERY", at_most_every)
        work()
        said = capsys.readouterr()
        assert said.out == ""
        return said.err.splitlines()

    return run


def test_without_a_terminal_progress_is_a_line_at_every_tenth(lines: Lines) -> None:
    told = lines(0, 0)
    assert [line.split()[2] for line in told] == ["24/40", "28/40", "32/40", "36/40", "40/40"]
    assert told[-1].startswith("cutting [red] 40/40 100.0% ")
    assert told[-1].endswith("eta 0:00:00  failed 1  1,234.5 points per second")


def test_quick_work_tells_only_that_it_is_done(lines: Lines) -> None:
    assert [line.split()[2] for line in lines(0, 60)] == ["40/40"]


def test_quiet_is_quiet(lines: Lines) -> None:
    assert lines(-1, 0) == []


def test_on_a_terminal_progress_is_a_bar() -> None:
    mine, theirs = pty.openpty()
    command = [sys.executable, "-c", "from tests.s4tok_cli.test_console import work; work()"]
    env = environment(TERM="xterm", COLUMNS="80")
    with subprocess.Popen(command, env=env, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(mine, 4096):
                shown += piece
        except OSError:  # the other end is closed
            pass
        process.wait(timeout=60)
    text = shown.decode()
    assert "40/40" in text
    assert "━" in text
    assert "24/40 60.0%" not in text
    assert re.search(r"1,234.5 points per second", text)  # below the bar, which keeps step, total, rate and time left
