"""How a stage tells of its progress to whoever listens, and of its outcome to whoever called."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from s4tok.errors import InputError

Item = TypeVar("Item")


class Report:
    """Listen to a stage and say nothing. The command line passes a listener that talks."""

    def steps(self, items: Iterable[Item], text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        """Hand the items on, one at a time, and tell how far the work is.

        `total` is needed where `items` has no length; `done` counts what an earlier run has finished of it.
        """
        yield from items

    def gauge(self, **figures: float) -> None:
        """Set figures that stand beside the progress, such as `failed` or points per second."""

    def note(self, text: str) -> None:
        """Say something worth knowing."""

    def warn(self, text: str) -> None:
        """Say something that may need the user's attention."""


silent = Report()


@dataclass(frozen=True)
class Failure:
    """An entry that could not be made, and why."""

    key: str
    reason: str


def all_failed(failures: Sequence[Failure], done: str) -> InputError:
    """Say why nothing was done: of a single cloud its reason, of several how many there are and the first's."""
    reason = failures[0].reason
    return InputError(reason if len(failures) == 1 else f"none of {len(failures)} clouds can be {done}: {reason}")


@dataclass
class Outcome:
    """What a stage did: entries it made, found made already, and could not make."""

    out: Path
    made: int = 0
    present: int = 0
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)  # the stage's own counts, by plain names


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Join what a stage did with objects and with rooms; figures are those of all where there is but one."""
    if len(outcomes) == 1:
        return outcomes[0]
    failures = sorted((each for one in outcomes for each in one.failures), key=lambda failure: failure.key)
    made, present = sum(one.made for one in outcomes), sum(one.present for one in outcomes)
    return Outcome(outcomes[0].out, made, present, failures, sum(one.seconds for one in outcomes))
