"""The optimisers by name, and which weights decay."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from s4tok.config import LoopConfig
from s4tok.errors import choose
from s4tok.optim.muon import Muon

OPTIMIZERS: Mapping[str, Callable[..., Any]] = {"adamw": torch.optim.AdamW, "muon": Muon}


def build_optimizer(
    model: nn.Module, config: LoopConfig, rate_of: Callable[[str], float] = lambda weight: 1.0
) -> torch.optim.Optimizer:
    """Let weights decay, and neither biases nor norms nor single vectors, as the recipe's authors do.

    `rate_of` gives each weight's learning rate, by its name, in units of the schedule's; it is its group's "share".
    """
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    shares = {name: rate_of(name) for name in trained}
    groups = []
    for share in dict.fromkeys(shares.values()):
        mine = [weight for name, weight in trained.items() if shares[name] == share]
        alike = {"share": share, "lr": share * config.learning_rate}
        large, small = ([each for each in mine if (each.ndim > 1) == is_large] for is_large in (True, False))
        groups += [
            {"params": large, "weight_decay": config.weight_decay, "matrices": True, **alike},
            {"params": small, "weight_decay": 0.0, **alike},
        ]
    make = choose("optimizer", config.optimizer, OPTIMIZERS)
    optimizer: torch.optim.Optimizer = make(groups, lr=config.learning_rate, betas=(0.9, config.second_moment))
    return optimizer
