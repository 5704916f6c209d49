"""Pictures of how a cloud becomes tokens: centres, the superpoints that have one, and patches, each in its colour."""

from typing import Any, NamedTuple

import numpy as np
import torch

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.rendering.palette import UNKNOWN, colors_of_superpoints
from s4tok.rendering.picture import draw
from s4tok.shapes import Array, Bool, Float, Int, UInt8
from s4tok.tokenizers import build_tokenizer
from s4tok.tokenizers.tokens import Patches

CENTER = (20, 20, 20)
NEAR = 0.018  # of the extent; so large is the dot of a centre
MOST = 8192  # points of a patch that are drawn


class Counted(NamedTuple):
    """How much of a cloud its patches reach."""

    superpoints: float  # share of superpoints that have a centre
    points: float  # share of points whose superpoint has one
    in_patches: float  # share of points that some patch holds
    purity: float  # share of a patch's points that have the label of its centre; NaN without labels


def group(
    name: str, cloud: PointCloud, superpoints: Int[Array, " n"], n_tokens: int = 64, *, gamma: float | None = None
) -> Patches:
    """Group a cloud into patches of all points that may be in them, up to 8,192; kNN shares the points out."""
    size = max(len(cloud) // n_tokens, 1) if name.startswith("knn") else min(len(cloud), MOST)
    more: dict[str, Any] = {} if gamma is None else {"gamma": gamma}
    tokenizer = build_tokenizer(name, n_points=len(cloud), n_tokens=n_tokens, patch_size=size, alpha=1.5, **more)
    return tokenizer.group(torch.from_numpy(cloud.xyz)[None], torch.from_numpy(superpoints)[None])


def count(grouped: Patches, cloud: PointCloud, superpoints: Int[Array, " n"]) -> Counted:
    """Count what patches reach, and how pure they are."""
    centers = np.unique(grouped.superpoints[0].numpy())
    members, is_member = grouped.members[0].numpy(), grouped.is_member[0].numpy()
    reached = np.isin(superpoints, centers)
    held = np.zeros(len(cloud), bool)
    held[members[is_member]] = True
    return Counted(
        len(centers) / (int(superpoints.max()) + 1), float(reached.mean()), float(held.mean()),
        _purity(grouped, cloud),
    )  # fmt: skip


def in_patches(grouped: Patches, n_points: int) -> UInt8[Array, "n 3"]:
    """Colour each point as the patch, of those that hold it, whose centre is nearest; grey where it is in none."""
    colors = colors_of_superpoints(np.arange(grouped.members.shape[1], dtype=np.int32))
    painted, nearest = np.full((n_points, 3), UNKNOWN, np.uint8), np.full(n_points, np.inf)
    distances = grouped.offsets[0].norm(dim=2).numpy()
    for color, members, is_member, distance in zip(
        colors, grouped.members[0].numpy(), grouped.is_member[0].numpy(), distances, strict=True
    ):
        nearer = is_member & (distance < nearest[members])
        painted[members[nearer]], nearest[members[nearer]] = color, distance[nearer]
    return painted


def centers_on(grouped: Patches, cloud: PointCloud, colors: UInt8[Array, "n 3"]) -> UInt8[Array, "n 3"]:
    """Paint the centres of patches over a cloud, whose colours grow pale."""
    near = near_centers(cloud, grouped.xyz[0].numpy())
    pale = (colors.astype(np.uint16) + 255) // 2
    painted: Array = np.where(near[:, None], CENTER, pale).astype(np.uint8)
    return painted


def near_centers(cloud: PointCloud, centers: Float[Array, "m 3"]) -> Bool[Array, " n"]:
    """Tell which points lie so near a centre that they are drawn as one."""
    distance = np.full(len(cloud), np.inf)
    for center in centers:
        np.minimum(distance, np.linalg.norm(cloud.xyz - center, axis=1), out=distance)
    near: Array = distance < NEAR * cloud.extent
    return near


def reached_by(grouped: Patches, superpoints: Int[Array, " n"]) -> UInt8[Array, "n 3"]:
    """Colour the superpoints that have a centre; the others are grey."""
    reached = np.isin(superpoints, grouped.superpoints[0].numpy())
    painted: Array = np.where(
        reached[:, None], colors_of_superpoints(superpoints.astype(np.int32)), np.array(UNKNOWN, np.uint8)
    )
    return painted


def picture(
    cloud: PointCloud, colors: UInt8[Array, "n 3"], up: str, scene: Scene = "object", size: int = 420
) -> UInt8[Array, "h w 3"]:
    """Draw a cloud at twice the size and halve it, which smooths its edges."""
    fine = draw(cloud.xyz, colors, up, scene, 2 * size)
    halved: Array = fine.reshape(size, 2, size, 2, 3).mean((1, 3)).astype(np.uint8)
    return halved


def _purity(grouped: Patches, cloud: PointCloud) -> float:
    if cloud.labels is None:
        return float("nan")
    members, is_member = grouped.members[0].numpy(), grouped.is_member[0].numpy()
    own = cloud.labels[grouped.centers[0].numpy()]
    alike = (cloud.labels[members] == own[:, None]) & is_member
    known = is_member & (own >= 0)[:, None]
    return float(alike[known].sum() / max(known.sum(), 1))
