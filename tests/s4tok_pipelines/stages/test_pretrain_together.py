import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch

from s4tok.errors import UsageError
from s4tok_pipelines.report import Item, Report
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.run_folder import read_metrics

LOSSES = ("total", "assign", "local", "difference", "global")


class Fails(Report):
    """A process that is killed in its seventh step, the first time it gets there."""

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
        for number, item in enumerate(items):
            if text == "Training" and number == 6 and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
                os.kill(os.getpid(), signal.SIGKILL)
            yield item

    def note(self, text: str) -> None:
        sys.stdout.write(f"said: {text}\n")


@pytest.mark.slow
def test_two_processes_one_killed_and_started_again_train_as_one_does(
    world: Any, tmp_path: Path, python: Callable[..., CompletedProcess[str]]
) -> None:
    config = world.config(learning_rate=1e-3, epochs=2, center_targets=True, difference_weight=0.5, optimizer="muon")
    pretrain(world.train, world.cache, config, validation=[world.val], out=tmp_path / "one")
    (tmp_path / "world.pickle").write_bytes(pickle.dumps((world.train, world.cache, config, world.val)))
    done = python(
        "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1",
        __file__, tmp_path / "world.pickle", tmp_path / "two",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "from step 5" in done.stdout  # the last epoch's end before the seventh step
    assert done.stdout.count("patches hold") == 1  # the first process alone says it
    one, two = (
        torch.tensor([[row[name] for name in LOSSES] for row in read_metrics(tmp_path / run / "metrics.jsonl")
                      if row["kind"] == "step"])
        for run in ("one", "two")
    )  # fmt: skip
    assert len(two) == 10
    torch.testing.assert_close(two, one, atol=1e-5, rtol=0)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="a batch of 4 clouds cannot be shared by 3 processes"):
        pretrain(world.train, world.cache, world.config())


if __name__ == "__main__":
    clouds, cache, config, validation = pickle.loads(Path(sys.argv[1]).read_bytes())
    out = Path(sys.argv[2])
    pretrain(clouds, cache, config, validation=[validation], out=out, overwrite=True, report=Fails())
