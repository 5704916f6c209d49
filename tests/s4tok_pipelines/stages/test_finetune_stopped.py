import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch

from s4tok.config import FinetuneConfig, FinetuneRecipe, HeadConfig, TokenizerConfig
from s4tok_pipelines.stages.finetune import finetune
from s4tok_pipelines.training.run_folder import read_metrics


def recipe(world: Any) -> FinetuneRecipe:
    training = FinetuneConfig(batch=4, epochs=3, draws=2, learning_rate=3e-3, train="all", rotate=90.0, jitter=0.01)
    tokenizer = TokenizerConfig(n_points=150, n_tokens=12, patch_size=8, adapter_widths=(8, 16, 16))
    head = HeadConfig(head_widths=(16, 16, 16, 8))
    return FinetuneRecipe(training, head, tokenizer, task="parts", checkpoint="none", clip=world.clip)


def test_a_run_that_is_killed_and_resumed_ends_with_the_bits_of_one_that_was_not(
    world: Any, tmp_path: Path, python: Callable[..., CompletedProcess[str]]
) -> None:
    (tmp_path / "world.pickle").write_bytes(pickle.dumps((world.train, world.cache, recipe(world), world.val)))
    done = python(__file__, tmp_path)
    assert done.returncode == 0, done.stderr
    whole, out = tmp_path / "whole", tmp_path / "run"
    for name in ("model.safetensors", "training.safetensors"):
        assert (out / "ckpt" / "last" / name).read_bytes() == (whole / "ckpt" / "last" / name).read_bytes()
    assert read_metrics(out / "metrics.jsonl") == read_metrics(whole / "metrics.jsonl")
    assert 6 <= int(done.stdout) < 15


@pytest.mark.slow
def test_two_processes_train_as_one_does(
    world: Any, tmp_path: Path, python: Callable[..., CompletedProcess[str]]
) -> None:
    config = replace(recipe(world), training=replace(recipe(world).training, epochs=2))
    finetune(world.train, world.cache, config, validation=[world.val], out=tmp_path / "one")
    (tmp_path / "world.pickle").write_bytes(pickle.dumps((world.train, world.cache, config, world.val)))
    done = python(
        "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, tmp_path, tmp_path / "two"
    )
    assert done.returncode == 0, done.stderr
    # AdamW makes whole steps of what rounding leaves of a gradient that is zero, and running statistics remember them.
    columns = {"step": (("total", "accuracy"), 1e-4), "validation": (("total", "accuracy", "miou_i"), 2e-3)}
    for kind, (names, rounding) in columns.items():
        one, two = (
            torch.tensor([[row[name] for name in names] for row in read_metrics(tmp_path / run / "metrics.jsonl")
                          if row["kind"] == kind])
            for run in ("one", "two")
        )  # fmt: skip
        torch.testing.assert_close(two, one, atol=rounding, rtol=0)


def trained(folder: Path, out: Path) -> None:
    clouds, cache, config, validation = pickle.loads((folder / "world.pickle").read_bytes())
    finetune(clouds, cache, config, validation=[validation], out=out, resume=True)


def started(folder: Path, out: Path) -> int:
    """Train in a process of its own."""
    process = os.fork()
    if not process:
        trained(folder, out)
        os._exit(0)
    return process


def reached(out: Path) -> int:
    return max((int(row["step"]) for row in read_metrics(out / "metrics.jsonl")), default=0)


def kill_and_go_on(folder: Path) -> int:
    from s4tok.vision.frozen_clip import FrozenClip

    FrozenClip.load(pickle.loads((folder / "world.pickle").read_bytes())[2].clip)  # imports what all runs need
    assert os.waitpid(started(folder, folder / "whole"), 0)[1] == 0
    out = folder / "run"
    process = started(folder, out)
    while reached(out) < 6:
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    killed_at = reached(out)
    assert os.waitpid(started(folder, out), 0)[1] == 0
    return killed_at


if __name__ == "__main__":
    if len(sys.argv) > 2:
        trained(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        sys.stdout.write(str(kill_and_go_on(Path(sys.argv[1]))))
