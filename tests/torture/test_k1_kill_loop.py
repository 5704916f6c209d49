"""K1: kill -9 at random moments, one shard started twice, resumed until the cache is complete."""

import os
import shutil
import signal
import time
from functools import partial
from pathlib import Path

from s4tok_cache.shard import Shard
from tests.torture.tally import Tally, scaled
from tests.torture.toys import exit_code, expected, faults, fill, in_child

ENTRIES = 90
SHARDS = (Shard(0, 2), Shard(1, 2), Shard(1, 2))  # the last two: a requeued task and its ghost


def test_kill_loses_nothing_that_was_done(tmp_path: Path, tally: Tally) -> None:
    kills = scaled(200)
    for build in range(kills):
        faulty = _build(tmp_path / str(build), tally, kills - tally.passed)
        shutil.rmtree(tmp_path / str(build))
        if faulty or tally.passed >= kills:
            break
        tally.seen["complete builds"] += 1
    tally.settle(at_least=kills)


def _build(root: Path, tally: Tally, kills: int) -> bool:
    """Fill one cache, killing and resuming, until it is complete or there were enough kills; tell of any fault."""
    root.mkdir()
    journal_path = root / "journal"
    journal = os.open(journal_path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    killed = 0
    while killed < kills:
        workers = [
            in_child(partial(fill, root, ENTRIES, shard=shard, done=partial(_note, journal))) for shard in SHARDS
        ]
        time.sleep(tally.random.uniform(0.005, 0.12))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        codes = [exit_code(worker) for worker in workers]
        safe = journal_path.read_text().split()
        wrong = faults(root, safe, expected(ENTRIES))
        tally.seen["safe entries read back"] += len(set(safe))
        for code in codes:
            if code == -signal.SIGKILL:
                killed += 1
                tally.check(not wrong, wrong)
            elif code:
                tally.check(False, f"a worker ended with {code}")
        if wrong or codes == [0, 0, 0]:
            break
    os.close(journal)
    return bool(wrong)


def _note(journal: int, keys: list[str]) -> None:
    os.write(journal, "".join(f"{key}\n" for key in keys).encode())
