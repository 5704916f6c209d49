"""The mini-PointNet that turns a patch into a token of the transformer's width."""

import torch
from torch import Tensor, nn

from s4tok.shapes import Bool, Float
from s4tok.tokenizers.normalization import normalize


class PointNet(nn.Module):
    """Read each point of a patch, take the maximum, show it to each point again, take the maximum again.

    Point-BERT's: 3(+c) -> 128 -> 256, beside its maximum 512 -> 512 -> d. Padding takes part in nothing: only
    members are computed (on objects about half the slots), so they alone make the maxima and the batch statistics.
    """

    def __init__(self, width: int, n_features: int = 0, widths: tuple[int, int, int] = (128, 256, 512)) -> None:
        super().__init__()
        narrow, middle, wide = widths
        self.point = nn.Linear(3 + n_features, narrow, bias=False)
        self.point_norm = nn.BatchNorm1d(narrow)
        self.local = nn.Linear(narrow, middle)
        # One layer of 2 * middle inputs in two halves: the patch's is computed once a patch, not once a point.
        self.mix_point = nn.Linear(middle, wide, bias=False)
        self.mix_patch = nn.Linear(middle, wide, bias=False)
        self.mix_norm = nn.BatchNorm1d(wide)
        self.token = nn.Linear(wide, width)

    def forward(self, points: Float[Tensor, "b m k c"], is_member: Bool[Tensor, "b m k"]) -> Float[Tensor, "b m d"]:
        """Turn patches into tokens; a patch without members becomes zeros."""
        rows = points[is_member]
        patch_of_row = is_member.flatten(0, 1).nonzero()[:, 0]
        local = self.local(normalize(self.point_norm, self.point(rows)).relu())
        patch = self.mix_patch(_maximum(local, is_member).flatten(0, 1))
        mixed = self.mix_point(local) + patch[patch_of_row]
        token = self.token(normalize(self.mix_norm, mixed).relu())
        return _maximum(token, is_member)


def _maximum(rows: Float[Tensor, "r d"], is_member: Bool[Tensor, "b m k"]) -> Float[Tensor, "b m d"]:
    """Take each patch's maximum over its members, given one row a member."""
    slots = rows.new_full((*is_member.shape, rows.shape[1]), -torch.inf)
    slots[is_member] = rows
    highest = slots.amax(2)
    return torch.where(is_member.any(2, keepdim=True), highest, 0)
