"""T1, line by line: a stop that comes up at any line of Python while entries are written leaves all of them durable.

A run executes some 9,000 lines, most of them over and over. What counts is where it stops: each line, h5py's and those
it has called included, with the line that called it.
"""

import shutil
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from s4tok_cache import Store
from s4tok_pipelines.runtime import Stopped
from tests.torture.tally import Tally, scaled
from tests.torture.toys import STAMP, TOY, exit_code, expected, faults, in_child, write

ENTRIES = 3
LATE = 7  # the stop came after the work, or Python dropped it


def work(root: Path, journal: Path, k: int) -> int:
    """Write and commit, stopped at the k-th line from the first entry on; note what `write` has taken in."""
    places: list[str] = []

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        del argument
        if frame.f_code is Store.__exit__.__code__:  # before its first line is done, only the caller could commit
            return None
        if event == "line":
            caller = frame.f_back
            places.append(f"{frame.f_code.co_filename}:{frame.f_lineno} {caller and caller.f_lineno}")
            if len(places) == k:
                sys.settrace(None)
                raise Stopped(15)
        return trace

    wanted = expected(ENTRIES)
    with journal.open("a", buffering=1) as note:
        try:
            with Store.resume(root, TOY, STAMP) as store:
                sys.settrace(trace)
                for key in wanted:
                    write(store, key, wanted[key])
                    note.write(f"{key}\n")
                store.commit()
                sys.settrace(None)
        except Stopped:
            return 0
    journal.with_suffix(".places").write_text("\n".join(places))
    return LATE


def test_a_stop_at_any_line_of_python_loses_nothing_that_was_taken_in(memory_path: Path, tally: Tally) -> None:
    places = _places(memory_path)
    first = {place: len(places) - number for number, place in enumerate(reversed(places))}
    n_stops = min(scaled(500), len(first))
    for k in sorted(tally.random.sample(sorted(first.values()), n_stops)):
        root, journal = memory_path / str(k), memory_path / f"{k}.journal"
        code = exit_code(in_child(partial(work, root, journal, k)))
        in_hand = journal.read_text().split()
        wrong = faults(root, in_hand, expected(0))
        tally.check(code in (0, LATE) and not wrong, f"{places[k - 1]}: it ended with {code}: {wrong}")
        tally.seen["stops that Python dropped"] += code == LATE
        shutil.rmtree(root)
    tally.settle(at_least=n_stops)


def _places(folder: Path) -> list[str]:
    """List the lines that a run executes which is not stopped, in order."""
    code = exit_code(in_child(partial(work, folder / "whole", folder / "whole.journal", 0)))
    assert code == LATE
    return (folder / "whole.places").read_text().split("\n")
