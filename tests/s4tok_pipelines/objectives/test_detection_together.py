"""Several processes train a detector as one does, and a GPU as a CPU."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch

from s4tok.config import FinetuneRecipe
from s4tok_pipelines.stages.finetune import finetune
from s4tok_pipelines.training.run_folder import read_metrics
from tests.s4tok_pipelines.stages.test_detect import Blocks, small

# AdamW makes whole steps of what rounding leaves of a gradient that is zero.
ROUNDING = {"step": 2e-3, "validation": 2e-2}
BOTH: tuple[Any, Any] = ("3detr", "groupfree")


def recipe(decoder: Any, **changes: Any) -> FinetuneRecipe:
    made = small(batch=4, epochs=3, optimizer="muon")
    return replace(made, detector=replace(made.detector, decoder=decoder, **changes))


def trained(decoder: Any, folder: Path, name: str, device: str = "cpu", **changes: Any) -> None:
    data, held = Blocks(counts=(3, 5, 0, 2, 4, 1, 3, 2)), [Blocks("val", (3, 2))]
    out = folder / f"{name}-{decoder}"
    finetune(data, folder / "cache", recipe(decoder, **changes), validation=held, out=out, device=device)


def figures(run: Path, kind: str) -> torch.Tensor:
    rows = [row for row in read_metrics(run / "metrics.jsonl") if row["kind"] == kind]
    names = sorted(set(rows[0]) - {"kind", "ap25", "ap50", "gradient", "recognised"})
    return torch.tensor([[row[name] for name in names] for row in rows])


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path: Path, python: Callable[..., CompletedProcess[str]]) -> None:
    for decoder in BOTH:
        trained(decoder, tmp_path, "one")
    done = python("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, tmp_path)
    assert done.returncode == 0, done.stderr
    for decoder in BOTH:
        for kind, rounding in ROUNDING.items():
            one, two = (figures(tmp_path / f"{name}-{decoder}", kind) for name in ("one", "two"))
            assert len(one) == {"step": 6, "validation": 4}[kind]
            torch.testing.assert_close(two[:1], one[:1], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(two, one, atol=rounding, rtol=rounding)


@pytest.mark.gpu
@pytest.mark.parametrize("decoder", BOTH)
def test_a_gpu_trains_as_a_cpu_does_up_to_its_precision(decoder: Any, tmp_path: Path) -> None:
    for device in ("cpu", "cuda"):  # where tokens are as likely on a thing, precision would choose among them
        trained(decoder, tmp_path, device, device, query_points="farthest")
    cpu, cuda = (figures(tmp_path / f"{device}-{decoder}", "validation") for device in ("cpu", "cuda"))
    assert cuda.isfinite().all()
    torch.testing.assert_close(cuda[0], cpu[0], atol=0.05, rtol=0.05)  # bfloat16, before the first step


if __name__ == "__main__":
    for each in BOTH:
        trained(each, Path(sys.argv[1]), "two")
