"""T1: a stage that is told to stop commits what it has in hand, quickly, and says so by its exit code."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.torture.stage import run
from tests.torture.tally import Tally, scaled
from tests.torture.toys import exit_code, expected, faults, in_child

ENTRIES = 3_000  # more than a run gets done
SECONDS_TO_STOP = 5.0


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGUSR1", 143), ("SIGINT", 130)])
def test_what_is_in_hand_is_committed_at(name: str, code: int, tmp_path: Path, tally: Tally) -> None:
    turns = scaled(17)
    for turn in range(turns):
        root, journal, ready = (tmp_path / f"{turn}{what}" for what in ("", ".journal", ".ready"))
        stage = in_child(partial(_stage, root, journal, ready))
        while not ready.exists():
            time.sleep(0.002)
        time.sleep(tally.random.uniform(0, 0.6))
        os.kill(stage, getattr(signal, name))
        start = time.monotonic()
        found = exit_code(stage)
        seconds = time.monotonic() - start
        in_hand = journal.read_text().split("\n")[:-1]
        wrong = faults(root, in_hand, expected(0)) if in_hand else []
        tally.check(
            found == code and seconds < SECONDS_TO_STOP and not wrong, f"exit code {found}, {seconds:.1f} s, {wrong}"
        )
        tally.seen["entries in hand or safe"] += len(in_hand)
    tally.settle(at_least=turns)


def _stage(root: Path, journal: Path, ready: Path) -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that runs the tests behind it has them ignore it
    with journal.open("a", buffering=1) as note:
        return run(root, ENTRIES, ready=ready.touch, written=lambda key: note.write(f"{key}\n"))
