"""C1: eight writers, of the same and of different shards, fill one cache while four readers look on."""

import shutil
import time
from functools import partial
from pathlib import Path

from s4tok_cache.shard import Shard
from s4tok_cache.store import Store
from tests.torture.tally import Tally, is_smoke_test, scaled
from tests.torture.toys import STAMP, TOY, exit_code, expected, faults, fill, in_child, is_right

SHARDS = (*(Shard(i, 4) for i in range(4)), *(Shard(0, 2), Shard(1, 2)), Shard(), Shard())
READERS = 4


def read_on(root: Path, over: Path, read: Path) -> None:
    """Read whatever is there, again and again until the writers are over; every entry must be whole."""
    n_read = 0
    while True:
        is_last = over.exists()
        if (root / STAMP.folder).exists():
            with Store.resume(root, TOY, STAMP) as store:
                assert not store.damaged, store.damaged
                keys = store.keys()
                assert all(is_right(store.read(key)) for key in keys)
                n_read += len(keys)
        if is_last:
            break
        time.sleep(0.02)
    read.write_text(str(n_read))


def test_writers_and_readers_at_once_see_only_whole_entries(tmp_path: Path, tally: Tally) -> None:
    entries = 40 if is_smoke_test() else 1000
    wanted = expected(entries)
    for turn in range(scaled(1)):
        root, over = tmp_path / f"{turn}", tmp_path / f"{turn}.over"
        counts = [tmp_path / f"{turn}.{reader}.read" for reader in range(READERS)]
        readers = [in_child(partial(read_on, root, over, count)) for count in counts]
        writers = [
            in_child(partial(fill, root, entries, shard=shard, every=16, order=tally.shuffled)) for shard in SHARDS
        ]
        for writer in writers:
            tally.check(exit_code(writer) == 0, "a writer failed")
        over.touch()
        for reader, count in zip(readers, counts, strict=True):
            tally.check(exit_code(reader) == 0, "a reader met an entry that was not whole")
            tally.seen["verified reads"] += int(count.read_text()) if count.exists() else 0
        wrong = faults(root, wanted, wanted)
        tally.check(not wrong, wrong)
        tally.seen["segments"] += len(list((root / STAMP.folder).glob("seg-*")))
        shutil.rmtree(root)
    tally.settle(at_least=13 * scaled(1))
