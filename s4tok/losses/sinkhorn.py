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
    with logarithms: exp(1 / 0.05) is at the edge of float16 and 1 / 0.01 beyond float32.
    """
    log_plan = torch.where(admissible, scores / epsilon, -torch.inf)
    is_row, is_column = admissible.any(2, keepdim=True), admissible.any(1, keepdim=True)
    n_rows, n_columns = is_row.sum(1, keepdim=True), is_column.sum(2, keepdim=True)
    column_share = (n_rows / n_columns.clamp_min(1)).to(scores.dtype).clamp_min(torch.finfo(scores.dtype).tiny).log()
    log_plan = log_plan - _log_sum(log_plan, 2)
    for _ in range(iterations):
        log_plan = log_plan + column_share - _log_sum(log_plan, 1)
        log_plan = log_plan - _log_sum(log_plan, 2)
    return log_plan.exp()


def _log_sum(log_plan: Float[Tensor, "b m g"], dim: int) -> Float[Tensor, "b p q"]:
    """Sum in logarithms; an empty row or column has 0, so that what is taken off it stays minus infinity."""
    total = log_plan.logsumexp(dim, keepdim=True)
    return torch.where(total.isfinite(), total, 0)
