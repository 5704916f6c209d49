import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from s4tok_pipelines.runtime import Stopped, stoppable
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.run_folder import read_metrics

TRAINED = ("model.safetensors", "training.safetensors")


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_that_is_told_to_stop_and_then_killed_ends_with_the_bits_of_one_that_was_not(
    world: Any, tmp_path: Path, optimizer: str, python: Callable[..., CompletedProcess[str]]
) -> None:
    """One process forks every run: loading PyTorch and CLIP's library takes longer than they do."""
    config = world.config(epochs=8, batch=11, optimizer=optimizer)  # of two steps each
    (tmp_path / "world.pickle").write_bytes(pickle.dumps((world.train, world.cache, config, world.val)))
    done = python(__file__, tmp_path)
    assert done.returncode == 0, done.stderr
    whole, out = tmp_path / "whole", tmp_path / "run"
    for name in TRAINED:
        assert (out / "ckpt" / "last" / name).read_bytes() == (whole / "ckpt" / "last" / name).read_bytes()
    assert read_metrics(out / "metrics.jsonl") == read_metrics(whole / "metrics.jsonl")
    stopped_at, killed_at = map(int, done.stdout.split())
    assert 3 <= stopped_at < killed_at < 16
    assert f"stopped after step {stopped_at}, which is saved" in (out / "log.txt").read_text()


def started(folder: Path, out: Path) -> int:
    """Train in a process of its own."""
    process = os.fork()
    if process:
        return process
    clouds, cache, config, validation = pickle.loads((folder / "world.pickle").read_bytes())
    try:
        with stoppable():
            pretrain(clouds, cache, config, validation=[validation], out=out, resume=True)
        os._exit(0)
    except Stopped:
        os._exit(143)


def reached(out: Path) -> int:
    return max((int(row["step"]) for row in read_metrics(out / "metrics.jsonl")), default=0)


def ended(process: int, out: Path, step: int, signum: int) -> int:
    """Send a signal to a run that has come so far, and tell how it ended."""
    while reached(out) < step:
        time.sleep(0.002)
    os.kill(process, signum)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def stop_and_go(folder: Path) -> tuple[int, int]:
    from s4tok.vision.frozen_clip import FrozenClip

    FrozenClip.load(pickle.loads((folder / "world.pickle").read_bytes())[2].clip.model)  # imports what all runs need
    assert os.waitpid(started(folder, folder / "whole"), 0)[1] == 0
    out = folder / "run"
    assert ended(started(folder, out), out, 3, signal.SIGTERM) == 143
    stopped_at = reached(out)
    assert ended(started(folder, out), out, stopped_at + 3, signal.SIGKILL) == -signal.SIGKILL
    killed_at = reached(out)
    assert os.waitpid(started(folder, out), 0)[1] == 0
    return stopped_at, killed_at


if __name__ == "__main__":
    sys.stdout.write("{} {}".format(*stop_and_go(Path(sys.argv[1]))))
