"""What the things of furnished rooms are called, in words of every day."""

from collections.abc import Mapping, Sequence

import numpy as np

from s4tok.shapes import Array, Int
from s4tok.synthetic.capture import Capture

_CALLED_SO = (
    "wall", "floor", "ceiling", "beam", "column", "door", "window", "picture", "curtain", "shower curtain",
    "counter", "mirror", "rug", "bed", "crib", "bedside table", "wardrobe", "dresser", "sofa", "armchair", "chair",
    "stool", "bench", "table", "coffee table", "desk", "bookshelf", "television stand", "television", "piano",
    "fireplace", "floor lamp", "table lamp", "ceiling lamp", "wall lamp", "lamp", "radiator", "toilet", "bidet",
    "washbasin", "bathtub", "shower cabin", "washing machine", "towel", "refrigerator", "range hood", "laptop",
    "monitor", "guitar", "mug", "cabinet",
)  # fmt: skip
# Of the names that rooms are built with, each with its word; names of many things in one ("desk things") have none.
NAME_OF: Mapping[str, str] = {
    **{name: name for name in _CALLED_SO},
    "board": "whiteboard",
    "small table": "table",
    "sideboard": "cabinet",
    "tall cabinet": "cabinet",
    "kitchen unit": "kitchen cabinet",
    "hanging cupboard": "cupboard",
    "kitchen sink": "sink",
    "basin": "sink",
    "cooker": "stove",
    "carton": "box",
    "waste bin": "trash can",
    "plant": "potted plant",
    "towel radiator": "radiator",
    "screen": "monitor",
}
NAMES: Sequence[str] = tuple(dict.fromkeys(NAME_OF.values()))


def names_of(seen: Capture) -> Int[Array, " n"]:
    """Give the name of each point of a scanned room, an index into `NAMES`, -1 for none."""
    found = [NAMES.index(NAME_OF[name]) if name in NAME_OF else -1 for name in seen.names]
    return np.array(found, np.int64)[seen.things]
