import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s4tok_pipelines.pretrain import pretrain
from s4tok_pipelines.run_folder import read_metrics
from s4tok_pipelines.runtime import Stopped, stoppable


def started(pickled: Path, out: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, str(pickled), str(out)], env=environment)


def wait_for(out: Path, step: int) -> None:
    """Wait until a run has come so far."""
    until = time.monotonic() + 100
    while time.monotonic() < until:
        if any(row["step"] >= step for row in read_metrics(out / "metrics.jsonl")):
            return
        time.sleep(0.002)
    raise AssertionError("the run does not get anywhere")


def test_a_run_that_is_told_to_stop_and_then_killed_ends_with_the_bits_of_one_that_was_not(
    world: Any, tmp_path: Path, environment: Callable[..., dict[str, str]]
) -> None:
    config = world.config(epochs=12, batch=11)  # epochs of two steps
    whole, out, pickled = tmp_path / "whole", tmp_path / "run", tmp_path / "world.pickle"
    pretrain(world.train, world.cache, config, validation=world.val, out=whole)
    pickled.write_bytes(pickle.dumps((world.train, world.cache, config, world.val)))

    process = started(pickled, out, environment())
    wait_for(out, 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    stopped_at = read_metrics(out / "metrics.jsonl")[-1]["step"]
    assert 3 <= stopped_at < 24
    assert f"stopped after step {stopped_at}, which is saved" in (out / "log.txt").read_text()

    process = started(pickled, out, environment())
    wait_for(out, stopped_at + 3)
    process.kill()
    process.wait()

    process = started(pickled, out, environment())
    assert process.wait() == 0
    for name in ("tokenizer.safetensors", "training.safetensors"):
        assert (out / "ckpt" / "last" / name).read_bytes() == (whole / "ckpt" / "last" / name).read_bytes()
    assert read_metrics(out / "metrics.jsonl") == read_metrics(whole / "metrics.jsonl")


if __name__ == "__main__":
    clouds, cache, recipe, validation = pickle.loads(Path(sys.argv[1]).read_bytes())
    try:
        with stoppable():
            pretrain(clouds, cache, recipe, validation=validation, out=Path(sys.argv[2]), resume=True)
    except Stopped:
        sys.exit(143)
