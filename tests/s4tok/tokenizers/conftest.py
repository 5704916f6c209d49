"""Clouds for the tokenizers' tests: bent sheets cut into superpoints of very different sizes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from s4tok.tokenizers.order import SortedClouds, sort_clouds

Clouds = tuple[Tensor, Tensor]


@pytest.fixture
def clouds() -> Callable[..., Clouds]:
    """Give `clouds(seed, n_clouds, n_points)`: points in float64, one large superpoint and many small ones."""

    def make(seed: int = 0, n_clouds: int = 2, n_points: int = 600) -> Clouds:
        draw = torch.Generator().manual_seed(seed)
        flat = torch.rand(n_clouds, n_points, 2, generator=draw, dtype=torch.float64) * 2 - 1
        height = torch.sin(2 * flat[..., :1]) * flat[..., 1:].square()
        cells = ((flat[..., 0] + 1) * 4).long() * 8 + ((flat[..., 1] + 1) * 4).long()
        superpoints = torch.where(flat[..., 0] < 0, 0, cells - 31)
        return torch.cat([flat, height], dim=-1), superpoints

    return make


@pytest.fixture
def sorted_clouds(clouds: Callable[..., Clouds]) -> Callable[..., SortedClouds]:
    def make(seed: int = 0, n_clouds: int = 2, n_points: int = 600) -> SortedClouds:
        points, superpoints = clouds(seed, n_clouds, n_points)
        return sort_clouds(points, superpoints, torch.ones_like(superpoints, dtype=torch.bool))

    return make
