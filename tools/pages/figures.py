"""Draw the figures of docs/concepts.md: `make figures`."""

from pathlib import Path

import numpy as np
import torch

from s4tok.clouds import PointCloud
from s4tok.datasets import open_dataset
from s4tok.rendering.contact_sheets import write_sheet
from s4tok.rendering.palette import UNKNOWN, colors_of_superpoints
from s4tok.rendering.picture import draw
from s4tok.shapes import Array, Bool, Float, Int, UInt8
from s4tok.superpoints import partition
from s4tok.tokenizers import build_tokenizer
from s4tok.tokenizers.tokens import Patches

IMAGES = Path(__file__).parents[2] / "docs/images"
KEY = "test-000036-chair"  # of toy-shapes
TOKENIZERS = ("knn", "ball+rpn", "s4token")
CENTER = (20, 20, 20)
SIZE = 480
NEAR = 0.018  # of the extent; so large is the dot of a centre


def main() -> None:
    """Draw both figures."""
    dataset = open_dataset("toy-shapes", split="test")
    cloud = dataset[KEY]
    superpoints = partition(cloud)
    write_sheet(IMAGES / "concepts.png", [picture / 255 for picture in steps(cloud, superpoints, dataset.up)])
    write_sheet(IMAGES / "patches.png", [picture / 255 for picture in patches(cloud, superpoints, dataset.up)])


def steps(cloud: PointCloud, superpoints: Int[Array, " n"], up: str) -> list[UInt8[Array, "h w 3"]]:
    """Draw a cloud, its superpoints, the centres of its patches, and the superpoints that hold one."""
    plain = np.full((len(cloud), 3), 200, np.uint8)
    colors = colors_of_superpoints(superpoints)
    grouped = group("s4token", cloud, superpoints)
    centers = near_centers(cloud, grouped.xyz[0].numpy())
    reached = np.isin(superpoints, grouped.superpoints[0].numpy())
    pictures = (
        plain,
        colors,
        np.where(centers[:, None], np.array(CENTER, np.uint8), colors),
        np.where(reached[:, None], colors, np.array(UNKNOWN, np.uint8)),
    )
    return [draw(cloud.xyz, each, up, size=SIZE) for each in pictures]


def patches(cloud: PointCloud, superpoints: Int[Array, " n"], up: str) -> list[UInt8[Array, "h w 3"]]:
    """Draw the patches of some tokenizers, each in a colour of its own and grey where a point is in none."""
    return [
        draw(cloud.xyz, in_patches(group(name, cloud, superpoints), len(cloud)), up, size=SIZE) for name in TOKENIZERS
    ]


def group(name: str, cloud: PointCloud, superpoints: Int[Array, " n"]) -> Patches:
    """Group a cloud into 64 patches, each of all points that may be in it."""
    size = len(cloud) // 64 if name == "knn" else len(cloud)
    tokenizer = build_tokenizer(name, n_points=len(cloud), n_tokens=64, patch_size=size, alpha=1.5)
    return tokenizer.group(torch.from_numpy(cloud.xyz)[None], torch.from_numpy(superpoints)[None])


def in_patches(grouped: Patches, n_points: int) -> UInt8[Array, "n 3"]:
    """Colour each point as the patch, of those that hold it, whose centre is nearest."""
    colors = colors_of_superpoints(np.arange(grouped.members.shape[1], dtype=np.int32))
    painted, nearest = np.full((n_points, 3), UNKNOWN, np.uint8), np.full(n_points, np.inf)
    distances = grouped.offsets[0].norm(dim=2).numpy()
    for color, members, is_member, distance in zip(
        colors, grouped.members[0].numpy(), grouped.is_member[0].numpy(), distances, strict=True
    ):
        nearer = is_member & (distance < nearest[members])
        painted[members[nearer]], nearest[members[nearer]] = color, distance[nearer]
    return painted


def near_centers(cloud: PointCloud, centers: Float[Array, "m 3"]) -> Bool[Array, " n"]:
    """Tell which points lie so near a centre that they are drawn as one."""
    distance = np.linalg.norm(cloud.xyz[:, None] - centers, axis=2).min(axis=1)
    near: Array = distance < NEAR * cloud.extent
    return near


if __name__ == "__main__":
    main()
