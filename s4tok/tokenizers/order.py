"""Clouds of a batch in an order of their own, so that no token depends on the order the points came in."""

from typing import NamedTuple

import torch
from torch import Tensor

from s4tok.shapes import Bool, Float32, Int, Real


class SortedClouds(NamedTuple):
    """Centred clouds whose points stand superpoint by superpoint, padding last."""

    xyz: Float32[Tensor, "b n 3"]
    superpoints: Int[Tensor, "b n"]  # s (one past the last) where there is no point
    is_point: Bool[Tensor, "b n"]
    order: Int[Tensor, "b n"]  # where each point stood in the caller's tensor
    starts: Int[Tensor, "b s+1"]  # first point of each superpoint
    sizes: Int[Tensor, "b s+1"]  # points of each superpoint; the last entry counts the padding

    def size_of_points(self) -> Int[Tensor, "b n"]:
        """Give each point the size of its superpoint."""
        return self.sizes.gather(1, self.superpoints)


def sort_clouds(
    points: Real[Tensor, "b n 3"],
    superpoints: Int[Tensor, "b n"],
    is_point: Bool[Tensor, "b n"],
    n_superpoints: int | None = None,
) -> SortedClouds:
    """Centre each cloud on its bounding box, in the precision it came in, and sort it by superpoint, x, y, z.

    `n_superpoints` is more than every point's label; where it is known, a GPU need not be waited for.
    """
    xyz = _centered(points, is_point)
    if n_superpoints is None:
        n_superpoints = int(superpoints.max()) + 1 if superpoints.numel() else 1
    labels = superpoints.masked_fill(~is_point, n_superpoints)
    order = torch.arange(points.shape[1], device=points.device).expand(labels.shape)
    for key in (xyz[..., 2], xyz[..., 1], xyz[..., 0], labels):  # the last sort decides first, so go backwards
        order = order.gather(1, key.gather(1, order).argsort(dim=1, stable=True))
    sizes = labels.new_zeros(len(labels), n_superpoints + 1).scatter_add_(1, labels, torch.ones_like(labels))
    return SortedClouds(
        xyz=xyz.gather(1, order[..., None].expand(-1, -1, 3)),
        superpoints=labels.gather(1, order),
        is_point=is_point.gather(1, order),
        order=order,
        starts=sizes.cumsum(1) - sizes,
        sizes=sizes,
    )


def _centered(points: Real[Tensor, "b n 3"], is_point: Bool[Tensor, "b n"]) -> Float32[Tensor, "b n 3"]:
    hidden = ~is_point[..., None]
    inf = torch.finfo(points.dtype).max
    low, high = points.masked_fill(hidden, inf).amin(1), points.masked_fill(hidden, -inf).amax(1)
    center = low + (high - low) / 2
    return (points - center[:, None]).masked_fill(hidden, 0).to(torch.float32)
