"""The only place that prints: results on stdout, everything else on stderr.

Rich is imported when something is shown, so that scripts that read `--json` and `--help` stay quick. Text from
outside (paths, keys, messages) is printed as it is, never read as markup.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import typer

from s4tok.counted import counted
from s4tok_pipelines.report import Failure, Item, Outcome, Report

if TYPE_CHECKING:
    from rich.console import Console

SOME_FAILED = 3
LINE_EVERY = 30.0  # seconds between log lines where there is no terminal
LINE_AT_MOST_EVERY = 1.0  # however fast the tenths go by
SHOWN_FAILURES = 10


class Settings:
    """What the user asked to see; set once, before a command runs."""

    json = False
    level = 0  # -1 quiet, 0 as usual, 1 verbose
    debug = False


class ReaderGone(Exception):
    """Whoever read our standard output has closed it, as `head` does."""


def result(text: str) -> None:
    """Print a result for a person; with `--json` the object printed at the end says it instead."""
    if not Settings.json:
        _print(text)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a result as a table: names on the left, figures on the right, all of it however narrow the screen."""
    if Settings.json:
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns):
        figures = number > 0 and number < len(columns) - 1
        shown.add_column(_plain(column), justify="right" if figures else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*map(_plain, row))
    screen = Console(highlight=False)
    if not screen.is_terminal:
        screen.width = 10_000  # a file has no margin
    with screen.capture() as drawn:
        screen.print(shown)
    _print("\n".join(line.rstrip() for line in drawn.get().splitlines()).strip("\n"))


def finish(facts: Mapping[str, object], failures: Sequence[Failure] = ()) -> None:
    """End a command: print its one JSON object where asked for, and exit 3 when entries have failed."""
    if Settings.json:
        listed = [{"key": failure.key, "reason": failure.reason} for failure in failures]
        _print(json.dumps({**facts, "failures": listed}, default=str))
    if failures:
        for failure in failures[:SHOWN_FAILURES]:
            warn(f"{failure.key}: {failure.reason}")
        if len(failures) > SHOWN_FAILURES:
            warn(f"... and {len(failures) - SHOWN_FAILURES} more; --json lists all")
        raise typer.Exit(SOME_FAILED)


def finish_stage(sentence: str, outcome: Outcome) -> None:
    """End a stage with its one line: what was made, what was there, what failed, and where it lies."""
    noun, _, rest = sentence.partition(" ")
    parts = [f"{outcome.made} {noun.removesuffix('s') if outcome.made == 1 else noun} {rest}"]
    if outcome.present:
        parts.append(f"{outcome.present} there already")
    if outcome.failures:
        parts.append(f"{len(outcome.failures)} failed")
    result(f"{', '.join(parts)}: {outcome.out}")
    facts = {
        "made": outcome.made,
        "present": outcome.present,
        "failed": len(outcome.failures),
        "out": str(outcome.out),
        "seconds": round(outcome.seconds, 3),
        **outcome.figures,
    }
    finish(facts, outcome.failures)


def finish_training(outcome: Outcome) -> None:
    """End a training with its one line: how many steps were made, where they lie, and how good it was at its best."""
    best = outcome.figures.get("validation")
    result(f"{counted(outcome.made, 'step')} trained: {outcome.out}{'' if best is None else f', best {best:.1%}'}")
    facts = {"made": outcome.made, "present": outcome.present, "out": str(outcome.out)}
    finish({**facts, "seconds": round(outcome.seconds, 3), **outcome.figures})


def error(message: str, hint: str, code: int) -> None:
    """Say what went wrong and the way out; with `--json` as an object too."""
    _stderr().print(f"[bold red]error:[/] {_plain(message)}", soft_wrap=True)
    if hint:
        _stderr().print(f"[bold]hint:[/] {_plain(hint)}", soft_wrap=True)
    if Settings.json:
        _print(json.dumps({"error": message, "hint": hint, "exit_code": code}))


def note(text: str) -> None:
    """Say something worth knowing, unless the user wants quiet."""
    if Settings.level >= 0:
        _stderr().print(_plain(text), soft_wrap=True)


def detail(text: str) -> None:
    """Say something only `-v` shows."""
    if Settings.level >= 1:
        _stderr().print(_plain(text), style="dim", soft_wrap=True)


def warn(text: str) -> None:
    """Say something that may need attention."""
    _stderr().print(f"[yellow]warning:[/] {_plain(text)}", soft_wrap=True)


class Progress(Report):
    """Show a stage's progress: a bar on a terminal, otherwise a line every 30 seconds and at every tenth."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        """Hand the items on and show how far the work is."""
        if total is None:
            total = len(items) + done if isinstance(items, Sequence) else None
        self.figures = {}
        if Settings.level < 0:
            yield from items
        elif _stderr().is_terminal and not _stderr().is_dumb_terminal:
            yield from self._bar(items, text, total, done)
        else:
            yield from self._lines(items, text, total, done)

    def gauge(self, **figures: float) -> None:
        """Keep figures to be shown beside the progress."""
        self.figures.update(figures)

    def note(self, text: str) -> None:
        """Print above the bar."""
        note(text)

    def warn(self, text: str) -> None:
        """Print above the bar."""
        warn(text)

    def _bar(self, items: Iterable[Item], text: str, total: int | None, done: int) -> Iterator[Item]:
        from rich import progress
        from rich.console import RenderableType
        from rich.text import Text

        figures = self._figures

        class Bar(progress.Progress):
            def get_renderables(self) -> Iterable[RenderableType]:
                """Draw the bar, and the figures below it, so that neither takes the other's place."""
                yield self.make_tasks_table(self.tasks)
                if shown := figures():
                    yield Text(shown.strip(), style="dim", no_wrap=True, overflow="ellipsis")

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Bar(*columns, console=_stderr()) as bar:
            task = bar.add_task(_plain(text), total=total, completed=done, rate="")
            start = time.monotonic()
            for count, item in enumerate(items, 1):
                yield item
                bar.update(task, completed=done + count, rate=_rate(count, start))

    def _lines(self, items: Iterable[Item], text: str, total: int | None, done: int) -> Iterator[Item]:
        start = last = time.monotonic()
        tenth = 10 * done // total if total else 0
        for count, item in enumerate(items, 1):
            yield item
            now, reached = time.monotonic(), done + count
            passed_tenth = total is not None and 10 * reached // total > tenth
            if (passed_tenth and now - last >= LINE_AT_MOST_EVERY) or now - last >= LINE_EVERY or reached == total:
                last = now
                share, eta = "", ""
                if total:
                    tenth = 10 * reached // total
                    share = f"/{total} {100 * reached / total:.1f}%"
                    eta = f" eta {_clock((total - reached) * (now - start) / count)}"
                _stderr().print(
                    _plain(f"{text} {reached}{share} {_rate(count, start)}{eta}{self._figures()}"), soft_wrap=True
                )

    def _figures(self) -> str:
        shown = {name.replace("_", " "): f"{value:,.5g}" for name, value in self.figures.items() if value}
        return "".join(
            f"  {value} {name}" if name.endswith("per second") else f"  {name} {value}" for name, value in shown.items()
        )


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at exit
        if isinstance(error, BrokenPipeError):
            raise ReaderGone from error
        raise OSError(error.errno, error.strerror, "standard output") from error


def _rate(count: int, start: float) -> str:
    each = max(time.monotonic() - start, 1e-9) / count
    return f"{1 / each:.1f}/s" if each < 1 else f"{each:.1f} s each"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@cache
def _stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
