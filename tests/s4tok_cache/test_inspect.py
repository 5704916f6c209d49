from pathlib import Path

import pytest

from s4tok_cache import CacheCorrupt, Fingerprint, Shard, Store, examine, results
from s4tok_cache.inspect import stamps_of
from s4tok_cache.pack import pack
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP, Fill, inputs


def test_a_result_says_what_is_missing_and_which_shards_make_it(fill: Fill) -> None:
    fill(inputs(20), Shard(1, 4))
    folder = fill(inputs(20), Shard(3, 4))
    result = examine(folder)
    assert not result.is_complete
    assert set(result.missing) == {*Shard(0, 4).deal(sizes()), *Shard(2, 4).deal(sizes())}
    assert result.shards_to_run() == [Shard(0, 4), Shard(2, 4)]
    assert (len(result.index.where), result.segments, result.is_packed) == (10, 2, False)
    fill(inputs(20))
    assert examine(folder).is_complete
    assert examine(folder).shards_to_run() == []


def test_an_entry_whose_input_has_changed_is_missing(fill: Fill) -> None:
    fill(inputs(3))
    changed = {**inputs(3), "room 1/a": Fingerprint("room 1/a.ply", 1, 5)}
    folder = fill(changed, stop_after=0)
    assert list(examine(folder).missing) == ["room 1/a"]


def test_entries_of_other_results_are_not_asked_for_again_by_a_task_that_began_before_they_were_made(
    fill: Fill,
) -> None:
    made = {key: each.with_entries(["digest"]) for key, each in inputs(3).items()}
    fill(made)
    early = {key: each.with_entries([]) for key, each in inputs(3).items()}
    folder = fill(early, stop_after=0)
    assert examine(folder).is_complete


def test_a_folder_named_from_where_one_stands_has_the_same_results(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fill(inputs(2)).parent
    monkeypatch.chdir(root.parent)
    assert stamps_of(Path(root.name), "superpoints") == stamps_of(root, "superpoints") == [STAMP]


def sizes() -> dict[str, int]:
    return {key: one.size for key, one in inputs(20).items()}


def test_a_result_that_no_run_has_described_is_not_called_complete(fill: Fill) -> None:
    folder = fill(inputs(2))
    (folder / "expected.json").unlink()
    result = examine(folder)
    assert (result.expected, result.is_complete, list(result.missing)) == (None, False, [])


def test_all_results_are_found_wherever_one_looks_from(tmp_path: Path, fill: Fill) -> None:
    cache = tmp_path / "cache"
    one = fill(inputs(2), where=cache / "toys" / "train")
    two = fill(inputs(2), where=cache / "rooms" / "val")
    packed = pack(two, settling=0).path
    assert list(results(cache)) == [two, one]
    assert list(results(cache / "toys")) == [one]
    assert list(results(one)) == [one]
    for path in two.iterdir():
        path.unlink()
    two.rmdir()
    assert list(results(cache)) == [two, one]
    assert list(results(packed)) == [two]
    assert examine(two).is_packed
    assert list(results(tmp_path / "nothing")) == []


def test_a_packed_file_under_another_ones_name_is_refused(fill: Fill) -> None:
    folder = fill(inputs(2))
    packed = pack(folder, settling=0).path
    other = folder.parent / f"superpoints-{'0' * 12}"
    packed.rename(f"{other}.h5")
    with pytest.raises(CacheCorrupt, match=f"holds what belongs into {folder.name}"):
        examine(other)


@pytest.mark.parametrize("name", ["stage.json", "expected.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"a":[1]}', b"\xff", b"[" * 100_000])
def test_a_broken_description_is_named(fill: Fill, name: str, content: bytes) -> None:
    folder = fill(inputs(2))
    if (name, content) == ("expected.json", b"{}"):
        return  # which says that nothing was asked for
    (folder / name).write_bytes(content)
    with pytest.raises(CacheCorrupt, match=rf"{name} is damaged\."):
        examine(folder)
    fill(inputs(2))
    assert examine(folder).is_complete


def test_a_broken_list_of_failures_is_named(fill: Fill) -> None:
    folder = fill(inputs(2))
    with Store.resume(folder.parent, SUPERPOINTS, STAMP) as store:
        store.fail("x", "why", Fingerprint("x", 1))
    (path,) = folder.glob("fail-*")
    path.write_text(path.read_text().replace("why", "not"))
    with pytest.raises(CacheCorrupt, match=f"{path.name} is damaged"):
        examine(folder)
