"""Malformed files of every format are read or refused in a sentence: `FUZZ=2000 SEED=1 make test ARGS=tests/fuzz`."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz.losses import is_loss
from tests.fuzz.malformed import DAMAGES, Malformed, make, malformed
from tests.fuzz.reading import Outcome, read_all
from tests.fuzz.samples import e57_sample, samples, usd_samples
from tests.running import Run
from tests.torture.tally import seed

COUNT = int(os.environ.get("FUZZ") or 300)
GOOD = {"read", "refused"}


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def try_files(folder: Path, cases: list[Malformed]) -> tuple[Counter[str], list[str]]:
    """Read malformed files, count what came of them, and say what must not be."""
    write(folder, {case.name: case.content for case in cases})
    counts, problems = Counter[str](), list[str]()
    for case, found in zip(cases, read_all(folder / case.name for case in cases), strict=True):
        kind = "loses something without a word" if is_loss(case, found) else found.kind
        counts[kind] += 1
        if kind not in GOOD:
            problems.append(f"{case.name}: {kind}: {found.said or found}")
    return counts, problems


def test_valid_files_are_read_whole(tmp_path: Path) -> None:
    valid = samples()
    names = [f"{number}/{'a' * sample.suffix.startswith('.')}{sample.suffix}" for number, sample in enumerate(valid)]
    write(tmp_path, {name: sample.content for name, sample in zip(names, valid, strict=True)})
    paths = [tmp_path / name for name in names]
    for path, sample, found in zip(paths, valid, read_all(paths), strict=True):
        assert found == Outcome("read", "", sample.points, sample.faces), path


def test_malformed_files_are_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    counts, problems = try_files(tmp_path, make(seed(), COUNT))
    print(f"fuzz: {counts.total()} files, seed {seed()}: {dict(counts)}")
    assert not problems, "\n".join([str(dict(counts)), *problems[:20]])
    assert counts.total() == COUNT
    if COUNT >= 300:
        assert min(counts["read"], counts["refused"]) > COUNT // 20, (
            "a fuzz that damages nothing, or all, finds nothing"
        )


def test_malformed_e57_files_are_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pye57")
    valid = e57_sample(tmp_path)
    counts, problems = try_files(tmp_path, [malformed(seed(), number, [valid]) for number in range(COUNT // 5)])
    assert not problems, "\n".join([str(dict(counts)), *problems[:20]])
    assert counts["refused"] > counts.total() // 2


@pytest.mark.slow
def test_malformed_usd_files_are_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pxr")
    valid = usd_samples(tmp_path)  # few, for each is read in a process of its own
    counts, problems = try_files(tmp_path, [malformed(seed(), number, valid) for number in range(COUNT // 30)])
    print(f"fuzz of USD: {counts.total()} files, seed {seed()}: {dict(counts)}")
    assert not problems, "\n".join([str(dict(counts)), *problems[:20]])
    assert counts["refused"] > counts.total() // 3


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
    write(tmp_path, {case.name: case.content for case in cases})
    os.mkfifo(tmp_path / "pipe.ply")
    (tmp_path / "zeros.pcd").symlink_to("/dev/zero")
    (tmp_path / "gone.las").symlink_to("nowhere.las")
    (tmp_path / "itself.obj").symlink_to("itself.obj")
    (tmp_path / "folder.off").mkdir()
    np.savetxt(tmp_path / os.fsdecode(b"\xff\xfe.xyz"), np.eye(3))
    named = [case.name for case in cases if not case.name.endswith(".txt") or case.name.endswith("/points3D.txt")]
    outcomes = dict(zip(named, read_all(tmp_path / name for name in named), strict=True))
    done = s4tok("data", "check", tmp_path, "--json")
    assert done.returncode == 4
    found = [Path(each["path"]) for each in done.json["findings"] if each["severity"] == "problem"]
    problems = {path.relative_to(tmp_path).as_posix() for path in found}
    assert problems == {name for name, found in outcomes.items() if found.kind != "read"} | {"gone.las", "itself.obj"}
    assert done.json["splits"]["all"] == len(named) + 3
    assert f"{len(cases) - len(named)} .txt files are passed over" in done.stdout
