import os
import socket
import time
from pathlib import Path

import h5py

from s4tok_cache import CacheReader, Fingerprint, Store, examine
from s4tok_cache.entry import encode
from s4tok_cache.gc import EMPTY_AGE, collect, plan
from s4tok_cache.pack import pack
from s4tok_cache.verify import verify
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP, Fill, inputs


def test_nothing_goes_from_a_result_that_is_only_in_segments(fill: Fill) -> None:
    assert plan(fill(inputs(12))) == []


def test_packed_segments_go_and_everything_is_still_there(fill: Fill) -> None:
    folder = fill(inputs(12))
    pack(folder, settling=0)
    removals = plan(folder)
    assert [removal.reason for removal in removals] == ["packed"] * 3
    assert len(list(folder.glob("seg-*"))) == 3  # a plan removes nothing
    assert collect(removals) == sum(removal.bytes for removal in removals) > 0
    assert list(folder.glob("seg-*")) == []
    assert examine(folder).is_complete
    assert verify(folder).entries == 12
    assert plan(folder) == []


def test_segments_replaced_since_go(fill: Fill) -> None:
    folder = fill(inputs(12))
    before = set(folder.glob("seg-*"))
    fill(inputs(12), overwrite=True)
    removals = plan(folder)
    assert {removal.path for removal in removals} == before
    assert {removal.reason for removal in removals} == {"replaced since"}


def test_a_segment_stays_while_one_entry_in_it_has_no_whole_copy_elsewhere(fill: Fill) -> None:
    folder = fill(inputs(10))
    packed = pack(folder, settling=0).path
    with h5py.File(packed, "r+", libver="v110") as file:
        file["entries/room 4%2Fa/labels"][0] += 1
    collect(plan(folder))
    assert len(list(folder.glob("seg-*"))) == 1
    verify(folder, repair=True)
    kept = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    assert "room 4/a" in kept


def test_a_segment_with_newer_entries_than_the_packed_file_stays(fill: Fill) -> None:
    folder = fill(inputs(5))
    pack(folder, settling=0)
    changed = {key: Fingerprint(one.path, one.size + 1, one.mtime_ns) for key, one in inputs(5).items()}
    fill(changed)
    newest = max(folder.glob("seg-*"))
    removals = plan(folder)
    assert newest not in {removal.path for removal in removals}
    collect(removals)
    assert examine(folder).is_complete


def test_a_newer_copy_stays_with_an_older_one_that_would_be_taken_for_it(fill: Fill) -> None:
    folder, both = fill(inputs(2)), inputs(2)
    one, other = both
    newer = {one: Fingerprint("", 9, 9), other: both[other]}
    fill(newer)  # one is made anew, and the segment of both stays for the other's sake
    pack(folder, settling=0)
    packed = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    with h5py.File(packed.packed, "r+", libver="v110") as file:  # which is damaged there
        file["entries/" + encode(other) + "/labels"][0] += 1
    collect(plan(folder))
    reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    assert reader.fingerprint(one).same(newer[one])


def test_quarantine_goes_once_what_was_in_it_is_made_again(fill: Fill) -> None:
    folder = fill(inputs(10))
    hurt = min(folder.glob("seg-*"))
    hurt.write_bytes(hurt.read_bytes()[:-9])
    verify(folder, repair=True)
    assert plan(folder) == []
    fill(inputs(10))
    (removal,) = plan(folder)
    assert removal.path == folder / "quarantine" / hurt.name


def test_litter_goes_when_it_is_a_day_old_and_nobody_writes_it(fill: Fill) -> None:
    folder = fill(inputs(3))
    here, dead, alive = socket.gethostname(), 2**22 + 1, os.getpid()  # Linux counts processes up to 2**22
    old = time.time() - 25 * 3600
    gone = [f".seg-x.h5.{here}.{dead}.abc.tmp", ".seg-x.h5.another.host.1.abc.tmp", ".odd.tmp"]
    kept = [f".seg-x.h5.{here}.{alive}.abc.tmp", "mine.tmp", ".index.json", ".notes"]
    fresh = [f".seg-y.h5.{here}.{dead}.abc.tmp", ".seg-y.h5.another.host.1.abc.tmp"]
    beside = folder.parent / f".{folder.name}.h5.another.1.abc.tmp"
    for path in [*(folder / name for name in (*gone, *kept, *fresh)), beside]:
        path.write_bytes(b"1234")
        if path.name not in fresh:
            os.utime(path, (old, old))
    removals = plan(folder)
    assert {removal.path for removal in removals} == {beside, *(folder / name for name in gone)}
    assert collect(removals) == 16
    assert collect(removals) == 0  # another collector was quicker


def failed(cache: Path, age: float) -> Path:
    """Let a run fail at all it was asked for, so long ago."""
    with Store.resume(cache / "data/all", SUPERPOINTS, STAMP) as store:
        missing = store.missing(inputs(1))
        store.fail(missing[0], "not a number", inputs(1)[missing[0]])
    for path in store.folder.iterdir():
        os.utime(path, (time.time() - age,) * 2)
    return store.folder


def test_a_result_in_which_nothing_was_ever_made_goes_with_its_folders(tmp_path: Path) -> None:
    folder = failed(tmp_path, age=EMPTY_AGE + 60)
    collect(plan(folder))
    assert list(tmp_path.iterdir()) == []


def test_it_stays_while_a_run_may_be_at_it_or_anything_else_is_there(tmp_path: Path) -> None:
    folder = failed(tmp_path, age=EMPTY_AGE - 60)
    assert plan(folder) == []
    failed(tmp_path, age=EMPTY_AGE + 60)
    (folder / "notes.txt").write_text("mine")
    os.utime(folder / "notes.txt", (0, 0))
    assert plan(folder) == []
