"""Draw the figure of docs/superpoints.md, `make figures`: true parts, the printed form, and what is cut by default."""

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import Scene, SuperpointConfig
from s4tok.datasets import open_dataset
from s4tok.rendering.contact_sheets import write_sheet
from s4tok.rendering.palette import colors_of_superpoints
from s4tok.rendering.picture import draw
from s4tok.shapes import Array, UInt8
from s4tok.superpoints import partition
from tools.pages.figures import IMAGES

SHOWN = {"toy-shapes": ("lamp", "mug", "chair"), "toy-scans": ("test",)}  # the first whose name holds it
SIZE = 320


def main() -> None:
    """Draw a row a cloud."""
    rows = list[UInt8[Array, "h w 3"]]()
    for name, kinds in SHOWN.items():
        dataset = open_dataset(name, split="test")
        for kind in kinds:
            cloud = dataset[next(key for key in dataset.keys if kind in key)]
            rows.append(row(cloud, dataset.scene, dataset.up))
    write_sheet(IMAGES / "superpoints.png", [np.concatenate(rows) / 255])


def row(cloud: PointCloud, scene: Scene, up: str) -> UInt8[Array, "h w 3"]:
    """Draw a cloud by its true labels, by the paper's superpoints, and by those that are cut by default."""
    assert cloud.labels is not None
    cuts = [partition(cloud, SuperpointConfig.of(scene, preset)) for preset in ("paper", "default")]
    every = [np.maximum(cloud.labels, 0).astype(np.int32), *cuts]
    return np.concatenate([draw(cloud.xyz, colors_of_superpoints(labels), up, scene, SIZE) for labels in every], axis=1)


if __name__ == "__main__":
    main()
