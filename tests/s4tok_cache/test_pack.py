import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
import pytest

from s4tok_cache import (
    ArraySpec,
    CacheCorrupt,
    CacheError,
    CacheMissing,
    CacheReader,
    FileSystem,
    Fingerprint,
    Layout,
    Shard,
    Store,
    examine,
)
from s4tok_cache.pack import CHILD, pack
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP, Fill, inputs

Item = TypeVar("Item")


# The child of `pack`, whose file is not what it wrote.
HURTING = """
import h5py
from s4tok_cache.pack import _Job

def hurt(job):
    write(job)
    with h5py.File(job.temporary, "r+", libver="v110") as file:
        file["entries/room 1%2Fa/labels"][0] += 1

write, _Job._write = _Job._write, hurt
pickle.load(pipe).run()
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_packed_bytes_do_not_know_how_the_work_was_divided(tmp_path: Path, fill: Fill) -> None:
    expected = inputs(60)
    whole = fill(expected, where=tmp_path / "whole", segment=40)
    for number in reversed(range(7)):
        fill(expected, Shard(number, 7), where=tmp_path / "shards")
    fill(expected, Shard(3, 7), where=tmp_path / "twice", stop_after=9, segment=2)
    fill(expected, where=tmp_path / "twice", overwrite=True)
    paths = [pack(tmp_path / name / whole.name, settling=0).path for name in ("whole", "shards", "twice")]
    assert len({sha256(path) for path in paths}) == 1


def test_a_packed_file_holds_what_the_segments_held(fill: Fill) -> None:
    folder = fill(inputs(30))
    before = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    entries = {key: before[key] for key in before}
    packed = pack(folder, settling=0)
    assert packed.entries == 30
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    after = CacheReader.find(folder.parent, SUPERPOINTS, "superpoints")
    assert after.keys() == sorted(entries)
    for key, entry in entries.items():
        assert after[key]["labels"].tolist() == entry["labels"].tolist()
        assert (after[key].attributes, after[key].fingerprint) == (entry.attributes, entry.fingerprint)


def test_a_run_after_packing_makes_only_what_is_new_and_packs_again(fill: Fill) -> None:
    folder = fill(inputs(10))
    pack(folder, settling=0)
    for path in folder.glob("seg-*"):
        path.unlink()
    with Store.resume(folder.parent, SUPERPOINTS, STAMP) as store:
        assert store.missing(inputs(12)) == ["room 10/a", "room 11/a"]
    fill(inputs(12))
    assert pack(folder, settling=0).entries == 12
    assert len(CacheReader(folder.parent, SUPERPOINTS, STAMP)) == 12


def test_packing_waits_for_what_is_missing_and_names_the_shards(fill: Fill) -> None:
    for number in (0, 2):
        folder = fill(inputs(20), Shard(number, 4))
    with pytest.raises(
        CacheMissing, match=r"lacks 10 of 20 entries \(room 0/a, room 10/a, room 12/a, \.\.\.\)"
    ) as caught:
        pack(folder, settling=0)
    assert caught.value.hint == "run the stage again with --shard 1/4, 3/4."
    assert not (folder.parent / f"{folder.name}.h5").exists()


def test_entries_that_could_not_be_made_are_left_out_only_when_asked(fill: Fill) -> None:
    folder = fill(inputs(6), stop_after=5)
    (last,) = examine(folder).missing
    with Store.resume(folder.parent, SUPERPOINTS, STAMP) as store:
        store.fail(last, "it has one point", inputs(6)[last])
    with pytest.raises(CacheMissing, match=r"lacks 1 of 6 entries .*, 1 of which could not be made") as caught:
        pack(folder, settling=0)
    assert caught.value.hint.endswith("or pack --without-failed.")
    packed = pack(folder, settling=0, without_failed=True)
    assert (packed.entries, packed.left_out) == (5, 1)


def test_an_old_entry_of_an_input_that_changed_and_then_failed_is_left_out(fill: Fill) -> None:
    changed = {**inputs(3), "room 1/a": Fingerprint("room 1/a.ply", 1, 5)}
    fill(inputs(3))
    folder = fill(changed, stop_after=0)
    with Store.resume(folder.parent, SUPERPOINTS, STAMP) as store:
        store.fail("room 1/a", "it has one point", changed["room 1/a"])
    packed = pack(folder, settling=0, without_failed=True)
    assert (packed.entries, packed.left_out) == (2, 1)


def test_a_file_that_shows_up_late_is_waited_for(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(inputs(10))
    late = sorted(folder.glob("seg-*"))[0]
    hidden = late.rename(folder / "hidden")
    monkeypatch.setattr("s4tok_cache.pack.time.sleep", lambda _: hidden.rename(late))
    assert pack(folder).entries == 10


def test_damage_is_not_packed(fill: Fill) -> None:
    folder = fill(inputs(10))
    hurt = sorted(folder.glob("seg-*"))[0]
    content = bytearray(hurt.read_bytes())
    content[len(content) // 2 :] = os.urandom(len(content) - len(content) // 2)
    hurt.write_bytes(content)
    with pytest.raises(CacheCorrupt, match=hurt.name):
        pack(folder, settling=0)
    assert [path for path in folder.parent.iterdir() if path != folder] == []


def test_damage_that_shows_only_while_packing_leaves_nothing_behind(fill: Fill) -> None:
    folder = fill(inputs(10))
    hurt = sorted(folder.glob("seg-*"))[0]
    with h5py.File(hurt, "r+", libver="v110") as file:
        file["entries/room 0%2Fa/labels"][0] += 1
    with pytest.raises(CacheCorrupt, match=r"room 0/a is not what was written"):
        pack(folder, settling=0)
    assert [path for path in folder.parent.iterdir() if path != folder] == []


def test_a_disk_too_small_is_told_before_anything_is_written(fill: Fill) -> None:
    class Small(FileSystem):
        def free(self, path: Path) -> int:
            return 100

    folder = fill(inputs(3))
    with pytest.raises(OSError, match=r"packing needs .* bytes, more than are free") as caught:
        pack(folder, settling=0, files=Small())
    assert caught.value.errno == errno.ENOSPC


def test_a_disk_that_fills_up_while_packing_is_an_error_and_no_crash(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lying(FileSystem):
        calls = 0

        def free(self, path: Path) -> int:
            self.calls += 1
            return 1 << 40 if self.calls == 1 else 100

    folder = fill(inputs(30))
    # A file may not grow beyond this in the child, which HDF5 takes as badly as a full disk.
    limit = (
        "import resource as r, signal as s; s.signal(s.SIGXFSZ, s.SIG_IGN); r.setrlimit(r.RLIMIT_FSIZE, (9000, 9000))"
    )
    monkeypatch.setattr("s4tok_cache.pack.CHILD", f"{limit}; {CHILD}")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number says it
        pack(folder, settling=0, files=Lying())
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert [path for path in folder.parent.iterdir() if path != folder] == []
    assert len(CacheReader(folder.parent, SUPERPOINTS, STAMP)) == 30


def test_packing_that_is_interrupted_leaves_nothing_behind(fill: Fill) -> None:
    def interrupted(items: Iterable[Item], text: str, total: int | None = None) -> Iterator[Item]:
        for number, item in enumerate(items):
            if number == 7:
                raise KeyboardInterrupt
            yield item

    folder = fill(inputs(30))
    with pytest.raises(KeyboardInterrupt):
        pack(folder, settling=0, steps=interrupted)
    assert [path for path in folder.parent.iterdir() if path != folder] == []


def test_a_child_that_dies_is_told(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(inputs(3))
    monkeypatch.setattr("s4tok_cache.pack.CHILD", "import os; os.abort()")
    with pytest.raises(CacheError, match=r"ended with exit code -6\."):
        pack(folder, settling=0)


def test_a_file_that_does_not_read_back_as_it_was_written_gets_no_name(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s4tok_cache.pack.CHILD", CHILD.replace("pickle.load(pipe).run()", HURTING))
    folder = fill(inputs(3))
    with pytest.raises(CacheCorrupt, match="room 1/a is not what was written"):
        pack(folder, settling=0)
    assert [path for path in folder.parent.iterdir() if path != folder] == []


def test_what_cannot_be_packed_is_told(root: Path, fill: Fill) -> None:
    with pytest.raises(CacheMissing, match="is no stage's result"):
        pack(root / STAMP.folder)
    folder = fill(inputs(3))
    (folder / "expected.json").unlink()
    with pytest.raises(CacheMissing, match="says what a complete result would hold"):
        pack(folder, settling=0)


def test_a_result_is_packed_as_it_lies_there_whoever_knows_its_layout(tmp_path: Path) -> None:
    layout = Layout(
        "notes",
        7,
        {"kept": ArraySpec("int32", "n", "as it is", False), "small": ArraySpec("int32", "n", "compressed")},
        "note",
    )
    expected = inputs(2)
    with Store.resume(tmp_path, layout, STAMP) as store:
        for key, size in zip(store.missing(expected), (900, 0), strict=True):
            store.write(key, {name: np.zeros(size, np.int32) for name in layout.arrays}, expected[key])
    packed = pack(store.folder, settling=0)
    with h5py.File(packed.path) as file:
        assert (file.attrs["layout"], file.attrs["layout_version"]) == (b"notes", 7)
        first = next(iter(file["entries"].values()))
        assert {name: array.compression for name, array in first.items()} == {"kept": None, "small": "gzip"}
    assert [len(entry.arrays["small"]) for entry in map(CacheReader(tmp_path, layout, STAMP).read, expected)] == [
        900,
        0,
    ]
