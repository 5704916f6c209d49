"""Sums and means over all processes that train together; with a process alone, its own."""

from typing import Any

import torch
from torch import Tensor, distributed


def world() -> int:
    """Count the processes that train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def total(values: Tensor) -> Tensor:
    """Add up what each process has; gradients of every process flow back to every summand."""
    if world() == 1:
        return values
    result: Tensor = _Sum.apply(values)
    return result


def mean(values: Tensor, count: Tensor) -> Tensor:
    """Divide a sum by a count, both over all processes.

    Gradients are those of the mean once they are averaged over processes, as DistributedDataParallel does: a process
    gives its own summand, times the number of processes, and the average of what they give is the mean.
    """
    return world() * values / total(count.detach()).clamp_min(1)


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        everyone = values.detach().clone()
        distributed.all_reduce(everyone)
        return everyone

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        everyone = gradients[0].contiguous().clone()
        distributed.all_reduce(everyone)
        return everyone
