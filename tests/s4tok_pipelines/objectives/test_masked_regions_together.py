"""Several processes train both stages of the SAM-guided system at once as one does."""

import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch

from s4tok.config import RegionConfig
from s4tok_pipelines.stages.pretrain import pretrain
from s4tok_pipelines.training.run_folder import read_metrics
from tests.s4tok_pipelines.objectives.test_region_distillation import recipe

LOSSES = ("total", "masked_tokens", "instance", "region")


@pytest.mark.slow
def test_two_processes_train_as_one_does(
    world: Any, tmp_path: Path, python: Callable[..., CompletedProcess[str]]
) -> None:
    config = replace(recipe(world, "masked_regions"), regions=RegionConfig(groups=4, teaching="ema", distil=True))
    pretrain(world.train, world.cache, config, validation=[world.val], out=tmp_path / "one")
    (tmp_path / "world.pickle").write_bytes(pickle.dumps((world.train, world.cache, config, world.val)))
    done = python(
        "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        __file__, tmp_path / "world.pickle", tmp_path / "two",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for kind, count in {"step": 10, "validation": 3}.items():
        one, two = (
            torch.tensor([[row[name] for name in LOSSES] for row in read_metrics(tmp_path / run / "metrics.jsonl")
                          if row["kind"] == kind])
            for run in ("one", "two")
        )  # fmt: skip
        assert len(two) == count
        torch.testing.assert_close(two, one, atol=2e-4, rtol=2e-3)


if __name__ == "__main__":
    clouds, cache, config, validation = pickle.loads(Path(sys.argv[1]).read_bytes())
    pretrain(clouds, cache, config, validation=[validation], out=Path(sys.argv[2]))
