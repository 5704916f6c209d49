import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from s4tok_cache import (
    CacheError,
    CacheMismatch,
    CacheMissing,
    CacheReader,
    FileSystem,
    Fingerprint,
    Shard,
    Stamp,
    Store,
    examine,
)
from s4tok_cache import store as store_module
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP, Fill

INPUT = Fingerprint("a.ply", 10, 5)


class Stop(BaseException):
    """What a signal handler raises."""


def put(store: Store, key: str, value: int = 0, fingerprint: Fingerprint = INPUT, size: int = 4) -> list[str]:
    return store.write(key, {"labels": np.full(size, value, np.int32)}, fingerprint, {"n_superpoints": value + 1})


def resume(root: Path, *, overwrite: bool = False, files: FileSystem | None = None) -> Store:
    return Store.resume(root, SUPERPOINTS, STAMP, overwrite=overwrite, files=files)


def segments(store: Store) -> list[Path]:
    return sorted(store.folder.glob("seg-*.h5"))


def test_what_was_written_comes_back_in_another_run(root: Path) -> None:
    with resume(root) as store:
        put(store, "b/1", 7)
    again = resume(root)
    entry = again.read("b/1")
    np.testing.assert_array_equal(entry["labels"], [7, 7, 7, 7])
    assert entry["labels"].dtype == np.int32
    assert entry.attributes == {"n_superpoints": 8}
    assert entry.fingerprint == INPUT
    assert again.keys() == ["b/1"]


def test_a_run_that_stopped_goes_on_with_what_is_missing(root: Path, fill: Fill) -> None:
    expected = {f"{n}": Fingerprint(f"{n}.ply", n, 5) for n in range(20)}
    fill(expected, stop_after=13)
    with resume(root) as store:
        assert store.missing(expected) == sorted(expected)[13:]
    folder = fill(expected)
    assert examine(folder).is_complete


def test_an_entry_whose_input_changed_is_missing_and_the_new_one_wins(root: Path) -> None:
    changed = INPUT._replace(mtime_ns=6)
    with resume(root) as store:
        put(store, "a", 1)
        assert store.missing({"a": INPUT}) == []
        assert store.missing({"a": changed}) == ["a"]
    with resume(root) as store:
        assert store.missing({"a": changed}) == ["a"]
        put(store, "a", 2, changed)
        assert store.missing({"a": changed}) == []
    assert resume(root).read("a")["labels"][0] == 2


def test_overwriting_makes_everything_once_more_and_removes_nothing_before(root: Path) -> None:
    with resume(root) as store:
        put(store, "a", 1)
        put(store, "b", 1)
    with resume(root, overwrite=True) as store:
        assert store.missing({"a": INPUT, "b": INPUT}) == ["a", "b"]
        put(store, "a", 2)
        store.commit()
        assert store.missing({"a": INPUT, "b": INPUT}) == ["b"]
        assert store.read("b")["labels"][0] == 1
    assert resume(root).read("a")["labels"][0] == 2


def test_the_newest_wins_even_when_the_clock_was_set_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with resume(root) as store:
        put(store, "a", 1)
    monkeypatch.setattr("s4tok_cache.store.time.time_ns", lambda: 1)
    with resume(root, overwrite=True) as store:
        put(store, "a", 2)
    assert resume(root).read("a")["labels"][0] == 2


def test_an_array_changed_after_it_was_written_is_stored_as_it_was(root: Path) -> None:
    labels = np.zeros(4, np.int32)
    with resume(root) as store:
        store.write("a", {"labels": labels}, INPUT, {"n_superpoints": 1})
        labels[:] = 9
    assert resume(root).read("a")["labels"].tolist() == [0, 0, 0, 0]


def test_empty_and_large_arrays_and_odd_keys_come_back(root: Path) -> None:
    large = np.random.default_rng(0).integers(0, 9, 700_000, np.int32)  # three chunks
    with resume(root) as store:
        store.write("../..", {"labels": large}, INPUT, {"n_superpoints": 9})
        store.write("räume/büro %41", {"labels": large[:0]}, INPUT, {"n_superpoints": 0})
    again = resume(root)
    np.testing.assert_array_equal(again.read("../..")["labels"], large)
    assert again.read("räume/büro %41")["labels"].shape == (0,)


