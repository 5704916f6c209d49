"""PyTorch's loaders read a cache in workers of every kind, even one that has been read before they started."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok_cache import CacheReader
from tests.torture.tally import Tally, is_smoke_test
from tests.torture.toys import STAMP, TOY, arrays_of, expected, fill, pack

ENTRIES = 40
EPOCHS = 2


class Toys:
    """What PyTorch asks of a dataset, and no more: every toy from each of two caches."""

    def __init__(self, readers: list[CacheReader]) -> None:
        self.pairs = [(reader, key) for reader in readers for key in reader]

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, number: int) -> tuple[str, Any]:
        reader, key = self.pairs[number]
        return key, reader.read(key)["labels"].copy()


def as_they_are(batch: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return batch


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_workers_read_what_was_written(start: str, tmp_path: Path, tally: Tally) -> None:
    if is_smoke_test() and start != "fork":
        pytest.skip("workers of this kind import PyTorch anew, which takes seconds: make torture runs them")
    from torch.utils.data import DataLoader

    segments, packed = tmp_path / "segments", tmp_path / "packed"
    for root in (segments, packed):
        fill(root, ENTRIES)
    pack(packed)
    for segment in packed.glob("*/seg-*"):
        segment.unlink()
    toys = Toys([CacheReader(root, TOY, STAMP) for root in (segments, packed)])
    assert len(toys) == 2 * len(expected(ENTRIES))
    toys[0], toys[ENTRIES]  # the parent's files are open when the workers start
    loader = DataLoader(
        toys,  # type: ignore[arg-type, var-annotated]
        batch_size=4,
        num_workers=2,
        multiprocessing_context=start,
        collate_fn=as_they_are,
        persistent_workers=True,
    )
    for key, labels in (pair for _ in range(EPOCHS) for batch in loader for pair in batch):
        tally.check(np.array_equal(labels, arrays_of(key)["labels"]), f"{start}: {key} reads wrong")
    toys[1], toys[ENTRIES + 1]
    tally.settle(at_least=EPOCHS * len(toys))
