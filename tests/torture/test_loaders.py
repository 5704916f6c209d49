"""PyTorch's loaders read a cache in workers of every kind, even one that has been read before they started."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok_cache.reader import CacheReader
from tests.torture.tally import Tally, is_smoke_test
from tests.torture.toys import STAMP, TOY, arrays_of, expected, fill, pack

ENTRIES = 40


class Toys:
    """What PyTorch asks of a dataset, and no more."""

    def __init__(self, reader: CacheReader) -> None:
        self.reader = reader
        self.keys = reader.keys()

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> tuple[str, Any]:
        return self.keys[number], self.reader.read(self.keys[number])["labels"].copy()


def as_they_are(batch: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return batch


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("prepare", [lambda root: None, pack], ids=["segments", "packed"])
def test_workers_read_what_was_written(
    start: str, prepare: Callable[[Path], object], tmp_path: Path, tally: Tally
) -> None:
    if is_smoke_test() and (start != "fork" or prepare is pack):
        pytest.skip("a worker of this kind imports PyTorch anew, which takes seconds: make torture runs it")
    from torch.utils.data import DataLoader

    fill(tmp_path, ENTRIES)
    prepare(tmp_path)
    toys = Toys(CacheReader(tmp_path, TOY, STAMP))
    toys[0]  # the parent's files are open when the workers start
    loader = DataLoader(toys, 4, num_workers=2, multiprocessing_context=start, collate_fn=as_they_are)  # type: ignore[arg-type, var-annotated]
    for _ in range(2):
        for key, labels in (pair for batch in loader for pair in batch):
            tally.check(np.array_equal(labels, arrays_of(key)["labels"]), f"{start}: {key} reads wrong")
    assert tally.passed + len(tally.failures) == 2 * len(expected(ENTRIES))
    toys[1]
    tally.settle(at_least=2 * ENTRIES)
