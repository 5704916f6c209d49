"""Clouds that are known to stand, to learn from and to measure by: toy shapes, models of sh3d, toy rooms."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from s4tok.config import Scene
from s4tok.datasets.open import open_dataset
from s4tok.geometry.axes import upright
from s4tok.shapes import Array, Float64

# Kinds that stand in one way, on a floor or a table; listed on 2026-11-26, before anything was measured.
STANDING = (
    "chair", "table", "bed", "sofa", "cabinet", "bookshelf", "lamp", "monitor", "laptop", "mug", "car",
    "armchair", "crib", "coffee table", "desk", "stool", "bench", "wardrobe", "dresser", "bedside table", "bathtub",
    "toilet", "table lamp", "potted plant", "refrigerator", "washing machine", "bicycle", "truck", "trash can",
    "room",
)  # fmt: skip
ROOMS = ("toy-scans", "toy-rooms", "home-scans", "home-rooms")


class Known(NamedTuple):
    """A cloud with y up, and what it is."""

    dataset: str
    key: str
    kind: str
    scene: Scene
    xyz: Float64[Array, "n 3"]  # in metres
    parts: tuple[str, ...]  # the words of its points
    truth: Array  # (n,) the word of each point, empty where there is none


def known(names: list[str], split: str, limit: int | None, data: Path) -> Iterator[Known]:
    """Read clouds of several datasets; sh3d is left out where it is not under `data`."""
    for name in names:
        clouds = open_dataset(name, split=split, limit=limit, root=data)
        turn = upright(clouds.up)
        for key in clouds.keys:
            number = clouds.category(key)
            kind = "room" if clouds.scene == "room" else "other" if number is None else clouds.categories[number]
            parts = [clouds.classes[each] for each in clouds.parts.get(kind, ())] or list(clouds.classes)
            cloud = clouds[key]
            xyz: Array = cloud.xyz.astype(np.float64) @ turn.T
            labels = np.full(len(cloud), -1) if cloud.labels is None else cloud.labels
            truth = np.array([*clouds.classes, ""])[labels]
            yield Known(name, key, kind, clouds.scene, xyz, tuple(parts), truth)


def stood(xyz: Float64[Array, "n 3"], axis: str) -> Float64[Array, "n 3"]:
    """Save a cloud whose y is up so that another axis is."""
    turned: Array = xyz @ upright(axis)
    return turned
