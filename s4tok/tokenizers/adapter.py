"""The mini-PointNet that turns a patch into a token of the transformer's width."""

from typing import Any

import torch
from torch import Tensor, nn

from s4tok.shapes import Bool, Float, Int
from s4tok.tokenizers.normalization import normalize
from s4tok.tokenizers.tokens import where


class PointNet(nn.Module):
    """Read each point of a patch, take the maximum, show it to each point again, take the maximum again.

    Point-BERT's: 3(+c) -> 128 -> 256, beside its maximum 512 -> 512 -> d. Padding takes part in nothing: only
    members are computed (on objects about half the slots), so they alone make the maxima and the batch statistics.
    With `by_scene` rooms have scales and shifts of their own, behind each norm and of tokens.
    """

    def __init__(
        self,
        width: int,
        n_features: int = 0,
        widths: tuple[int, int, int] = (128, 256, 512),
        *,
        by_scene: bool = False,
    ) -> None:
        super().__init__()
        narrow, middle, wide = widths
        self.point = nn.Linear(3 + n_features, narrow, bias=False)
        self.point_norm = nn.BatchNorm1d(narrow)
        self.local = nn.Linear(narrow, middle, bias=False)  # `mix_norm` would take one off again
        # One layer of 2 * middle inputs in two halves: the patch's is computed once a patch, not once a point.
        self.mix_point = nn.Linear(middle, wide, bias=False)
        self.mix_patch = nn.Linear(middle, wide, bias=False)
        self.mix_norm = nn.BatchNorm1d(wide)
        self.token = nn.Linear(wide, width)
        self.rooms = nn.ModuleList([InRooms(each) for each in (narrow, wide, width)]) if by_scene else None

    def forward(
        self,
        points: Float[Tensor, "b m k c"],
        is_member: Bool[Tensor, "b m k"],
        count: int | None = None,
        is_room: Bool[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b m d"]:
        """Turn patches into tokens; a patch without members becomes zeros.

        `count` is how many members there are; where it is known, a GPU need not be waited for. `is_room` is asked for
        where rooms have scales and shifts of their own.
        """
        rows = points[is_member] if count is None else points.flatten(0, 2)[where(is_member, count)]
        n_members = is_member.sum(2).flatten()
        of_room = None
        if self.rooms is not None:
            assert is_room is not None
            of_patches = is_room.repeat_interleave(is_member.shape[1], output_size=len(n_members))
            of_room = of_patches.repeat_interleave(n_members, output_size=len(rows))
        local = self.local(self._told(0, normalize(self.point_norm, self.point(rows)), of_room).relu())
        patch = self.mix_patch(_maximum(local, n_members))
        mixed = self.mix_point(local) + patch.repeat_interleave(n_members, dim=0, output_size=len(rows))
        token = self.token(self._told(1, normalize(self.mix_norm, mixed), of_room).relu())
        return _maximum(self._told(2, token, of_room), n_members).view(*is_member.shape[:2], -1)

    def _told(self, place: int, rows: Float[Tensor, "r d"], is_room: Bool[Tensor, " r"] | None) -> Float[Tensor, "r d"]:
        told: Tensor = rows if self.rooms is None else self.rooms[place](rows, is_room)
        return told


class InRooms(nn.Module):
    """What is other in rooms than in objects: a scale and a shift of each number, which change nothing at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))

    def forward(self, rows: Float[Tensor, "r d"], is_room: Bool[Tensor, " r"]) -> Float[Tensor, "r d"]:
        """Change the rows of rooms."""
        return rows + is_room[:, None] * (rows * self.scale + self.shift)


def _maximum(rows: Float[Tensor, "r d"], n_members: Int[Tensor, " p"]) -> Float[Tensor, "p d"]:
    """Take each patch's maximum over its members, whose rows stand together; half the time of a padded `amax`."""
    highest: Tensor = _Maximum.apply(rows, n_members)
    return highest


class _Maximum(torch.autograd.Function):
    """Equal maxima share their gradient.

    PyTorch's own shares it where it is positive, and gives all of it to each where it is negative: then whatever is
    often equal grows.
    """

    @staticmethod
    def forward(ctx: Any, rows: Float[Tensor, "r d"], n_members: Int[Tensor, " p"]) -> Float[Tensor, "p d"]:
        highest = torch.segment_reduce(rows, "max", lengths=n_members, axis=0, unsafe=True, initial=-torch.inf)
        ctx.save_for_backward(rows, highest, n_members)
        return torch.where(n_members[:, None] > 0, highest, 0)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Float[Tensor, "p d"]) -> tuple[Float[Tensor, "r d"], None]:
        rows, highest, n_members = ctx.saved_tensors
        is_highest = rows == highest.repeat_interleave(n_members, dim=0, output_size=len(rows))
        count = torch.segment_reduce(is_highest.to(rows.dtype), "sum", lengths=n_members, axis=0, unsafe=True)
        share = grad_outputs[0] / count.clamp_min(1)
        return is_highest * share.repeat_interleave(n_members, dim=0, output_size=len(rows)), None
