"""Optimal transport between tokens and clusters when not every pair is admissible (App. A.3)."""

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float


def sinkhorn(
    scores: Float[Tensor, "b m g"], admissible: Bool[Tensor, "b m g"], epsilon: float, iterations: int
) -> Float[Tensor, "b m g"]:
    """Share each token among clusters so that clusters receive alike, as far as the admissible pairs allow.

    Equal shares may be impossible where pairs are forbidden, and then no number of iterations reaches them; so a
    few are made and the last one is of rows: each row with an admissible cluster sums to 1, each other to 0. Works
    in float64 from rows whose largest entry is 1, for exp(1 / 0.01) is beyond float32; logarithms took five times as
    long.
    """
    tiny = torch.finfo(torch.float64).tiny
    exponents = torch.where(admissible, scores.double() / epsilon, -torch.inf)
    highest = exponents.amax(2, keepdim=True)
    plan = (exponents - torch.where(highest.isfinite(), highest, 0)).exp()
    n_rows, n_columns = admissible.any(2).sum(1), admissible.any(1).sum(1)
    share = (n_rows / n_columns.clamp_min(1))[:, None, None]
    plan = plan / plan.sum(2, keepdim=True).clamp_min(tiny)
    for _ in range(iterations):
        plan = plan / plan.sum(1, keepdim=True).clamp_min(tiny) * share
        plan = plan / plan.sum(2, keepdim=True).clamp_min(tiny)
    return plan.to(scores.dtype)
