from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from s4tok.tokenizers import sampling
from tests.running import Run


def clouds_of(kind: str, n_points: int) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(n_points)
    xyz, weights = torch.randn(3, n_points, 3, generator=draw), torch.rand(3, n_points, generator=draw)
    if kind == "on a grid":  # many places twice, and equal distances
        xyz, weights = (2 * xyz).round(), torch.ones_like(weights)
    weights[1, n_points // 2 :] = 0  # padding
    return xyz, weights, torch.tensor([0, 1, n_points - 1])


def is_the_loop(
    choose: Callable[..., tuple[Tensor, Tensor]], device: str, kind: str, n_points: int, n_samples: int
) -> bool:
    xyz, weights, first = (each.to(device) for each in clouds_of(kind, n_points))
    chosen, is_chosen = choose(xyz, weights, first, n_samples)
    wanted, is_wanted = sampling._farthest(xyz, weights, first, n_samples)
    return bool(is_chosen.equal(is_wanted) and (chosen == wanted)[is_wanted].all())


INTERPRETED = """
from s4tok.tokenizers.farthest_gpu import farthest
from tests.s4tok.tokenizers.test_farthest_gpu import is_the_loop
for kind in ("scattered", "on a grid"):
    for n_points, n_samples in ((5, 9), (300, 40), (1024, 16)):
        assert is_the_loop(farthest, "cpu", kind, n_points, n_samples), (kind, n_points)
"""


def test_the_kernel_is_the_loop_to_the_bit(python: Run) -> None:
    pytest.importorskip("triton")
    ran = python("-c", INTERPRETED, TRITON_INTERPRET="1")  # needs no GPU
    assert ran.returncode == 0, ran.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["scattered", "on a grid"])
@pytest.mark.parametrize("n_points", [5, 1000, 8192, 16384])
def test_a_gpu_chooses_what_the_loop_chooses(kind: str, n_points: int) -> None:
    from s4tok.tokenizers import farthest_gpu

    assert is_the_loop(farthest_gpu.farthest, "cuda", kind, n_points, 64)
