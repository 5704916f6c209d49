"""Where a result lies, and a stage that fills it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from s4tok_cache import FileSystem, Fingerprint, Shard, Store
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP, Fill, labels_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "toys" / "train"


@pytest.fixture
def fill(root: Path) -> Fill:
    """Run a stage on clouds, as one shard of it, and give the result's folder: `fill(inputs(9), Shard(0, 3))`."""

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
