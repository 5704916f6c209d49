"""The optimisers by name, and which weights decay."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from s4tok.config import LoopConfig
from s4tok.errors import choose
from s4tok.optim.muon import Muon

OPTIMIZERS: Mapping[str, Callable[..., Any]] = {"adamw": torch.optim.AdamW, "muon": Muon}


def build_optimizer(model: nn.Module, config: LoopConfig) -> torch.optim.Optimizer:
    """Let weights decay, and neither biases nor norms nor single vectors, as the recipe's authors do."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [each for each in trained if each.ndim > 1], "weight_decay": config.weight_decay, "matrices": True},
        {"params": [each for each in trained if each.ndim <= 1], "weight_decay": 0.0},
    ]
    make = choose("optimizer", config.optimizer, OPTIMIZERS)
    optimizer: torch.optim.Optimizer = make(groups, lr=config.learning_rate, betas=(0.9, config.second_moment))
    return optimizer
