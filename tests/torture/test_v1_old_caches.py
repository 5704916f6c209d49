"""V1: caches of every format there has been are read; one of another time names the version that made it."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from s4tok_cache import segment
from s4tok_cache.errors import CacheError
from s4tok_cache.reader import CacheReader
from tests.torture.golden import FORMATS, place, write_format_1
from tests.torture.tally import Tally
from tests.torture.toys import STAMP, TOY, expected, fill, is_right, packed_digest

KEYS = sorted(expected(5))
KINDS = ("segment", "packed file")


def test_old_caches_are_read(tmp_path: Path, tally: Tally) -> None:
    assert max(FORMATS) == segment.FORMAT, "a new format needs its golden writer; the old ones stay"
    for number, write in FORMATS.items():
        for kind in KINDS:
            root = tmp_path / f"{number} {kind}"
            place(root, kind, partial(write, keys=KEYS))
            reader = CacheReader(root, TOY, STAMP)
            right = reader.keys() == KEYS and all(is_right(reader.read(key)) for key in KEYS)
            tally.check(right, f"format {number} as a {kind} reads wrong")
    tally.settle(at_least=2)


def test_an_old_cache_is_continued(tmp_path: Path, tally: Tally) -> None:
    for number, write in FORMATS.items():
        root, alone = tmp_path / f"{number}", tmp_path / f"{number} alone"
        place(root, "segment", partial(write, keys=KEYS))
        fill(root, 9)
        fill(alone, 9)
        n_segments = len(list((root / STAMP.folder).glob("seg-*")))
        tally.check(n_segments == 2, f"format {number}: made anew, {n_segments} segments")
        tally.check(packed_digest(root) == packed_digest(alone), f"format {number}: packs to other bytes")
    tally.settle(at_least=2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cache_of_another_time_names_who_made_it(kind: str, tmp_path: Path, tally: Tally) -> None:
    future = {"format": np.int64(99), "tool": np.bytes_(b"s4tok 9.9.9")}
    place(tmp_path, kind, lambda path: write_format_1(path, KEYS, **future))
    with pytest.raises(CacheError) as told:
        CacheReader(tmp_path, TOY, STAMP).read(KEYS[0])
    tally.check("s4tok 9.9.9" in str(told.value) and "again" in told.value.hint, f"{told.value} {told.value.hint}")
    tally.settle()
