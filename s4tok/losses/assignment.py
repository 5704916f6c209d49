"""The assignment loss: from what it can see, the student names the clusters of what it cannot (eq. 6, 7)."""

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.collective import mean
from s4tok.shapes import Bool, Float


def assignment_loss(
    features: Float[Tensor, "b m d"],
    is_masked: Bool[Tensor, "b m"],
    assignment: Float[Tensor, "b m g"],
    prototypes: Float[Tensor, "b g d"],
    is_cluster: Bool[Tensor, "b g"],
    temperature: float,
) -> Float[Tensor, ""]:
    r"""Average :math:`KL(\Gamma^t \| softmax(\cos(f, c) / \tau))` over masked tokens; nothing masked costs nothing."""
    likeness = functional.normalize(features, dim=-1) @ functional.normalize(prototypes, dim=-1).mT
    predicted = (likeness / temperature).masked_fill(~is_cluster[:, None], -torch.inf).log_softmax(dim=2)
    surprise = torch.where(assignment > 0, assignment * predicted, 0)
    divergence = (torch.xlogy(assignment, assignment) - surprise).sum(2)
    return mean((divergence * is_masked).sum(), is_masked.sum())
