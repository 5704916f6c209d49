"""Where a GPU computes in bfloat16: in the layers of transformers, and nowhere else."""

import torch
from torch import nn


def lower(model: nn.Module, device: torch.device | str = "cuda") -> None:
    """Let every layer that attends make its matrix products in bfloat16 from here on.

    These are nearly all of a step. What stands around them stays exact: rotating points, their places in patches,
    statistics of batches and losses, where eight bits of a number are too few. A tokenizer that was trained in bfloat16
    throughout took the maximum of many equal numbers, and its weights grew without end.
    """
    for layer in model.modules():
        if any(isinstance(part, nn.MultiheadAttention) for part in layer.children()):
            lowered = torch.autocast(torch.device(device).type, torch.bfloat16)
            layer.forward = lowered(layer.forward)
