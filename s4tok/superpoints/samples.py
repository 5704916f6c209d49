"""A sample of a cloud as the tokenizer wants it: centred, +y up, few enough points, no superpoint cut to shreds."""

from dataclasses import dataclass

import numpy as np

from s4tok.config import SuperpointConfig, TokenizerConfig
from s4tok.errors import InputError
from s4tok.geometry import Neighbors, nearest, normals_of, outer_products
from s4tok.geometry.axes import upright
from s4tok.shapes import Array, Bool, Float, Float32, Float64, Int
from s4tok.superpoints import merge_remnants


@dataclass(frozen=True, eq=False)
class Sample:
    """Some points of a cloud, in the order in which the cloud has them."""

    points: Float32[Array, "n 3"]  # around the centre of the whole cloud's box, +y up
    superpoints: Int[Array, " n"]  # 0 .. s-1, after remnants were merged
    index: Int[Array, " n"]  # which of the cloud's points
    original: Int[Array, " n"]  # the label each point had in the whole cloud


def sample(xyz: Float[Array, "n 3"], labels: Int[Array, "..."], n_points: int, seed: int, up: str = "y") -> Sample:
    """Take some points of a cloud at random, none twice, the same for the same seed; a smaller cloud is taken whole.

    A third to a half of the superpoints of a whole cloud keep too few points in a sample to hold a centre (A21).
    They join the neighbour whose surface lies most alike.
    """
    if len(labels) != len(xyz):
        raise InputError(
            f"the cloud has {len(xyz)} points, and its superpoints are of {len(labels)}.",
            "cut it again: s4tok superpoints --overwrite.",
        )
    index = np.arange(len(xyz))
    if n_points < len(xyz):
        index = np.sort(np.random.default_rng(seed).choice(len(xyz), n_points, replace=False))
    points, original = to_y_up(xyz, up)[index], labels[index]
    around = nearest(points, points, SuperpointConfig.adjacency)
    merged = merge_remnants(original, outer_products(_normals(points, around)), around, TokenizerConfig.smallest_center)
    return Sample(points, merged, index, original)


def column(xyz: Float[Array, "n 3"], width: float, seed: int, up: str = "y") -> Bool[Array, " n"]:
    """Tell which points stand in a vertical column, so wide both ways, around a point that the seed chooses."""
    middle = xyz[np.random.default_rng(seed).integers(len(xyz))]
    across = [axis for axis, name in enumerate("xyz") if name != up]
    inside: Array = (np.abs(xyz[:, across] - middle[across]) <= width / 2).all(axis=1)
    return inside


def to_y_up(xyz: Float[Array, "n 3"], up: str = "y") -> Float32[Array, "n 3"]:
    """Turn a cloud so that +y is up, around the centre of its box: the frame of all its samples."""
    upright_xyz: Array = (xyz - _middle(xyz)) @ upright(up).T
    return upright_xyz.astype(np.float32)


def from_y_up(points: Float[Array, "m 3"], xyz: Float[Array, "n 3"], up: str = "y") -> Float64[Array, "m 3"]:
    """Turn points of that frame back into the cloud's own."""
    own: Array = points @ upright(up) + _middle(xyz)
    return own


def merged_targets(
    superpoints: Int[Array, " n"],
    original: Int[Array, " n"],
    features: Float[Array, "p d"],
    pairs: Float32[Array, " p"],
) -> Float32[Array, "s d"]:
    """Average the targets of the whole cloud's superpoints into the sample's, as vectors of unit length, or zero.

    Remnants were merged, so one of the sample's may hold points of several. Each point counts as often as views see
    a point of its superpoint in the mean: what averaging over pairs of the sampled points and views would give.
    """
    n_merged, n_original = int(superpoints.max()) + 1, len(features)
    cells = np.bincount(superpoints * n_original + original, pairs[original], n_merged * n_original)
    total = cells.reshape(n_merged, n_original).astype(np.float32) @ features.astype(np.float32)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit: Array = np.divide(total, length, out=np.zeros_like(total), where=length > 0)
    return unit


def _normals(points: Float32[Array, "n 3"], around: Neighbors) -> Float64[Array, "n 3"]:
    offsets = points[around.indices].astype(np.float64) - points[:, None]
    return normals_of(offsets.swapaxes(1, 2) @ offsets)


def _middle(xyz: Float[Array, "n 3"]) -> Float64[Array, "3"]:
    low, high = xyz.min(axis=0).astype(np.float64), xyz.max(axis=0).astype(np.float64)
    middle: Array = low + (high - low) / 2
    return middle
