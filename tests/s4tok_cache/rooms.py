"""A small result to work on: superpoint labels of rooms, which a key alone determines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from s4tok_cache import Fingerprint, Stamp

Labels = np.ndarray[Any, np.dtype[np.int32]]
Fill = Callable[..., Path]
STAMP = Stamp("superpoints", {"regularization": 0.05, "seed": 0})


def labels_of(key: str) -> Labels:
    random = np.random.default_rng(crc32(key.encode()))
    return random.integers(0, 20, random.integers(1, 300), np.int32)


def inputs(count: int) -> dict[str, Fingerprint]:
    return {f"room {number}/a": Fingerprint(f"room {number}/a.ply", 900 + 7 * number, 5) for number in range(count)}
