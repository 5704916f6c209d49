import numpy as np
import pytest
import torch

from s4tok.losses.sinkhorn import sinkhorn
from s4tok.shapes import Array


def slow_sinkhorn(scores: Array, admissible: Array, epsilon: float, iterations: int) -> Array:
    """Scale rows and columns in turn, without logarithms, one row and column at a time in float64."""
    plan = np.where(admissible, np.exp(scores / epsilon), 0.0)
    rows, columns = admissible.any(1).sum(), admissible.any(0).sum()

    def scale_rows() -> None:
        for row in plan:
            if row.sum() > 0:
                row /= row.sum()

    scale_rows()
    for _ in range(iterations):
        for column in plan.T:
            if column.sum() > 0:
                column *= rows / columns / column.sum()
        scale_rows()
    return plan


@pytest.mark.parametrize("seed", range(4))
def test_transport_is_its_slow_twin_on_masked_support(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    scores = torch.rand(3, 20, 6, generator=draw, dtype=torch.float64) * 2 - 1
    admissible = torch.rand(3, 20, 6, generator=draw) < 0.3
    admissible[0, :, 2] = False  # a cluster nobody may join
    admissible[1, 4:9] = False  # tokens that may join none
    found = sinkhorn(scores, admissible, 0.05, 5)
    for cloud in range(3):
        expected = slow_sinkhorn(scores[cloud].numpy(), admissible[cloud].numpy(), 0.05, 5)
        np.testing.assert_allclose(found[cloud].numpy(), expected, atol=1e-9)


def test_on_full_support_it_converges_to_the_optimal_transport_plan() -> None:
    """What many iterations reach has both marginals, and the form diag(u) exp(S / epsilon) diag(v)."""
    scores = torch.rand(1, 12, 5, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    plan = sinkhorn(scores, torch.ones(1, 12, 5, dtype=torch.bool), 0.1, 2000)[0]
    torch.testing.assert_close(plan.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(plan.sum(0), torch.full((5,), 12 / 5, dtype=torch.float64))
    scaling = plan.log() - scores[0] / 0.1
    residue = scaling - scaling.mean(0) - scaling.mean(1, keepdim=True) + scaling.mean()
    assert residue.abs().max() < 1e-9


def test_it_is_the_plan_that_pot_finds() -> None:
    ot = pytest.importorskip("ot", reason="POT is not installed")
    scores = torch.rand(1, 12, 5, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    plan = sinkhorn(scores, torch.ones(1, 12, 5, dtype=torch.bool), 0.05, 3000)[0]
    expected = ot.sinkhorn(np.full(12, 1 / 12), np.full(5, 1 / 5), -scores[0].numpy(), 0.05, stopThr=1e-14)
    np.testing.assert_allclose(plan.numpy() / 12, expected, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_small_epsilon_and_empty_rows_give_numbers(dtype: torch.dtype) -> None:
    scores = torch.randn(2, 9, 4).clamp(-1, 1).to(dtype)
    admissible = torch.rand(2, 9, 4) < 0.3
    plan = sinkhorn(scores, admissible, 0.005, 5)
    assert plan.isfinite().all()
    assert (plan[~admissible] == 0).all()
    held = admissible.any(2)
    torch.testing.assert_close(
        plan.float().sum(2), held.float(), atol=0.02 if dtype is torch.bfloat16 else 1e-5, rtol=0
    )
    assert sinkhorn(scores, torch.zeros_like(admissible), 0.05, 5).abs().max() == 0


def test_two_tokens_who_like_one_cluster_are_kept_apart() -> None:
    """Both prefer the first; as the first may hold only one of two, the keener gets it."""
    scores = torch.tensor([[[1.0, 0.0], [0.9, 0.2]]])
    plan = sinkhorn(scores, torch.ones(1, 2, 2, dtype=torch.bool), 0.05, 200)
    assert plan[0, 0, 0] > 0.95
    assert plan[0, 1, 1] > 0.95
