import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from s4tok.config import Speedups
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.run_folder import read_metrics

FEW = 3


class Killed(Exception):
    """The end of a run."""


class Dies(Report):
    """A run that is ended after its first epoch and a step."""

    def steps(self, items: Any, text: str, total: int | None = None, done: int = 0) -> Any:
        for number, item in enumerate(items):
            if text == "Training" and number == FEW:
                raise Killed
            yield item


@pytest.mark.slow
def test_a_compiled_run_has_the_losses_of_one_that_is_not_and_goes_on_without(
    world: Any, tmp_path: Path, python: Callable[..., CompletedProcess[str]]
) -> None:
    """In a process of its own: here, types are checked, which cannot be compiled."""
    config = world.config(epochs=4, batch=11)  # of two steps each
    (tmp_path / "world.pickle").write_bytes(pickle.dumps((world.train, world.cache, config, world.val)))
    done = python(__file__, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "graph break" not in done.stderr
    plain, compiled = (read_metrics(tmp_path / name / "metrics.jsonl") for name in ("plain", "compiled"))
    assert [row["step"] for row in compiled] == [row["step"] for row in plain]
    for one, other in zip(plain, compiled, strict=True):
        assert other["total"] == pytest.approx(one["total"], rel=1e-3)
    assert (tmp_path / "plain" / "config.toml").read_bytes() == (tmp_path / "compiled" / "config.toml").read_bytes()


def train_both(folder: Path) -> None:
    import torch

    clouds, cache, config, validation = pickle.loads((folder / "world.pickle").read_bytes())
    pretrain(clouds, cache, config, validation=[validation], out=folder / "plain")
    try:
        pretrain(
            clouds, cache, config, validation=[validation], out=folder / "compiled", report=Dies(),
            speedups=Speedups(compile=True, tf32=True),
        )  # fmt: skip
    except Killed:
        pretrain(clouds, cache, config, validation=[validation], out=folder / "compiled", resume=True)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"], "nothing was compiled"
    assert not torch._dynamo.utils.counters["graph_break"]


if __name__ == "__main__":
    train_both(Path(sys.argv[1]))
