from pathlib import Path

import h5py
import numpy as np
import pytest

from s4tok_cache import CacheMissing, CacheReader, Store, examine
from s4tok_cache.pack import pack
from s4tok_cache.verify import verify
from s4tok_pipelines.layouts import SUPERPOINTS
from tests.s4tok_cache.rooms import STAMP, Fill, inputs


def test_a_whole_result_is_found_whole_in_segments_and_packed(fill: Fill) -> None:
    folder = fill(inputs(12))
    verdict = verify(folder)
    assert (verdict.files, verdict.entries, verdict.damaged) == (3, 12, {})
    pack(folder, settling=0)
    verdict = verify(folder)
    assert (verdict.files, verdict.entries, verdict.damaged) == (4, 24, {})


def test_every_flipped_bit_of_a_segment_is_found(fill: Fill) -> None:
    folder = fill(inputs(3))
    (path,) = folder.glob("seg-*")
    whole = path.read_bytes()
    for place in np.random.default_rng(0).integers(0, 8 * len(whole), 100).tolist():
        hurt = bytearray(whole)
        hurt[place // 8] ^= 1 << place % 8
        path.write_bytes(hurt)
        assert list(verify(folder).damaged) == [path]


def test_a_changed_value_in_a_packed_file_is_found_and_repair_falls_back_on_the_segments(fill: Fill) -> None:
    folder = fill(inputs(6))
    path = pack(folder, settling=0).path
    with h5py.File(path, "r+", libver="v110") as file:
        file["entries/room 4%2Fa/labels"][0] += 1
    verdict = verify(folder, repair=True)
    assert list(verdict.damaged) == [path]
    assert "room 4/a is not what was written" in verdict.damaged[path]
    assert verdict.set_aside == [folder / "quarantine" / path.name]
    assert verify(folder).damaged == {}
    assert len(CacheReader(folder.parent, SUPERPOINTS, STAMP)) == 6


def test_what_is_set_aside_is_made_again_by_the_next_run(fill: Fill) -> None:
    folder = fill(inputs(12))
    with Store.resume(folder.parent, SUPERPOINTS, STAMP) as store:
        store.fail("room 3/a", "no reason", inputs(12)["room 3/a"])
    hurt = [sorted(folder.glob("seg-*"))[1], next(folder.glob("fail-*")), folder / "stage.json"]
    for path in hurt:
        path.write_bytes(path.read_bytes()[:-3])
    verdict = verify(folder, repair=True)
    assert sorted(verdict.damaged) == sorted(hurt)
    assert all((folder / "quarantine" / path.name).is_file() for path in hurt)
    fill(inputs(12))
    assert examine(folder).is_complete
    assert verify(folder).damaged == {}


def test_a_segment_under_another_ones_name_is_damage(fill: Fill) -> None:
    folder = fill(inputs(10))
    first, second = sorted(folder.glob("seg-*"))
    first.write_bytes(second.read_bytes())
    assert list(verify(folder).damaged) == [first]


def test_a_folder_that_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CacheMissing, match="is no stage's result"):
        verify(tmp_path)
