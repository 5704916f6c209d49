"""Batch normalisation over the rows of all processes that train together."""

import torch
from torch import Tensor, nn

from s4tok.collective import total, world
from s4tok.shapes import Float


def normalize(norm: nn.Module, rows: Float[Tensor, "r d"]) -> Float[Tensor, "r d"]:
    """Normalise rows by the statistics of their whole batch, of which other processes may hold a part.

    A single row has no statistics and takes the running ones. torch.nn.SyncBatchNorm does the same on GPUs alone.
    """
    if isinstance(norm, nn.BatchNorm1d) and norm.training:
        alone = world() == 1
        count = len(rows) if alone else int(total(torch.tensor(len(rows), device=rows.device)))
        if count < 2:
            mean, variance = norm.running_mean, norm.running_var
            return nn.functional.batch_norm(rows, mean, variance, norm.weight, norm.bias, eps=norm.eps)
        if not alone:
            return _shared(norm, rows.float(), count).to(rows.dtype)
    result: Tensor = norm(rows)
    return result


def _shared(norm: nn.BatchNorm1d, rows: Float[Tensor, "r d"], count: Tensor | int) -> Float[Tensor, "r d"]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    mean = total(rows.sum(0)) / count
    centered = rows - mean
    variance = total(centered.square().sum(0)) / count
    with torch.no_grad():
        norm.running_mean.lerp_(mean, norm.momentum or 0.0)
        norm.running_var.lerp_(variance * count / (count - 1), norm.momentum or 0.0)
        norm.num_batches_tracked.add_(1)
    return centered * (variance + norm.eps).rsqrt() * norm.weight + norm.bias
