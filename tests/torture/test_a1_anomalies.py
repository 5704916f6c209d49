"""A1: answer every call to the file system, one after the other, with every error a disk can give."""

import itertools
from pathlib import Path

import pytest

from tests.torture.faults import ANOMALIES, Failing
from tests.torture.tally import Tally, is_smoke_test
from tests.torture.toys import STAMP, expected, faults, fill

ENTRIES = 9


@pytest.mark.parametrize("anomaly", ANOMALIES)
def test_a_call_that_fails_with(anomaly: str, memory_path: Path, tally: Tally) -> None:
    wanted = expected(ENTRIES)
    for k in itertools.count(tally.random.randrange(8), 8 if is_smoke_test() else 1):
        root, safe = memory_path / str(k), list[str]()
        files = Failing(k, anomaly)
        complaint: OSError | None = None
        try:
            fill(root, ENTRIES, files=files, every=3, done=safe.extend)
        except OSError as error:
            complaint = error
        if not files.struck:
            break
        tally.seen["complaints"] += complaint is not None
        where = f"{files.struck} {k}"
        tally.check(complaint is None or complaint.filename is not None, f"{where}: {complaint!r} names no file")
        wrong = faults(root, safe, wanted) if (root / STAMP.folder).exists() else []
        tally.check(not wrong, f"{where}: {wrong}")
        fill(root, ENTRIES)
        wrong = faults(root, wanted, wanted)
        tally.check(not wrong, f"{where}, run again: {wrong}")
        litter = sorted(path.name for path in (root / STAMP.folder).glob(".*.tmp"))
        tally.check(not litter or files.struck in ("unlink", "open", "close"), f"{where} left {litter}")
    tally.settle(at_least=20 if is_smoke_test() else 100)
