"""A small result to work on: superpoint labels that a key alone determines."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from s4tok_cache import FileSystem, Fingerprint, Shard, Stamp, Store
from s4tok_pipelines.layouts import SUPERPOINTS

Labels = np.ndarray[Any, np.dtype[np.int32]]
Fill = Callable[..., Path]
STAMP = Stamp("superpoints", {"regularization": 0.05, "seed": 0})


def labels_of(key: str) -> Labels:
    random = np.random.default_rng(crc32(key.encode()))
    return random.integers(0, 20, random.integers(1, 300), np.int32)


def clouds(count: int) -> dict[str, Fingerprint]:
    return {f"room {number}/a": Fingerprint(f"room {number}/a.ply", 900 + 7 * number, 5) for number in range(count)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "toys" / "train"


@pytest.fixture
def fill(root: Path) -> Fill:
    """Run a stage on clouds, as one shard of it, and give the result's folder: `fill(clouds(9), Shard(0, 3))`."""

    def run(
        expected: Mapping[str, Fingerprint],
        shard: Shard = Shard(),  # noqa: B008 - it cannot change
        *,
        stop_after: int | None = None,
        overwrite: bool = False,
        files: FileSystem | None = None,
        where: Path = root,
        segment: int = 5,
    ) -> Path:
        with Store.resume(where, SUPERPOINTS, STAMP, shard=shard, overwrite=overwrite, files=files) as store:
            for number, key in enumerate(store.missing(expected)[:stop_after]):
                labels = labels_of(key)
                store.write(key, {"labels": labels}, expected[key], {"n_superpoints": int(labels.max()) + 1})
                if number % segment == segment - 1:
                    store.commit()
        return store.folder

    return run
