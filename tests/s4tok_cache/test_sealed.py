import pickle
from pathlib import Path

import numpy as np
import pytest

from s4tok_cache import ArraySpec, CacheMismatch, CacheReader, Fingerprint, Layout, Store, seal
from s4tok_cache.entry import Entry
from s4tok_cache.layouts import NumPyArray
from s4tok_cache.sealed import SealedEntry
from s4tok_cache.segment import image
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP

LAYOUT = Layout(
    "mixed",
    1,
    {
        "plain": ArraySpec("float32", "n", "Kept as it is.", compress=False),
        "large": ArraySpec("int16", "a b", "Of several chunks."),
        "nothing": ArraySpec("int32", "z 3", "Of no chunk."),
        "noise": ArraySpec("uint8", "m", "Which no filter makes smaller."),
    },
    "nobody",
)


def arrays(number: int) -> dict[str, NumPyArray]:
    rng = np.random.default_rng(number)
    return {
        "plain": rng.normal(size=90).astype(np.float32),
        "large": np.cumsum(np.ones((1100, 1000), np.int16), axis=1, dtype=np.int16),
        "nothing": np.zeros((0, 3), np.int32),
        "noise": rng.integers(0, 256, 5000).astype(np.uint8),
    }


def test_sealed_entries_are_the_entries_that_were_sealed_and_always_give_the_same_file() -> None:
    prints = {f"{n}": Fingerprint(f"{n}", 10, 5) for n in range(3)}
    plain = {key: Entry(key, arrays(int(key)), {}, prints[key]) for key in prints}
    sealed, again = (
        {key: SealedEntry(key, seal(key, arrays(int(key)), LAYOUT), {}, prints[key]) for key in prints}
        for _ in range(2)
    )
    content, rows = image(pickle.loads(pickle.dumps(sealed)), LAYOUT, STAMP, {})
    assert (content, rows) == image(again, LAYOUT, STAMP, {})
    assert rows == image(plain, LAYOUT, STAMP, {})[1]
    for key, entry in sealed.items():
        for name, array in entry.opened().arrays.items():
            np.testing.assert_array_equal(array, plain[key][name])


def test_a_store_takes_sealed_arrays_and_gives_them_back_before_and_after_they_are_durable(tmp_path: Path) -> None:
    labels = {"labels": np.arange(50, dtype=np.int32)}
    with Store.resume(tmp_path, SUPERPOINTS, STAMP) as store:
        store.write("a", seal("a", labels, SUPERPOINTS), Fingerprint("a", 1), {"n_superpoints": 50})
        np.testing.assert_array_equal(store.read("a")["labels"], labels["labels"])
        wrong = seal("b", {"labels": np.arange(50.0)}, SUPERPOINTS)
        with pytest.raises(CacheMismatch, match="labels must be int32"):
            store.write("b", wrong, Fingerprint("b", 1), {"n_superpoints": 50})
    np.testing.assert_array_equal(CacheReader(tmp_path, SUPERPOINTS, STAMP).read("a")["labels"], labels["labels"])


def test_arrays_that_were_sealed_under_another_key_are_not_what_was_written(tmp_path: Path) -> None:
    labels = {"labels": np.arange(50, dtype=np.int32)}
    with Store.resume(tmp_path, SUPERPOINTS, STAMP) as store:
        store.write("a", seal("b", labels, SUPERPOINTS), Fingerprint("a", 1), {"n_superpoints": 50})
    with pytest.raises(Exception, match="a is not what was written"):
        CacheReader(tmp_path, SUPERPOINTS, STAMP).read("a")
