"""K2: die at every call to the file system there is, one after the other; then resume."""

import itertools
from functools import partial
from pathlib import Path

from s4tok_cache.store import Store
from tests.torture.faults import Deadly
from tests.torture.tally import Tally, is_smoke_test
from tests.torture.toys import STAMP, TOY, exit_code, expected, faults, fill, in_child, pack, tidy, write

ENTRIES = 9


def work(root: Path, files: Deadly, journal: Path) -> None:
    """Touch every path that writes: a new folder, segments, a failure, a packed file, and the tidying after it."""
    with journal.open("a") as note:

        def done(keys: list[str]) -> None:
            note.writelines(f"{key}\n" for key in keys)
            note.flush()

        fill(root, ENTRIES, files=files, every=3, done=done)
        with Store.resume(root, TOY, STAMP, files=files) as store:
            extra = expected(ENTRIES + 1).keys() - expected(ENTRIES).keys()
            for key in extra:
                store.fail(key, "a toy that cannot be made", expected(ENTRIES + 1)[key])
                store.commit()
                write(store, key, expected(ENTRIES + 1)[key])
                store.commit()
                done([key])
    pack(root, files)
    tidy(root, files)


def test_death_at_every_call_loses_nothing_that_was_done(memory_path: Path, tally: Tally) -> None:
    for k in itertools.count(tally.random.randrange(8), 8 if is_smoke_test() else 1):
        root, journal = memory_path / str(k), memory_path / f"journal-{k}"
        journal.touch()
        code = exit_code(in_child(partial(work, root, Deadly(k), journal)))
        safe = journal.read_text().split()
        if code != 137:
            break
        if safe or (root / STAMP.folder).exists():
            wrong = faults(root, safe, expected(ENTRIES + 1))
            tally.check(not wrong, f"dead at call {k}: {wrong}")
        fill(root, ENTRIES + 1)
        wrong = faults(root, expected(ENTRIES + 1), expected(ENTRIES + 1))
        tally.check(not wrong, f"resumed after call {k}: {wrong}")
        tally.seen["calls died at"] += 1
    assert (code, len(safe)) == (0, ENTRIES + 1)
    tally.settle(at_least=20 if is_smoke_test() else 100)
