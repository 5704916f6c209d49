import multiprocessing
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok_cache import CacheCorrupt, CacheMismatch, CacheMissing, CacheReader, Fingerprint, Stamp, Store
from s4tok_cache.gc import collect, plan
from s4tok_cache.pack import pack
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP, Fill, inputs, labels_of


def is_whole(reader: CacheReader, key: str) -> bool:
    return bool(np.array_equal(reader[key]["labels"], labels_of(key)))


def check(work: tuple[CacheReader, list[str]]) -> tuple[int, int]:
    reader, keys = work
    return sum(is_whole(reader, key) for key in keys), os.getpid()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_worker_processes_read_whole_entries_however_they_are_started(fill: Fill, method: str, packed: bool) -> None:
    folder = fill(inputs(20))
    if packed:
        pack(folder, settling=0)
        shutil.rmtree(folder)
    reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    keys = reader.keys()
    assert all(is_whole(reader, key) for key in keys)  # its files are open when the workers begin
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map(check, [(reader, keys[:10]), (reader, keys[10:])] * 4, chunksize=1)
    assert [whole for whole, _ in found] == [10] * 8
    assert os.getpid() not in {process for _, process in found}
    assert all(is_whole(reader, key) for key in keys)


def test_a_forked_child_opens_files_of_its_own(fill: Fill) -> None:
    folder = fill(inputs(3))
    reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    assert is_whole(reader, "room 1/a")
    before = list(reader._open._files.values())
    child = os.fork()
    if child == 0:
        is_whole(reader, "room 1/a")
        own = list(reader._open._files.values())
        os._exit(0 if own and not any(file is inherited for file in own for inherited in before) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_reader_travels_by_pickle_and_can_be_closed_and_used_again(fill: Fill) -> None:
    folder = fill(inputs(7))
    reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    assert is_whole(reader, "room 3/a")
    again = pickle.loads(pickle.dumps(reader))
    again.close()
    assert all(is_whole(again, key) for key in reader)
    assert len(again) == 7
    assert "room 3/a" in again


def test_more_segments_than_may_be_open_are_read(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s4tok_cache.reader.MOST_OPEN", 2)
    folder = fill(inputs(20), segment=2)
    reader = CacheReader(folder.parent, SUPERPOINTS, STAMP)
    assert all(is_whole(reader, key) for key in [*reader, *reversed(reader.keys())])
    assert len(reader._open._files) == 2


def test_some_arrays_of_an_entry_are_read_alone(root: Path) -> None:
    stamp = Stamp("clip-features")
    arrays: dict[str, np.ndarray[Any, np.dtype[Any]]] = {
        "superpoints": np.ones((3, 4), np.float16),
        "visible": np.array([1, 0, 2], np.int32),
        "views": np.zeros((2, 4), np.float16),
    }
    with Store.resume(root, CLIP_FEATURES, stamp) as store:
        store.write("a", arrays, Fingerprint("a", 1))
    reader = CacheReader(root, CLIP_FEATURES, stamp)
    part = reader.read("a", ("visible",))
    assert list(part.arrays) == ["visible"]
    assert part["visible"].tolist() == [1, 0, 2]
    assert not part["visible"].flags.writeable
    for name, array in arrays.items():
        np.testing.assert_array_equal(reader["a"][name], array)


def test_the_one_result_of_a_stage_is_found_and_one_of_two_must_be_named(root: Path, fill: Fill) -> None:
    fill(inputs(2))
    assert CacheReader.find(root, SUPERPOINTS, "superpoints").stamp.json == STAMP.json
    with Store.resume(root, SUPERPOINTS, Stamp("superpoints", {"regularization": 0.1, "seed": 0})):
        pass
    with pytest.raises(CacheMismatch, match=r"has 2 results of superpoints, which differ: regularization 0\.\d+, not"):
        CacheReader.find(root, SUPERPOINTS, "superpoints")


def test_what_is_absent_is_told_with_the_command_that_makes_it(root: Path, fill: Fill) -> None:
    with pytest.raises(CacheMissing, match=r"has no superpoints\.$") as missing:
        CacheReader.find(root, SUPERPOINTS, "superpoints")
    assert missing.value.hint == "s4tok superpoints makes them."
    fill(inputs(2))
    with pytest.raises(CacheMismatch, match=r"was made with regularization 0\.05, not 0\.1; seed 0, not 3\."):
        CacheReader(root, SUPERPOINTS, Stamp("superpoints", {"regularization": 0.1, "seed": 3}))
    with pytest.raises(CacheMissing, match=r"lacks 4 entries: a, b, c, \.\.\."):
        CacheReader(root, SUPERPOINTS, STAMP).require(["a", "room 0/a", "b", "c", "d"])
    with pytest.raises(CacheMissing, match=r"lacks an entry: a\.$"):
        CacheReader(root, SUPERPOINTS, STAMP).require(["a", "room 0/a"])


def test_a_result_of_another_layout_version_is_refused(root: Path, fill: Fill) -> None:
    fill(inputs(2))
    with pytest.raises(CacheMismatch, match="version 1, and this s4tok has superpoints, version 2"):
        CacheReader(root, replace(SUPERPOINTS, version=2), STAMP)


def test_damage_is_in_the_way_only_of_what_was_lost(root: Path, fill: Fill) -> None:
    folder = fill(inputs(10))
    hurt = sorted(folder.glob("seg-*"))[1]
    content = bytearray(hurt.read_bytes())
    content[:64] = bytes(64)
    hurt.write_bytes(content)
    reader = CacheReader(root, SUPERPOINTS, STAMP)
    assert len(reader) == 5
    assert all(is_whole(reader, key) for key in reader)
    with pytest.raises(CacheCorrupt, match=f"lacks 5 entries .* damaged files, 1 in all: .*{hurt.name} is damaged"):
        reader.require(inputs(10))


def test_a_segment_that_went_while_reading_is_looked_for_elsewhere(root: Path, fill: Fill) -> None:
    folder = fill(inputs(10))
    reader = CacheReader(root, SUPERPOINTS, STAMP)
    pack(folder, settling=0)
    for path in folder.glob("seg-*"):
        path.unlink()
    assert all(is_whole(reader, key) for key in reader)
    (root / f"{folder.name}.h5").unlink()
    reader.close()
    with pytest.raises(CacheMissing):
        reader.read("room 1/a")


def test_a_file_that_was_packed_anew_while_reading_is_opened_anew(root: Path, fill: Fill) -> None:
    folder = fill(inputs(2))
    pack(folder, settling=0)
    collect(plan(folder))
    fill(inputs(4))
    reader = CacheReader(root, SUPERPOINTS, STAMP)
    assert all(is_whole(reader, key) for key in inputs(2))  # out of the packed file
    pack(folder, settling=0)
    collect(plan(folder))
    assert all(is_whole(reader, key) for key in inputs(4))


def test_a_cache_behind_a_link_is_read(root: Path, tmp_path: Path, fill: Fill) -> None:
    fill(inputs(3))
    (tmp_path / "link").symlink_to(root.parent)
    reader = CacheReader(tmp_path / "link" / root.name, SUPERPOINTS, STAMP)
    assert all(is_whole(reader, key) for key in reader)


def test_a_result_in_a_folder_that_cannot_be_written_to_is_read(root: Path, fill: Fill) -> None:
    folder = fill(inputs(10))
    (folder / ".index.json").unlink(missing_ok=True)
    folder.chmod(0o500)  # of no consequence for root, who runs tests in containers
    try:
        assert len(CacheReader(root, SUPERPOINTS, STAMP)) == 10
    finally:
        folder.chmod(0o700)


def test_failures_are_told_until_the_entry_is_made(fill: Fill) -> None:
    expected = inputs(3)
    key, *others = expected
    folder = fill({other: expected[other] for other in others})
    with Store.resume(folder.parent, SUPERPOINTS, STAMP) as store:
        store.missing(expected)
        store.fail(key, "it is broken", expected[key])
    failures = CacheReader(folder.parent, SUPERPOINTS, STAMP).failures()
    assert {name: each.reason for name, each in failures.items()} == {key: "it is broken"}
    fill(expected)
    assert not CacheReader(folder.parent, SUPERPOINTS, STAMP).failures()
