"""What a detector's decoder reads: a scene's tokens, by whatever encoder, in metres and with +z up."""

from typing import NamedTuple

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float, Int, Real


class Scenes(NamedTuple):
    """Scenes of a batch, +z up, padded to one size."""

    points: Real[Tensor, "b n 3"]  # metres
    is_point: Bool[Tensor, "b n"]
    superpoints: Int[Tensor, "b n"]  # zeros for an encoder that reads none
    seeds: Int[Tensor, " b"]

    def bounds(self) -> tuple[Float[Tensor, "b 3"], Float[Tensor, "b 3"]]:
        """Give the lowest corner of each scene, and its extent, which is no less than 0.1 m."""
        hidden = ~self.is_point[..., None]
        low = self.points.masked_fill(hidden, torch.inf).amin(1)
        high = self.points.masked_fill(hidden, -torch.inf).amax(1)
        return low, (high - low).clamp_min(SMALLEST_EXTENT)


class SceneTokens(NamedTuple):
    """Tokens of scenes, and where each stands."""

    tokens: Float[Tensor, "b m d"]
    xyz: Real[Tensor, "b m 3"]
    is_token: Bool[Tensor, "b m"]


SMALLEST_EXTENT = 0.1  # metres, of a scene along an axis


def to_y_up(points: Real[Tensor, "b n 3"]) -> Real[Tensor, "b n 3"]:
    """Turn scenes so that +y is up, as tokenizers have them."""
    x, y, z = points.unbind(-1)
    return torch.stack([x, z, -y], dim=-1)


def to_z_up(points: Real[Tensor, "b n 3"]) -> Real[Tensor, "b n 3"]:
    """Turn them back."""
    x, y, z = points.unbind(-1)
    return torch.stack([x, -z, y], dim=-1)
