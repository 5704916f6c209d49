import time
from math import ceil

import numpy as np
import pytest

from s4tok_cache import Entry, Fingerprint
from s4tok_cache.sealed import CHUNK, chunk
from s4tok_cache.segment import image
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP


def entry(number: int) -> Entry:
    labels = np.random.default_rng(number).integers(0, 9, 100, np.int32)
    return Entry(f"{number}", {"labels": labels}, {"n_superpoints": 9}, Fingerprint(f"{number}.ply", 10, 5))


def test_the_same_entries_give_the_same_bytes_in_any_order_and_at_any_time() -> None:
    entries = {f"{number}": entry(number) for number in range(20)}
    first, rows = image(entries, SUPERPOINTS, STAMP, {"host": "here"})
    time.sleep(1.1)  # HDF5 could note the time in seconds
    second, _ = image(dict(reversed(entries.items())), SUPERPOINTS, STAMP, {"host": "here"})
    assert first == second
    assert rows.keys() == entries.keys()


@pytest.mark.parametrize(
    "shape", [(1,), (262_144,), (262_145,), (9, 1000, 1000, 1), (3, 300_000, 4), (1, 1, 2_000_000)]
)
def test_chunks_are_whole_arrays_or_slabs_of_at_most_a_mebibyte(shape: tuple[int, ...]) -> None:
    array = np.lib.stride_tricks.as_strided(np.zeros(1, np.int32), shape, (0,) * len(shape))
    part = chunk(array)
    assert all(1 <= piece <= whole for piece, whole in zip(part, shape, strict=True))
    assert np.prod(part) * 4 <= CHUNK
    pieces = np.prod([ceil(whole / piece) for piece, whole in zip(part, shape, strict=True)])
    assert pieces <= 2 * ceil(array.nbytes / CHUNK)
