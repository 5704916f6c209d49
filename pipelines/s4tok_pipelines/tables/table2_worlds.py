"""The worlds of Table 2: those that s4tok makes, or the paper's datasets where a user has them."""

from pathlib import Path
from typing import NamedTuple

from s4tok.config import DATA_ROOT, ReproduceConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.open import open_dataset

MADE = ("toy-shapes", "toy-scans", "toy-rooms")
PAPERS = ("shapenet55", "scannet", "s3dis")
HELD_OUT = {"scannet": "val"}  # whose test split has no labels


class Worlds(NamedTuple):
    """What checkpoints are trained on, and what they are asked about."""

    objects: CloudDataset  # to train on
    shapes: CloudDataset  # held out from those, for the scale sweep
    rooms: tuple[CloudDataset, CloudDataset]  # in the roles of ScanNet and S3DIS
    scans: CloudDataset  # rooms to train on, Table 4


def open_worlds(data: Path | None, config: ReproduceConfig, limit: int | None = None) -> Worlds:
    """Open ShapeNet55, ScanNet (validation) and S3DIS (Area 5) under a folder, or the synthetic data where it is None.

    Args:
        data: The folder that holds the three.
        config: How many objects the sweep takes where no limit says so.
        limit: Ask about the first clouds of each alone; those to train on stay whole.
    """
    root = DATA_ROOT if data is None else data
    objects, scans, rooms = MADE if data is None else PAPERS

    def opened(name: str, split: str, usual: int | None = None) -> CloudDataset:
        return open_dataset(name, split=split, limit=limit or usual, root=root)

    return Worlds(
        open_dataset(objects, split="train", root=root),
        opened(objects, "test", config.shapes),
        (opened(scans, HELD_OUT.get(scans, "test")), opened(rooms, "test")),
        open_dataset(scans, split="train", root=root),
    )
