"""The same geometry on batches of tensors: on a GPU in blocks of tensor work, on the CPU through SciPy's tree.

Nothing here holds all distances between n points at once.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from s4tok.geometry import neighbors, sampling
from s4tok.geometry.descriptors import shape_features
from s4tok.shapes import Bool, Float, Int

BLOCK = 1 << 24  # distances held at a time: 64 MiB of float32


class TensorNeighbors(NamedTuple):
    """Of each query, the indices of its nearest points and how far they are, nearest first."""

    indices: Int[Tensor, "b n k"]
    distances: Float[Tensor, "b n k"]


class Ball(NamedTuple):
    """The points around each query, nearest first; where `inside` is false, an index repeats the nearest point."""

    indices: Int[Tensor, "b n k"]
    inside: Bool[Tensor, "b n k"]


def nearest(points: Float[Tensor, "b m 3"], queries: Float[Tensor, "b n 3"], k: int) -> TensorNeighbors:
    """Find the k nearest points of each query, or all of them where there are fewer."""
    found = [_nearest_of_one(*pair, min(k, points.shape[1])) for pair in zip(points, queries, strict=True)]
    indices, distances = zip(*found, strict=True)
    return TensorNeighbors(torch.stack(indices), torch.stack(distances))


def within(
    points: Float[Tensor, "b m 3"], queries: Float[Tensor, "b n 3"], radius: Float[Tensor, " b"], k: int
) -> Ball:
    """Find the points no farther than the cloud's radius from each query, at most k of them, the nearest."""
    found = nearest(points, queries, k)
    inside = found.distances <= radius[:, None, None]
    return Ball(torch.where(inside, found.indices, found.indices[..., :1]), inside)


def farthest_points(xyz: Float[Tensor, "b n 3"], m: int, start: Int[Tensor, " b"]) -> Int[Tensor, "b m"]:
    """Pick m points of each cloud one after the other, each the farthest from those picked before; exact."""
    m = min(m, xyz.shape[1])
    if _on_cpu(xyz):
        clouds = zip(xyz.detach().numpy(), start.tolist(), strict=True)
        return torch.stack([torch.from_numpy(sampling.farthest_points(cloud, m, first)) for cloud, first in clouds])
    rows = torch.arange(len(xyz), device=xyz.device)
    picked = torch.empty(len(xyz), m, dtype=torch.long, device=xyz.device)
    distance = torch.full(xyz.shape[:2], torch.inf, dtype=torch.float64, device=xyz.device)
    points = xyz.double()  # as on the CPU, so that both pick alike
    latest = start
    for step in range(m):
        picked[:, step] = latest
        x, y, z = (points - points[rows, latest][:, None]).unbind(-1)
        distance = torch.minimum(distance, x * x + y * y + z * z)
        distance[rows, latest] = -1.0  # where points coincide, none is picked twice
        latest = distance.argmax(dim=1)
    return picked


def second_moments(
    anchors: Float[Tensor, "b m 3"], queries: Float[Tensor, "b n 3"], k: int
) -> Float[Tensor, "b n 3 3"]:
    """Give the second moments of the offsets from each query to its k nearest anchors, Eq. (10), in float64."""
    clouds = []
    for some_anchors, some_queries in zip(anchors.double(), queries.double(), strict=True):
        blocks = []
        for block in torch.split(some_queries, max(BLOCK // (9 * k), 1)):
            around = _nearest_of_one(some_anchors, block, min(k, len(some_anchors)))[0]
            offsets = some_anchors[around] - block[:, None]
            blocks.append(offsets.mT @ offsets / offsets.shape[1])
        clouds.append(torch.cat(blocks))
    return torch.stack(clouds)


def describe(
    anchors: Float[Tensor, "b m 3"], queries: Float[Tensor, "b n 3"], k: int, sqrt: bool = False
) -> tuple[Float[Tensor, "b n 3"], Float[Tensor, "b n 3"]]:
    """Give each query its normal, of either sign, and the shape of its neighbourhood, Eq. (11)."""
    values, vectors = torch.linalg.eigh(second_moments(anchors, queries, k))
    return vectors[..., 0], torch.stack(shape_features(values.flip(-1).clamp(min=0), sqrt), dim=-1)


def _nearest_of_one(points: Tensor, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    if _on_cpu(points):
        found = neighbors.nearest(points.detach().numpy(), queries.detach().numpy(), k)
        return torch.from_numpy(found.indices), torch.from_numpy(found.distances).to(queries.dtype)
    indices, distances = [], []
    for block in torch.split(queries, max(BLOCK // len(points), 1)):
        # The matrix form loses half the digits where points lie close together.
        between = torch.cdist(block, points, compute_mode="donot_use_mm_for_euclid_dist")
        nearest_first = between.topk(k, largest=False)
        indices.append(nearest_first.indices)
        distances.append(nearest_first.values)
    return torch.cat(indices), torch.cat(distances)


def _on_cpu(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu"
