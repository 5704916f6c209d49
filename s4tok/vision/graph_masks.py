"""Masks without weights: pixels merged by colour, depth and normal (Felzenszwalb and Huttenlocher, 2004)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, ClassVar

import numpy as np
from scipy.ndimage import uniform_filter

from s4tok.config import GraphMaskConfig
from s4tok.geometry.masks import resized, without_small
from s4tok.shapes import Array, Bool, Float64, Int, Int32
from s4tok.vision.vision_model import Capability, DepthImage, VisionModel


@dataclass(frozen=True)
class GraphMasks(VisionModel):
    """Merge neighbouring pixels while their difference is small beside the differences inside what they belong to."""

    config: GraphMaskConfig = field(default_factory=GraphMaskConfig)
    name: str = "graph"
    can: ClassVar[frozenset[Capability]] = frozenset({"masks"})
    key: ClassVar[str] = "masks"

    @classmethod
    def load(cls, name: str, pretrained: str | None = None, device: str = "cpu") -> "GraphMasks":
        """Make it; there are no weights."""
        return cls()

    @property
    def identity(self) -> Mapping[str, Any]:
        """Give its settings."""
        return {self.key: self.name, **asdict(self.config)}

    def masks(self, image: DepthImage) -> Int32[Array, "h w"]:
        """Give the masks of a depth image; pixels without depth have none."""
        step = ceil(image.depth.shape[1] / self.config.columns)
        small = DepthImage(image.color[::step, ::step], image.depth[::step, ::step], _scaled(image.intrinsics, step))
        ids = without_small(_merged(small, self.config), ceil(self.config.smallest / step**2))
        return resized(ids, image.depth.shape)


def _scaled(intrinsics: Float64[Array, "3 3"], step: int) -> Float64[Array, "3 3"]:
    scaled: Array = intrinsics / step
    scaled[2, 2] = 1
    return scaled


def _merged(image: DepthImage, config: GraphMaskConfig) -> Int32[Array, "h w"]:
    is_known = image.depth > 0
    points = camera_points(image)
    smooth, normals = _planes(points, is_known, config.window)
    color = image.color.astype(np.float64) / 255
    first, second = _edges(is_known)
    offset = (smooth.reshape(-1, 3)[second] - smooth.reshape(-1, 3)[first]) / points[..., 2].ravel()[first, None]
    flat_normals, flat_color = normals.reshape(-1, 3), color.reshape(-1, 3)
    middle = flat_normals[first] + flat_normals[second]
    weight = (
        config.color * np.linalg.norm(flat_color[first] - flat_color[second], axis=1)
        + config.normal * (1 - np.abs((flat_normals[first] * flat_normals[second]).sum(axis=1)))
        + config.depth * np.abs((middle * offset).sum(axis=1)) / 2
    )
    ids = merge(first, second, weight, image.depth.size, config.scale, config.smallest_merge)
    return np.where(is_known, ids.reshape(image.depth.shape) + 1, 0).astype(np.int32)


def camera_points(image: DepthImage) -> Float64[Array, "h w 3"]:
    """Give the point at each pixel, before the camera; the origin where no depth was measured."""
    rows, columns = np.indices(image.depth.shape)
    focal, center = np.diag(image.intrinsics)[:2], image.intrinsics[:2, 2]
    depth = image.depth.astype(np.float64)
    return np.stack([(columns - center[0]) / focal[0] * depth, (rows - center[1]) / focal[1] * depth, depth], axis=2)


def _planes(
    points: Float64[Array, "h w 3"], is_known: Bool[Array, "h w"], window: int
) -> tuple[Float64[Array, "h w 3"], Float64[Array, "h w 3"]]:
    """Give the mean and the normal of the known points in a square around each pixel."""
    known = is_known.astype(np.float64)
    count = np.maximum(uniform_filter(known, window, mode="constant"), 1e-9)[..., None]
    mean = _averaged(points, window) / count
    outer = points[..., :, None] * points[..., None, :]
    spread = _averaged(outer.reshape(*points.shape[:2], 9), window) / count
    covariance = spread.reshape(*outer.shape) - mean[..., :, None] * mean[..., None, :]
    normals: Array = np.linalg.eigh(covariance)[1][..., 0]
    return mean, normals


def _averaged(channels: Float64[Array, "h w c"], window: int) -> Float64[Array, "h w c"]:
    averaged: Array = uniform_filter(channels, window, mode="constant", axes=(0, 1))
    return averaged


def _edges(is_known: Bool[Array, "h w"]) -> tuple[Int[Array, " e"], Int[Array, " e"]]:
    """Join each known pixel to its known neighbours to the right and below."""
    index = np.arange(is_known.size).reshape(is_known.shape)
    pairs = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:])]
    first, second = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    both = is_known.ravel()[first] & is_known.ravel()[second]
    return first[both], second[both]


def merge(
    first: Int[Array, " e"],
    second: Int[Array, " e"],
    weight: Float64[Array, " e"],
    n_nodes: int,
    scale: float,
    smallest: int = 1,
) -> Int[Array, " n"]:
    r"""Merge along edges, cheapest first, where :math:`w \le \min_C (\mathrm{Int}(C) + scale / |C|)` of both sides.

    Int(C) is the largest weight that holds C together. Then what has fewer than `smallest` nodes joins its nearest
    neighbour. Gives each node the lowest node it is merged with.
    """
    order = np.argsort(weight, kind="stable")
    ends = list(zip(first[order].tolist(), second[order].tolist(), weight[order].tolist(), strict=True))
    parent, size, limit = list(range(n_nodes)), [1] * n_nodes, [scale] * n_nodes
    for is_cleaning in (False, True):
        for low, high, price in ends:
            while parent[low] != low:
                parent[low] = low = parent[parent[low]]
            while parent[high] != high:
                parent[high] = high = parent[parent[high]]
            if low == high:
                continue
            fits = min(size[low], size[high]) < smallest if is_cleaning else price <= min(limit[low], limit[high])
            if fits:
                low, high = min(low, high), max(low, high)
                parent[high] = low
                size[low] += size[high]
                limit[low] = price + scale / size[low]
    found = np.array(parent)
    while (found != found[found]).any():
        found = found[found]
    return found
