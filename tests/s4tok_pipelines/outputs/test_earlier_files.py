import os
from pathlib import Path

import pytest

from s4tok_pipelines.outputs.earlier_files import tell_earlier, times_of
from tests.notes import Warnings


@pytest.mark.parametrize("is_there", [True, False])
def test_files_of_these_clouds_that_a_run_has_not_written_are_told(tmp_path: Path, is_there: bool) -> None:
    folder, said = tmp_path / "labels", Warnings()
    names = ("hall.html", "hall.labels.ply", "hall 2.html", "a.b/hall.html", "other.html", "result.json")
    for name in names if is_there else ():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("old")
        os.utime(folder / name, (1, 1))
    stems = ["hall", "a.b/hall", "hall.labels"]
    before = times_of(folder, stems)
    assert sorted(before) == (["a.b/hall.html", "hall.html", "hall.labels.ply"] if is_there else [])
    folder.mkdir(exist_ok=True)
    (folder / "hall.labels.ply").write_text("new")
    tell_earlier(folder, stems, before, said)
    old = f"{folder} still has 2 files of these clouds from an earlier run: a.b/hall.html, hall.html."
    assert said.said == ([old] if is_there else [])
