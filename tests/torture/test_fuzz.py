"""Malformed files of all formats: 20,000 at N=5000, each read or refused within bounds; tests/fuzz makes them."""

from pathlib import Path

from tests.fuzz.malformed import make
from tests.fuzz.test_malformed_files import try_files
from tests.torture.tally import Tally, scaled, seed


def test_malformed_files_are_read_or_refused(memory_path: Path, tally: Tally) -> None:
    counts, problems = try_files(memory_path, make(seed(), scaled(800)))
    tally.seen.update(counts)
    tally.passed = counts["read"] + counts["refused"]
    tally.failures += problems
    tally.settle(at_least=scaled(800))