def test_a_segment_closes_at_sixty_four_entries(root: Path) -> None:
    store = resume(root)
    durable = [put(store, f"{n:03d}") for n in range(65)]
    assert durable[:63] == [[]] * 63
    assert durable[63] == [f"{n:03d}" for n in range(64)]
    assert store.pending == ["064"]
    assert len(segments(store)) == 1


def test_a_segment_closes_before_it_grows_over_its_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MOST_BYTES", 100)
    store = resume(root)
    assert put(store, "a", size=15) == []
    assert put(store, "b", size=15) == ["a"]
    assert put(store, "c", size=40) == ["b", "c"]


def test_a_segment_closes_after_half_a_minute_of_work(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = resume(root)
    assert put(store, "a") == []
    now = time.monotonic()
    monkeypatch.setattr("s4tok_cache.store.time.monotonic", lambda: now + 31)
    assert put(store, "b") == ["a", "b"]
    assert put(store, "c") == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_buffered_is_committed_when_the_work_ends_in_an_exception(
    root: Path, error: type[BaseException]
) -> None:
    def work() -> None:
        with resume(root) as store:
            put(store, "a", 1)
            raise error

    with pytest.raises(error):
        work()
    assert resume(root).keys() == ["a"]


def test_a_signal_while_the_buffer_is_committed_on_the_way_out_loses_nothing(root: Path) -> None:
    class Interrupted(FileSystem):
        armed = False

        def fsync(self, descriptor: int) -> None:
            if self.armed:
                self.armed = False
                raise Stop
            super().fsync(descriptor)

    files = Interrupted()

    def work() -> None:
        with resume(root, files=files) as store:
            put(store, "a", 1)
            files.armed = True

    with pytest.raises(Stop):
        work()
    assert resume(root).read("a")["labels"][0] == 1


def test_an_exception_at_any_line_of_a_commit_loses_nothing(root: Path) -> None:
    """Raise at the k-th line run by the cache's own code, for every k, and commit again."""
    package = str(Path(store_module.__file__).parent)
    reached = True
    k = 0
    while reached:
        k += 7 if k > 40 else 1  # every line of the beginning, then a comb, whose teeth move with each key
        store = resume(root)
        key = f"{k}"
        put(store, key, k)
        left, reached = k, False

        def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
            nonlocal left, reached
            if not frame.f_code.co_filename.startswith(package):
                return None
            if event == "line":
                left -= 1
                if left == 0:
                    reached = True
                    sys.settrace(None)
                    raise Stop
            return trace

        sys.settrace(trace)
        try:
            store.commit()
        except Stop:
            pass
        finally:
            sys.settrace(None)
        store.commit()
        assert store.pending == []
        assert resume(root).read(key)["labels"][0] == k
    assert k > 60  # the loop went through the whole of it
    assert not list(root.rglob("*.tmp"))


class Fault(FileSystem):
    """Fails at the k-th call that changes or reads anything, counted over all calls."""

    def __init__(self, at: int, errno: int) -> None:
        self.at, self.errno, self.calls = at, errno, 0

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        if name in ("open", "write", "fsync", "close", "replace", "mkdir", "listdir", "stat", "read"):
            self.calls += 1
            if self.calls == self.at:
                raise OSError(self.errno, os.strerror(self.errno))
        return value


def test_a_failure_of_any_system_call_is_an_error_with_a_path_or_harmless(tmp_path: Path) -> None:
    at, failed = 0, 0
    while True:
        at += 5  # `make torture` takes every one
        root = tmp_path / f"{at}" / "toys" / "train"
        files = Fault(at, 28)
        try:
            with resume(root, files=files) as store:
                put(store, "a", 1)
                store.commit()
                put(store, "b", 2)
        except OSError:
            failed += 1
        if files.calls < at:
            break
        assert not list(root.rglob("*.tmp"))
        with resume(root) as store:
            put(store, "a", 1)
            put(store, "b", 2)
        assert [resume(root).read(key)["labels"][0] for key in "ab"] == [1, 2]
    assert failed >= 5


def test_a_disk_that_fills_up_is_named_by_path_and_a_later_commit_succeeds(root: Path) -> None:
    class Full(FileSystem):
        is_full = True

        def write(self, descriptor: int, content: memoryview) -> int:
            if self.is_full and len(content) < 1000:
                raise OSError(28, "No space left on device")
            return super().write(descriptor, content[:1000])  # and short writes before

    files = Full()
    files.is_full = False
    store = resume(root, files=files)
    put(store, "a", 1)
    files.is_full = True
    with pytest.raises(OSError, match=r"No space left on device: '.*seg-.*\.h5'"):
        store.commit()
    assert store.pending == ["a"]
    files.is_full = False
    assert store.commit() == ["a"]


def test_a_failed_entry_is_listed_until_it_succeeds_and_tried_again_by_the_next_run(root: Path) -> None:
    with resume(root) as store:
        store.fail("a", "it has one point", INPUT)
        assert store.failures()["a"].reason == "it has one point"
    with resume(root) as store:
        assert store.missing({"a": INPUT}) == ["a"]
        assert store.failures()["a"].reason == "it has one point"
        store.fail("a", "it still has one point", INPUT)
    with resume(root) as store:
        assert store.failures()["a"].reason == "it still has one point"
        put(store, "a")
        assert store.failures() == {}
    assert resume(root).failures() == {}
    assert resume(root, overwrite=True).failures() == {}


def test_a_success_then_a_changed_input_that_fails_is_a_failure(root: Path) -> None:
    changed = INPUT._replace(size=11)
    with resume(root) as store:
        put(store, "a")
        store.commit()
        store.fail("a", "it has no points", changed)
        assert list(store.failures()) == ["a"]


def test_a_damaged_segment_is_named_and_its_entries_are_made_again(root: Path, fill: Fill) -> None:
    expected = {f"{n}": Fingerprint(f"{n}.ply", n, 5) for n in range(9)}
    folder = fill(expected)
    hurt = sorted(folder.glob("seg-*"))[0]
    hurt.write_bytes(hurt.read_bytes()[:-200])
    store = resume(root)
    assert list(store.damaged) == [f"{folder.name}/{hurt.name}"]
    assert len(store.missing(expected)) == 5
    fill(expected)
    assert resume(root).missing(expected) == []


def test_shards_and_a_shard_started_twice_make_one_result(root: Path, fill: Fill) -> None:
    expected = {f"{n}": Fingerprint(f"{n}.ply", n, 5) for n in range(40)}
    for number in (2, 0, 1, 1):
        fill(expected, Shard(number, 3))
    with resume(root) as store:
        assert store.missing(expected) == []
        assert len(store.keys()) == 40


def test_the_index_file_is_only_a_shortcut(root: Path, fill: Fill) -> None:
    expected = {f"{n}": Fingerprint(f"{n}.ply", n, 5) for n in range(9)}
    folder = fill(expected)
    examine(folder)
    for content in (b"", b"{}", b"x" * 32 + b"\n{}", (folder / ".index.json").read_bytes()[:-9]):
        (folder / ".index.json").write_bytes(content)
        assert resume(root).missing(expected) == []
    (folder / ".index.json").unlink()
    assert resume(root).missing(expected) == []


def test_a_folder_made_otherwise_under_the_same_name_is_refused(root: Path, fill: Fill) -> None:
    folder = fill({"a": INPUT})
    other = Stamp("superpoints", {"regularization": 0.1, "seed": 0})
    folder.rename(folder.parent / other.folder)
    with pytest.raises(CacheMismatch, match=r"was made with regularization 0\.05, not 0\.1"):
        Store.resume(root, SUPERPOINTS, other)
    (folder.parent / other.folder).rename(folder)
    with pytest.raises(CacheMismatch, match=r"holds superpoints, version 1, and this s4tok has superpoints, version 2"):
        Store.resume(root, replace(SUPERPOINTS, version=2), STAMP)


def test_a_segment_made_otherwise_counts_as_damage(root: Path, fill: Fill) -> None:
    folder = fill({"a": INPUT})
    other = Stamp("superpoints", {"regularization": 0.1, "seed": 0})
    stray = next(folder.glob("seg-*"))
    with Store.resume(root, SUPERPOINTS, other) as store:
        stray.rename(store.folder / stray.name)
    again = Store.resume(root, SUPERPOINTS, other)
    (error,) = again.damaged.values()
    assert "was made otherwise than its folder says: regularization 0.05, not 0.1" in str(error)
    assert again.keys() == []


def test_asking_for_what_is_not_there_says_so(root: Path) -> None:
    with resume(root) as store, pytest.raises(CacheMissing, match="has no entry 'a'"):
        store.read("a")
    with pytest.raises(CacheError) as caught:
        CacheReader(root.parent / "val", SUPERPOINTS, STAMP)
    assert caught.value.hint == "s4tok superpoints makes them."
