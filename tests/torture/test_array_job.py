"""A real Slurm array job fills one cache with `--shard auto`, loses a task to SIGKILL, and is resubmitted."""

import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture import slurm
from tests.torture.tally import Tally, is_smoke_test
from tests.torture.toys import expected, faults, fill, packed_digest

ENTRIES = 120
TASKS = 4
VICTIM = 2
GONE = {"CANCELLED", "FAILED", "COMPLETED", "NODE_FAIL", "TIMEOUT"}


@pytest.mark.skipif(is_smoke_test(), reason="starts a Slurm cluster: make torture runs it")
def test_an_array_job_that_lost_a_task_fills_the_cache_when_it_is_resubmitted(tmp_path: Path, tally: Tally) -> None:
    if reason := slurm.why_not():
        pytest.skip(reason)
    sharded, alone = tmp_path / "sharded", tmp_path / "alone"
    script = tmp_path / "job.sh"
    paths = shlex.quote(os.pathsep.join(filter(None, sys.path)))
    command = shlex.join([sys.executable, "-m", "tests.torture.stage", str(sharded), str(ENTRIES), "auto", "0.05"])
    script.write_text(f"#!/bin/sh\n#SBATCH --output={tmp_path}/%A_%a.log\nPYTHONPATH={paths} exec {command}\n")
    (tmp_path / "slurm").mkdir()
    with slurm.one_node(tmp_path / "slurm") as cluster:
        first = cluster.submit(script, f"--array=0-{TASKS - 1}")
        _wait(lambda: cluster.states(first).get(VICTIM) == "RUNNING" and any(sharded.glob("toy-*/stage.json")))
        cluster.run("scancel", "--signal=KILL", "--full", f"{first}_{VICTIM}")
        _wait(lambda: set(cluster.states(first).values()) <= GONE)
        tally.check(cluster.states(first)[VICTIM] != "COMPLETED", "the killed task ended well")
        done = [state for task, state in cluster.states(first).items() if task != VICTIM]
        tally.check(done == ["COMPLETED"] * (TASKS - 1), f"the other tasks are {done}")
        wrong = faults(sharded, [], {})
        tally.check(not wrong, wrong)
        second = cluster.submit(script, f"--array={VICTIM}")
        _wait(lambda: set(cluster.states(second).values()) <= GONE)
        tally.check(cluster.states(second) == {VICTIM: "COMPLETED"}, f"resubmitted: {cluster.states(second)}")
    wrong = faults(sharded, expected(ENTRIES), expected(ENTRIES))
    tally.check(not wrong, wrong)
    fill(alone, ENTRIES)
    tally.check(packed_digest(sharded) == packed_digest(alone), "packed bytes differ from the unsharded run's")
    tally.settle(at_least=6)


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.3)
