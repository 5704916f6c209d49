"""Propagation of many tokens to many points as one compiled loop, in which a point asks its own centres alone."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from s4tok.compiled import compiled
from s4tok.shapes import Array, Bool, Float, Float32, Int, Real
from s4tok.tokenizers.tokens import Patches, Tokens


def carry(
    features: Float32[Tensor, "b m d"],
    tokens: Tokens | Patches,
    points: Real[Tensor, "b n 3"],
    labels: Int[Tensor, "b n"],
    is_point: Bool[Tensor, "b n"],
    centers: tuple[Int[Tensor, "b m"], Int[Tensor, "b s"], Int[Tensor, "b s"]],
    epsilon: float,
    n_nearest: int,
) -> tuple[Float32[Tensor, "b n d"], Bool[Tensor, "b n"]]:
    """Do what `propagate` does, with sums in another order; `centers` are sorted, with each label's first and number.

    Measured, 2,000,000 points in windows of 4 m with 512 tokens, one core: 2.2 s instead of 5.7.
    """
    found = torch.zeros(*points.shape[:2], features.shape[2])
    has_own = torch.ones_like(is_point)
    arrays = [points, labels, is_point, tokens.xyz, tokens.is_token, *centers, 1 / tokens.radius, features]
    given: list[Any] = [each.contiguous().numpy() for each in arrays]
    _carry(*[*given, epsilon, n_nearest, found.numpy(), has_own.numpy()])
    return found, has_own


@compiled
def _carry(
    points: Real[Array, "b n 3"],
    labels: Int[Array, "b n"],
    is_point: Bool[Array, "b n"],
    xyz: Real[Array, "b m 3"],
    is_token: Bool[Array, "b m"],
    order: Int[Array, "b m"],
    first: Int[Array, "b s"],
    number: Int[Array, "b s"],
    scale: Float[Array, " b"],
    table: Float32[Array, "b m d"],
    epsilon: float,
    n_nearest: int,
    found: Float32[Array, "b n d"],
    has_own: Bool[Array, "b n"],
) -> None:
    n_tokens, width = table.shape[1:]
    centers, weights = np.empty(n_tokens, np.int64), np.empty(n_tokens, np.float32)
    for cloud in range(len(points)):
        for point in range(points.shape[1]):
            if not is_point[cloud, point]:
                continue
            here, label = points[cloud, point], labels[cloud, point]
            count = number[cloud, label]
            has_own[cloud, point] = count > 0
            for place in range(count):
                centers[place] = order[cloud, first[cloud, label] + place]
            if count == 0:
                count = _nearest(here, xyz[cloud], is_token[cloud], n_nearest, centers)
            total = np.float32(0)
            for place in range(count):
                distance = np.float32(np.sqrt(_squared(here, xyz[cloud, centers[place]])))
                weights[place] = 1 / (distance * scale[cloud] + np.float32(epsilon))
                total += weights[place]
            for place in range(count):
                share, feature = weights[place] / total, table[cloud, centers[place]]
                for channel in range(width):
                    found[cloud, point, channel] += share * feature[channel]


@compiled
def _squared(one: Real[Array, "3"], other: Real[Array, "3"]) -> float:
    x, y, z = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    squared: float = x * x + y * y + z * z
    return squared


@compiled
def _nearest(
    here: Real[Array, "3"], xyz: Real[Array, "m 3"], is_token: Bool[Array, " m"], wanted: int, nearest: Int[Array, " m"]
) -> int:
    """Put up to so many centres into `nearest`, the nearest first, and say how many."""
    count = 0
    for token in range(len(xyz)):
        if not is_token[token]:
            continue
        distance = _squared(here, xyz[token])
        place = count
        while place > 0 and distance < _squared(here, xyz[nearest[place - 1]]):
            if place < wanted:
                nearest[place] = nearest[place - 1]
            place -= 1
        if place < wanted:
            nearest[place] = token
            count = min(count + 1, wanted)
    return count
