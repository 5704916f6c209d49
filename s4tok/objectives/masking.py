"""Which tokens a student sees, and which it has to imagine (Sec. 3.4)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float, Int
from s4tok.tokenizers.noise import noise

_STREAM = 1  # apart from the draws that choose centres and points


class Split(NamedTuple):
    """A cloud's tokens in two: indices, and where an index means something."""

    visible: Int[Tensor, "b v"]
    is_visible: Bool[Tensor, "b v"]
    masked: Int[Tensor, "b p"]
    is_masked: Bool[Tensor, "b p"]

    def join(self, visible: Float[Tensor, "b v d"], masked: Float[Tensor, "b p d"]) -> Float[Tensor, "b m d"]:
        """Put features of both back in the tokens' order; a place that is no token holds no meaning."""
        # What is no visible token points at a masked one, which is written over it; the other way round never.
        n_tokens = self.visible.shape[1] + self.masked.shape[1]
        whole = visible.new_zeros(len(visible), n_tokens, visible.shape[2])
        whole = whole.scatter(1, self.visible[..., None].expand_as(visible), visible)
        return whole.scatter(1, self.masked[..., None].expand_as(masked), masked.to(whole.dtype))


def split_tokens(is_token: Bool[Tensor, "b m"], mask_ratio: float, seeds: Int[Tensor, " b"]) -> Split:
    """Mask tokens at random by each cloud's seed: of t tokens ceil((1 - ratio) t) stay visible, and always one."""
    n_tokens = is_token.shape[1]
    place = torch.arange(n_tokens, device=is_token.device)
    draw = noise(seeds[:, None], torch.full_like(place, _STREAM), place)
    order = torch.where(is_token, draw, 2.0).argsort(dim=1, stable=True)  # what is no token comes last
    count = is_token.sum(1, keepdim=True)
    # A hair less than the product: (1 - 0.7) * 10 is 3.0000000000000004, and means 3.
    seen = ((1 - mask_ratio) * count.double() - 1e-9).ceil().long().clamp_min(1)
    n_seen = max(1, math.ceil((1 - mask_ratio) * n_tokens - 1e-9))
    slots = seen + place[: n_tokens - n_seen]
    return Split(
        visible=order[:, :n_seen],
        is_visible=place[:n_seen] < seen.minimum(count),
        masked=order.gather(1, slots.clamp_max(n_tokens - 1)),
        is_masked=slots < count,
    )
