"""Malformed files of every format are read or refused in a sentence: `FUZZ=2000 SEED=1 make test ARGS=tests/fuzz`."""

import os
from collections import Counter
from pathlib import Path

import numpy as np

from tests.fuzz.losses import is_loss
from tests.fuzz.malformed import DAMAGES, Malformed, make
from tests.fuzz.reading import Outcome, read_all
from tests.fuzz.samples import samples
from tests.running import Run
from tests.torture.tally import seed

COUNT = int(os.environ.get("FUZZ") or 300)
GOOD = {"read", "refused"}


def try_files(folder: Path, count: int) -> tuple[Counter[str], list[str]]:
    """Read malformed files, count what came of them, and say what must not be."""
    cases = make(seed(), count)
    for case in cases:
        (folder / case.name).write_bytes(case.content)
    counts, problems = Counter[str](), list[str]()
    for case, found in zip(cases, read_all(folder / case.name for case in cases), strict=True):
        kind = "loses something without a word" if is_loss(case, found) else found.kind
        counts[kind] += 1
        if kind not in GOOD:
            problems.append(f"{case.name}: {kind}: {found.said or found}")
    return counts, problems


def test_valid_files_are_read_whole(tmp_path: Path) -> None:
    valid = samples()
    paths = [tmp_path / f"{number}{sample.suffix}" for number, sample in enumerate(valid)]
    for path, sample in zip(paths, valid, strict=True):
        path.write_bytes(sample.content)
    for path, sample, found in zip(paths, valid, read_all(paths), strict=True):
        assert found == Outcome("read", "", sample.points, sample.faces), path


def test_malformed_files_are_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    counts, problems = try_files(tmp_path, COUNT)
    print(f"fuzz: {counts.total()} files, seed {seed()}: {dict(counts)}")
    assert not problems, "\n".join([str(dict(counts)), *problems[:20]])
    assert counts.total() == COUNT
    if COUNT >= 300:
        assert min(counts["read"], counts["refused"]) > COUNT // 20, (
            "a fuzz that damages nothing, or all, finds nothing"
        )


def test_a_file_is_the_same_whatever_the_count_and_every_damage_is_done() -> None:
    some, more = make(1, 30), make(1, 60)
    assert more[:30] == some
    assert make(2, 30) != some
    assert {case.damage for case in make(1, len(samples()) * len(DAMAGES))} == {each.__name__ for each in DAMAGES}


def test_a_point_or_a_face_less_is_a_loss_in_every_format_but_glb() -> None:
    for valid in samples():
        case = Malformed(f"00000-flipped{valid.suffix}", valid.content, valid, "flipped")
        less = Outcome("read", "", max(valid.points - 1, 0), max(valid.faces - 1, 0))
        assert not is_loss(case, Outcome("read", "", valid.points, valid.faces))
        assert not is_loss(case, less._replace(kind="refused"))
        assert is_loss(case, less) == (valid.suffix != ".glb")


def test_special_files_among_malformed_ones_end_nothing_and_none_is_lost(s4tok: Run, tmp_path: Path) -> None:
    cases = make(seed(), 2 * len(samples()))
    for case in cases:
        (tmp_path / case.name).write_bytes(case.content)
    os.mkfifo(tmp_path / "pipe.ply")
    (tmp_path / "zeros.pcd").symlink_to("/dev/zero")
    (tmp_path / "gone.las").symlink_to("nowhere.las")
    (tmp_path / "itself.obj").symlink_to("itself.obj")
    (tmp_path / "folder.off").mkdir()
    np.savetxt(tmp_path / os.fsdecode(b"\xff\xfe.xyz"), np.eye(3))
    named = [case.name for case in cases if not case.name.endswith(".txt")]
    outcomes = dict(zip(named, read_all(tmp_path / name for name in named), strict=True))
    done = s4tok("data", "check", tmp_path, "--json")
    assert done.returncode == 4
    problems = {Path(each["path"]).name for each in done.json["findings"] if each["severity"] == "problem"}
    assert problems == {name for name, found in outcomes.items() if found.kind != "read"} | {"gone.las", "itself.obj"}
    assert done.json["splits"]["all"] == len(named) + 3
    assert f"{len(cases) - len(named)} .txt files are passed over" in done.stdout
