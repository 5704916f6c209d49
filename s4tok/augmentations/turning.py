"""Turns about the vertical: rooms may face any way, and stand on their floors."""

import torch
from torch import Tensor

from s4tok.shapes import Int, Real
from s4tok.tokenizers.noise import noise

_STREAM = 7  # apart from the draws of tokenizer, mask, stretching and dropout


def turned(
    vectors: Real[Tensor, "b n 3"], seeds: Int[Tensor, " b"], degrees: float, up: int = 1
) -> Real[Tensor, "b n 3"]:
    """Turn each cloud's points, or normals, about the axis that points up, by up to so many degrees to either side.

    The angle follows the cloud's seed. Training samples have +y up, whatever their dataset has.
    """
    angle = torch.deg2rad(degrees * (2 * noise(seeds, torch.full_like(seeds, _STREAM)) - 1)).to(vectors.dtype)
    across = [axis for axis in range(3) if axis != up]
    one, other = (vectors[..., axis] for axis in across)
    cosine, sine = angle.cos()[:, None], angle.sin()[:, None]
    axes = list(vectors.unbind(2))
    axes[across[0]], axes[across[1]] = cosine * one - sine * other, sine * one + cosine * other
    return torch.stack(axes, dim=2)
