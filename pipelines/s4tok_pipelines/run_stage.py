"""The four beats of a stage that fills a cache: resume, ask what is missing, make and write, tell the outcome."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from s4tok.shapes import Array
from s4tok_cache import Fingerprint, Sealed, Store
from s4tok_pipelines.report import Failure, Outcome, Report
from s4tok_pipelines.workers import Done

Result = TypeVar("Result")


class Content(NamedTuple):
    """What a cache keeps of an entry."""

    arrays: Mapping[str, Array] | Mapping[str, Sealed]
    attributes: Mapping[str, int | float | str] = {}


@dataclass(frozen=True)
class Work(Generic[Result]):
    """How entries are made, and what is kept of each."""

    text: str  # of the progress: "Cutting clouds"
    make: Callable[[list[str]], Generator[Done[str, Result]]]  # of the keys that are missing, in any order
    keep: Callable[[Result], Content]


def run_stage(store: Store, expected: Mapping[str, Fingerprint], work: Work[Result], report: Report) -> Outcome:
    """Make the entries of this shard that are not in the store, or whose input has changed.

    An entry that cannot be made is a failure, which the next run tries again. What was made before a stop is kept.

    Args:
        store: The stage's cache, just resumed; it is complete and closed afterwards.
        expected: What each entry is made from.
        work: What makes entries.
        report: Who listens.
    """
    began, writing = time.monotonic(), 0.0
    with store:
        missing = store.missing(expected)
        n_mine = len(store.shard.deal({key: each.size for key, each in expected.items()}))
        outcome = Outcome(store.folder, present=n_mine - len(missing))
        with closing(work.make(missing)) as results:
            for done in report.steps(results, work.text, total=n_mine, done=outcome.present):
                if done.result is None:
                    outcome.failures.append(Failure(done.item, done.reason))
                    store.fail(done.item, done.reason, expected[done.item])
                else:
                    content, start = work.keep(done.result), time.monotonic()
                    store.write(done.item, content.arrays, expected[done.item], content.attributes)
                    outcome.made += 1
                    writing += time.monotonic() - start
                share = round(writing / max(time.monotonic() - began, 1e-9), 2)
                report.gauge(failed=float(len(outcome.failures)), share_writing=share)
    outcome.failures.sort(key=lambda failure: failure.key)
    outcome.seconds = time.monotonic() - began
    return outcome
