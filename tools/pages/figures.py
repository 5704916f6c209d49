"""Draw the figures of docs/concepts.md: `make figures`."""

from pathlib import Path

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.datasets import open_dataset
from s4tok.rendering.contact_sheets import write_sheet
from s4tok.rendering.palette import colors_of_superpoints
from s4tok.rendering.picture import draw
from s4tok.shapes import Array, Int, UInt8
from s4tok.superpoints import partition
from s4tok_pipelines.outputs.patch_pictures import centers_on, group, in_patches, reached_by

IMAGES = Path(__file__).parents[2] / "docs/images"
KEY = "test-000036-chair"  # of toy-shapes
TOKENIZERS = ("knn", "ball+rpn", "s4token")
SIZE = 480


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
    pictures = (plain, colors, centers_on(grouped, cloud, colors), reached_by(grouped, superpoints))
    return [draw(cloud.xyz, each, up, size=SIZE) for each in pictures]


def patches(cloud: PointCloud, superpoints: Int[Array, " n"], up: str) -> list[UInt8[Array, "h w 3"]]:
    """Draw the patches of some tokenizers, each in a colour of its own and grey where a point is in none."""
    return [
        draw(cloud.xyz, in_patches(group(name, cloud, superpoints), len(cloud)), up, size=SIZE) for name in TOKENIZERS
    ]


if __name__ == "__main__":
    main()
