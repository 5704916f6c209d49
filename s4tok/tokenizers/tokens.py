"""What passes from a cloud to the encoder: patches of points, then tokens."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float, Float32, Int, Real


class Counts(NamedTuple):
    """Numbers of a batch's patches that decide the sizes of what is made of them; a GPU is waited for once for all."""

    members: int  # of all patches
    is_full: bool  # each place is a token
    most_centers: int  # of one superpoint
    points_without_center: int  # in their superpoint


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
    is_room: Bool[Tensor, " b"] | None = None  # or an object; where the tokenizer tells them apart
    counts: Counts | None = None  # where they were read

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
            is_room=self.is_room,
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


def counted(
    several: Sequence[Patches], superpoints: Int[Tensor, "b n"], is_point: Bool[Tensor, "b n"], n_superpoints: int
) -> list[Patches]:
    """Count what later steps ask of patches and of the points that they were made of, of several sets at once."""
    numbers = []
    for patches in several:
        centers = centers_of_superpoints(patches.superpoints, patches.is_token, n_superpoints)
        is_without = (centers.gather(1, superpoints.masked_fill(~is_point, 0)) == 0) & is_point
        numbers += [patches.is_member.sum(), (~patches.is_token).sum(), centers[:, :-1].max(), is_without.sum()]
    read: list[int] = torch.stack(numbers).tolist()
    groups = zip(read[::4], read[1::4], read[2::4], read[3::4], strict=True)
    found = [Counts(members, not empty, most, without) for members, empty, most, without in groups]
    return [patches._replace(counts=counts) for patches, counts in zip(several, found, strict=True)]


def centers_of_superpoints(
    superpoints: Int[Tensor, "b m"], is_token: Bool[Tensor, "b m"], n_superpoints: int
) -> Int[Tensor, "b s"]:
    """Count the centres in each superpoint; one more entry, the last, counts places that are no token."""
    labels = superpoints.masked_fill(~is_token, n_superpoints).clamp_max(n_superpoints)
    return labels.new_zeros(len(labels), n_superpoints + 1).scatter_add_(1, labels, torch.ones_like(labels))


def where(mask: Bool[Tensor, "..."], count: int) -> Int[Tensor, " count"]:
    """Give the places in the flattened mask that are True, whose number is known: nothing is waited for."""
    flat = mask.flatten()
    place = torch.where(flat, flat.cumsum(0) - 1, count)  # what is False falls into one more place
    found = place.new_zeros(count + 1).scatter_(0, place, torch.arange(len(flat), device=flat.device))
    return found[:count]
