import os
from pathlib import Path

import numpy as np
import pytest

from s4tok_cache import ArraySpec, Fingerprint, Layout, Stamp, Store
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.running import Run

STAMP = Stamp("superpoints", {"regularization": 0.05})
INPUTS = {f"{number}": Fingerprint(f"{number}.ply", 9, 9) for number in range(6)}


def fill(cache: Path, count: int) -> Path:
    with Store.resume(cache / "toys" / "train", SUPERPOINTS, STAMP) as store:
        for key in store.missing(INPUTS)[:count]:
            store.write(key, {"labels": np.zeros(9, np.int32)}, INPUTS[key], {"n_superpoints": 1})
    return store.folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "cache", 4)


def test_ls_says_how_a_result_was_made_and_what_is_missing(s4tok: Run, folder: Path) -> None:
    done = s4tok("cache", "ls", "--cache", "cache")
    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    assert first == f"toys/train/{folder.name}"
    assert second.startswith("  2 of 6 entries missing (4, 5; shards 0/1), ")
    assert second.endswith(" kB in 1 segment")
    assert s4tok("cache", "ls", "-v", "--cache", "cache").stdout.splitlines()[2] == "  regularization 0.05"


def test_ls_tells_what_two_results_of_a_stage_differ_in(s4tok: Run, folder: Path) -> None:
    other = Stamp("superpoints", {"regularization": 0.2})
    with Store.resume(folder.parent, SUPERPOINTS, other):
        pass
    said = s4tok("cache", "ls", "--cache", "cache").stdout
    earlier, later = sorted([folder.name, other.folder])
    values = {folder.name: 0.05, other.folder: 0.2}
    assert f"  differs from {earlier}: regularization {values[later]}, not {values[earlier]}" in said


def test_ls_gives_one_object_to_a_script(s4tok: Run, folder: Path) -> None:
    done = s4tok("cache", "ls", "--json", S4TOK_CACHE="cache")
    (result,) = done.json["results"]
    assert result["path"] == str(folder)
    assert (result["dataset"], result["split"], result["stage"]) == ("toys", "train", "superpoints")
    assert (result["entries"], result["expected"], result["missing"], result["complete"]) == (4, 6, 2, False)
    assert result["made_with"]["parameters"] == {"regularization": 0.05}


def test_ls_of_no_cache_is_an_empty_list_and_of_no_result_an_error(s4tok: Run, folder: Path) -> None:
    done = s4tok("cache", "ls", "--cache", "nothing")
    assert (done.returncode, done.stdout) == (0, "nothing in nothing\n")
    done = s4tok("cache", "ls", "--cache", "cache", "toys/val")
    assert done.returncode == 4
    assert "error: toys/val is no result of a stage" in done.stderr


def test_verify_exits_5_on_damage_and_repair_lets_the_next_run_mend_it(s4tok: Run, folder: Path) -> None:
    done = s4tok("cache", "verify", "--cache", "cache", "toys/train")
    assert (done.returncode, done.stdout) == (0, "4 entries in 1 files read: all whole\n")
    (path,) = folder.glob("seg-*")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = s4tok("cache", "verify", "--repair", "--json", str(folder))
    assert done.returncode == 5
    facts = done.json
    assert (facts["ok"], list(facts["damaged"])) == (False, [str(path)])
    assert facts["set_aside"] == [str(folder / "quarantine" / path.name)]
    assert path.name in done.stderr
    fill(folder.parents[2], 6)
    assert s4tok("cache", "verify", "--cache", "cache").returncode == 0


def test_ls_shows_a_description_that_cannot_be_read_and_exits_5(s4tok: Run, folder: Path) -> None:
    (folder / "stage.json").write_text("{")
    done = s4tok("cache", "ls", "--cache", "cache")
    assert done.returncode == 5
    assert f"unreadable: {folder / 'stage.json'} is damaged." in done.stdout


def test_pack_refuses_an_incomplete_result_with_the_way_out(s4tok: Run, folder: Path) -> None:
    for path in folder.glob("seg-*"):
        os.utime(path, (0, 0))  # long ago, so that nothing can be on its way
    done = s4tok("cache", "pack", "--cache", "cache")
    assert done.returncode == 4
    assert f"error: {folder} lacks 2 of 6 entries (4, 5), 0 of which could not be made." in done.stderr
    assert "hint: run the stage again with --shard 0/1." in done.stderr


def test_pack_packs_what_is_complete_and_tells_what_is_not(s4tok: Run, folder: Path) -> None:
    whole = fill(folder.parents[2] / "more", 6)
    for path in folder.glob("seg-*"):
        os.utime(path, (0, 0))
    done = s4tok("cache", "pack", "--json", "--cache", "cache")
    assert done.returncode == 4
    facts = done.json
    assert [one["path"] for one in facts["packed"]] == [f"{whole}.h5"]
    assert list(facts["refused"]) == [str(folder)]


def test_what_an_earlier_version_kept_is_listed_read_and_packed(s4tok: Run, tmp_path: Path) -> None:
    whole = fill(tmp_path / "cache", 6)
    patches = Layout("clip-patches", 1, {"patches": ArraySpec("float16", "v d", "of each patch")}, "extract-clip")
    with Store.resume(whole.parent, patches, Stamp("extract-clip-patches", {"clip": "mini"})) as store:
        store.missing({"0": INPUTS["0"]})
        store.write("0", {"patches": np.zeros((2, 3), np.float16)}, INPUTS["0"])
    for path in tmp_path.glob("cache/toys/train/*/seg-*"):
        os.utime(path, (0, 0))
    assert "extract-clip-patches" in s4tok("cache", "ls", "--cache", "cache").stdout
    assert s4tok("cache", "verify", "--cache", "cache").stdout == "7 entries in 2 files read: all whole\n"
    done = s4tok("cache", "pack", "--json", "--cache", "cache")
    assert {one["path"] for one in done.json["packed"]} == {f"{whole}.h5", f"{store.folder}.h5"}


def test_pack_then_gc_leaves_one_file(s4tok: Run, folder: Path) -> None:
    fill(folder.parents[2], 6)
    done = s4tok("cache", "pack", "--cache", "cache")
    assert done.returncode == 0
    assert done.stdout.startswith(f"6 entries packed: {folder}.h5 (")
    done = s4tok("cache", "gc", "--dry-run", "--json", "--cache", "cache")
    facts = done.json
    assert [file["reason"] for file in facts["files"]] == ["packed", "packed"]
    assert len(list(folder.glob("seg-*"))) == 2
    done = s4tok("cache", "gc", "--cache", "cache")
    assert done.stdout.startswith("2 files removed, ")
    assert list(folder.glob("seg-*")) == []
    done = s4tok("cache", "ls", "--cache", "cache")
    assert "complete, 6 entries" in done.stdout
    assert "in one packed file" in done.stdout


def test_cache_alone_lists_its_commands(s4tok: Run) -> None:
    done = s4tok("cache")
    assert done.returncode == 0
    for name in ("ls", "verify", "pack", "gc"):
        assert f" {name} " in done.stdout
