"""What passes from a cloud to the encoder: patches of points, then tokens."""

from typing import NamedTuple

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float, Float32, Int, Real


class Patches(NamedTuple):
    """Groups of points, measured and ready for an adapter; everything but learning has happened."""

    offsets: Float32[Tensor, "b m k 3"]  # of each member from its centre, in the tokenizer's unit
    features: Float[Tensor, "b m k c"] | None  # of each member: is it of the centre's superpoint (0 or 1), its colour
    is_member: Bool[Tensor, "b m k"]
    members: Int[Tensor, "b m k"]  # index of each member among the cloud's points
    centers: Int[Tensor, "b m"]  # index of each centre among the cloud's points
    xyz: Real[Tensor, "b m 3"]  # where they stand, in the caller's frame
    superpoints: Int[Tensor, "b m"]  # of the centres
    positions: Float32[Tensor, "b m 3"]  # from the mean of all, in the unit of the position encoding
    is_token: Bool[Tensor, "b m"]  # False where a cloud has fewer distinct points than tokens
    radius: Float32[Tensor, " b"]  # of the grouping, in the cloud's unit

    def take(self, which: Int[Tensor, "b v"], is_token: Bool[Tensor, "b v"]) -> "Patches":
        """Keep some patches of each cloud, by index."""

        def part(field: Tensor) -> Tensor:
            index = which.view(*which.shape, *[1] * (field.ndim - 2)).expand(-1, -1, *field.shape[2:])
            return field.gather(1, index)

        return Patches(
            offsets=part(self.offsets),
            features=None if self.features is None else part(self.features),
            is_member=part(self.is_member) & is_token[:, :, None],
            members=part(self.members),
            centers=part(self.centers),
            xyz=part(self.xyz),
            superpoints=part(self.superpoints),
            positions=part(self.positions),
            is_token=is_token,
            radius=self.radius,
        )

    def fill_histogram(self) -> Int[Tensor, " bins"]:
        """Count patches by how many members they have."""
        return torch.bincount(self.is_member.sum(2)[self.is_token], minlength=self.is_member.shape[2] + 1)


class Tokens(NamedTuple):
    """Tokens of a transformer's width, and where each stands."""

    tokens: Float[Tensor, "b m d"]  # content plus position encoding
    encodings: Float[Tensor, "b m d"]  # the position encoding alone
    xyz: Real[Tensor, "b m 3"]  # of the centres, in the caller's frame
    superpoints: Int[Tensor, "b m"]  # of the centres
    is_token: Bool[Tensor, "b m"]
    radius: Float32[Tensor, " b"]
