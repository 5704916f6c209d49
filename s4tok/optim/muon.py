"""The optimiser Muon (Jordan et al., 2024): for matrices steps that turn no direction faster than another."""

import math
from typing import Any

import torch
from torch import Tensor

from s4tok.shapes import Float

MOMENTUM = 0.95
_ITERATIONS, _COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)  # published with it: steep at 0, about 1 up to 1


class Muon(torch.optim.AdamW):
    """AdamW, but for groups that are called "matrices": their step is the momentum with its singular values made one.

    An adapter's gradient has few large singular values, and AdamW follows these for hundreds of steps before it comes
    to the rest. A step is as long as one of AdamW's at the same rate, so both take their rates from one schedule.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Make one step of all weights that have a gradient."""
        for group in self.param_groups:
            if not group.get("matrices"):
                continue
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"]
                momentum.lerp_(weight.grad, 1 - MOMENTUM)
                step = orthogonal(weight.grad.lerp(momentum, MOMENTUM))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(step, alpha=-0.2 * math.sqrt(max(weight.shape)) * group["lr"])
                weight.grad = None  # so that AdamW passes it by
        return super().step(closure)


def orthogonal(matrix: Float[Tensor, "r c"]) -> Float[Tensor, "r c"]:
    """Bring all singular values near 1, within 0.7 .. 1.2, by Newton and Schulz's iteration; zeros stay zeros."""
    first, third, fifth = _COEFFICIENTS
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / torch.linalg.matrix_norm(wide).clamp_min(1e-12)
    for _ in range(_ITERATIONS):
        square = wide @ wide.T
        wide = first * wide + (third * square + fifth * square @ square) @ wide
    result: Tensor = wide.T if matrix.shape[0] > matrix.shape[1] else wide
    return result
