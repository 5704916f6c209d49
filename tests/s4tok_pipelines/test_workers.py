import math
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from operator import truediv
from pathlib import Path

import pytest

from s4tok.dependencies import load
from s4tok.errors import MissingError
from s4tok_pipelines.workers import Done, side_by_side
from tests.running import Run
from tests.s4tok_pipelines.early import environment_at_import

# Workers import what they run by name, so these tests run functions of the standard library.


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_comes_back_with_its_result(workers: int) -> None:
    done = list(side_by_side(math.factorial, range(10), workers))
    assert sorted(done, key=lambda each: each.item) == [Done(n, math.factorial(n)) for n in range(10)]


def test_workers_are_limited_in_threads_before_they_import_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert [done.result for done in side_by_side(environment_at_import, ["OMP_NUM_THREADS"], 1)] == ["1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_each_worker_sees_a_gpu_of_its_own_in_turn() -> None:
    found = {done.result for done in side_by_side(os.getenv, ["CUDA_VISIBLE_DEVICES"] * 20, 2, gpus=["3", "GPU-5"])}
    assert found == {"3", "GPU-5"}


def test_an_error_is_a_failed_item_and_the_rest_goes_on() -> None:
    done = {each.item: each for each in side_by_side(partial(truediv, 1.0), [1, 0, 2], 1)}
    assert done[1].result == 1
    assert done[2].result == 0.5
    assert done[0].reason == "ZeroDivisionError: float division by zero"


def test_the_death_of_a_worker_is_one_failed_item_that_says_how_it_died() -> None:
    harmless, deadly = signal.SIGWINCH, signal.SIGSEGV
    done = list(side_by_side(signal.raise_signal, [harmless, deadly, harmless, deadly, harmless], 2))
    reasons = [each.reason for each in done if each.item == deadly]
    assert reasons == ["its worker process was ended by SIGSEGV."] * 2
    assert [each.reason for each in done if each.item == harmless] == [""] * 3


def test_a_worker_that_leaves_says_with_which_code() -> None:
    assert next(side_by_side(os._exit, [3])).reason == "its worker process ended with exit code 3."


def test_a_worker_killed_from_outside_may_have_met_the_end_of_memory() -> None:
    (done,) = side_by_side(signal.raise_signal, [signal.SIGKILL])
    assert done.reason == "its worker process was ended by SIGKILL, perhaps for want of memory."


def test_what_every_item_would_meet_is_raised() -> None:
    with pytest.raises(MissingError, match="open3d cannot be imported") as caught:
        list(side_by_side(load, ["open3d.no_such_part"], 1))
    assert caught.value.hint


def test_a_run_given_up_half_way_leaves_no_process_behind() -> None:
    results = side_by_side(time.sleep, [0.0, 600.0, 600.0], 2)
    next(results)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 60  # and not the 600 of the items that are left


def test_workers_ignore_the_signals_their_parent_answers() -> None:
    (done,) = side_by_side(signal.raise_signal, [signal.SIGTERM])
    assert done.reason == ""


def test_items_are_taken_only_when_a_worker_is_free() -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    results = side_by_side(math.sqrt, items(), 2)
    next(results)
    assert len(taken) <= 4
    results.close()


UNGUARDED = """
import math
from s4tok_pipelines.workers import side_by_side
print("once")
print([done.result for done in side_by_side(math.sqrt, [4.0])])
"""
OF_ITS_OWN = """
from s4tok_pipelines.workers import side_by_side
def double(number):
    return 2 * number
if __name__ == "__main__":
    print([done.result for done in side_by_side(double, [4.0])])
"""


def test_a_script_is_not_run_again_by_its_workers(python: Run, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(UNGUARDED)
    ran = python("script.py")
    assert (ran.returncode, ran.stdout) == (0, "once\n[2.0]\n"), ran.stderr


def test_a_worker_finds_the_functions_of_a_script(python: Run, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(OF_ITS_OWN)
    ran = python("script.py")
    assert (ran.returncode, ran.stdout) == (0, "[8.0]\n"), ran.stderr
