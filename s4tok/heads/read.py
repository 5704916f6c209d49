"""What heads read: a cloud's tokens on their way through the transformer, and the steps that several heads share."""

from typing import NamedTuple

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers import Tokens
from s4tok.tokenizers.noise import noise

DEPTHS = 3  # after one and two thirds of the blocks, and at the end
_STREAM = 3  # of dropout, apart from the draws of tokenizer, mask and augmentation


class Read(NamedTuple):
    """A batch of clouds as the transformer has read it."""

    layers: tuple[Float[Tensor, "b m d"], ...]  # the tokens at each of `DEPTHS`
    whole: Float[Tensor, "b d"]  # the class token at the end
    tokens: Tokens  # where each stands, and which are none


def highest(features: Float[Tensor, "b m d"], is_token: Bool[Tensor, "b m"]) -> Float[Tensor, "b d"]:
    """Take the maximum over a cloud's tokens."""
    return features.masked_fill(~is_token[..., None], -torch.inf).amax(1)


def places(tokens: Tokens, points: Real[Tensor, "b n 3"]) -> Float[Tensor, "b n 3"]:
    """Measure points from the mean of the centres, in units of how far these lie from it, root mean square.

    Point-MAE gives coordinates as they are, in clouds that were scaled to the unit sphere. So scaled and shifted
    clouds are labelled alike, whatever their unit, and a point's place depends on no other point that is labelled.
    """
    shown, count = tokens.is_token[..., None], tokens.is_token.sum(1).clamp_min(1)[:, None, None]
    middle = (tokens.xyz * shown).sum(1, keepdim=True) / count
    spread = (((tokens.xyz - middle) * shown).square().sum((1, 2), keepdim=True) / count).sqrt()
    measured: Tensor = ((points - middle) / torch.where(spread > 0, spread, 1)).float()
    return measured


def dropout(width: int, share: float, seeds: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
    """Give factors that drop a share of a cloud's channels by its seed, and raise the others for them.

    A channel is dropped for all points of a cloud, where Point-MAE draws for each point: what is drawn depends on the
    seed alone, so that a run that was stopped goes on to the bit.
    """
    channel = torch.arange(width, device=seeds.device)
    is_kept = noise(seeds[:, None], torch.full_like(channel, _STREAM), channel) >= share
    return is_kept / (1 - share)
