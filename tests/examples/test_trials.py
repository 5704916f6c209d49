"""The trials by which defaults were chosen, at toy size."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from s4tok.superpoints import partition
from s4tok.synthetic.datasets import ToyShapes

TRIALS = Path(__file__).parents[2] / "examples" / "trials"
Run = Callable[..., subprocess.CompletedProcess[str]]


def rows(table: str) -> dict[str, list[str]]:
    """Read the rows of Markdown tables by their names."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {name: rest for name, *rest in cells if name and not name.startswith("---")}


@pytest.mark.slow
def test_the_trial_of_superpoints_says_how_long_it_takes_and_prints_a_row_a_combination(python: Run) -> None:
    narrow = ["--clouds", 3, "--points", 1024, "--regularization", 0.1, 0.3, "--smoothness", 0, "--smallest-share"]
    done = python(TRIALS / "superpoints.py", *narrow, 0.02)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("5 ways to cut 3 objects, about 0.0 min")
    found = rows(done.stdout)
    assert {"0.1, 0, 0.02", "0.3, 0, 0.02", "s4tok", "s4tok, earlier default", "printed form"} < found.keys()
    number, oracle, *_ = zip(*(map(float, found[f"{price}, 0, 0.02"]) for price in ("0.1", "0.3")), strict=True)
    assert number[0] > number[1]
    assert oracle[0] > oracle[1] > 0.3
    assert python(TRIALS / "superpoints.py", *narrow, 0.02).stdout == done.stdout


@pytest.mark.slow
def test_a_turned_room_is_labelled_as_the_straight_one_where_it_is_aligned(python: Run) -> None:
    done = python(TRIALS / "turned_rooms.py", "toy-rooms", "--limit", 1)
    assert done.returncode == 0, done.stderr
    right = {way: float(figures[1]) for way, figures in rows(done.stdout).items()}
    assert right["turned"] == pytest.approx(right["as they are"], abs=0.05)
    assert right["turned, not aligned"] < right["turned"] - 0.1


@pytest.mark.slow
def test_other_objects_give_other_numbers(python: Run) -> None:
    quick = [TRIALS / "superpoints.py", "--quick", "--clouds", 2, "--points", 512]
    first, others = (rows(python(*quick, "--skip", skip).stdout) for skip in (0, 2))
    assert first["s4tok"] != others["s4tok"]


@pytest.mark.slow
def test_superpoints_are_measured_beside_a_grid_of_as_many_cells(python: Run) -> None:
    done = python(TRIALS / "superpoint_quality.py", "toy-shapes", "--limit", 3, "--points", 1500)
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    ours, grid = ([float(each) for each in found[name][:4]] for name in ("s4tok", "grid of cubes"))
    assert abs(ours[0] - grid[0]) < 0.2 * ours[0]
    assert all(one > other for one, other in zip(ours[1:], grid[1:], strict=True))


def test_cuts_that_share_a_solve_are_those_of_the_toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TRIALS))
    from superpoint_quality import BY_CUT_PURSUIT, EARLIER, cuts

    shapes = ToyShapes("val", points=1024)
    cloud = shapes[shapes.keys[0]]
    coarse, smooth = replace(BY_CUT_PURSUIT, smallest_share=0.05), replace(BY_CUT_PURSUIT, smoothness=0.4)
    configs = [BY_CUT_PURSUIT, coarse, EARLIER, smooth, replace(BY_CUT_PURSUIT, voxel=0.1)]
    for config, labels in zip(configs, cuts(cloud, configs), strict=True):
        assert np.array_equal(labels, partition(cloud, config))


@pytest.mark.slow
def test_the_study_of_few_shots_measures_what_is_missing_and_nothing_twice(python: Run, tmp_path: Path) -> None:
    small = [
        "--out",
        tmp_path / "out",
        "--cache",
        tmp_path / "cache",
        "--rows",
        "s4token-random",
        "--shots",
        "1",
        "--seeds",
        0,
    ]
    small += ["--limit", 16, "--epochs", 1, "--tested", 2]
    done = python(TRIALS / "few_shot.py", *small, timeout=900)
    assert done.returncode == 0, done.stderr
    assert 0 < float(rows(done.stdout)["s4token-random"][0]) < 1
    assert (tmp_path / "out" / "few_shot.png").is_file()
    again = python(TRIALS / "few_shot.py", *small)
    assert again.stdout == done.stdout
    assert "Training" not in again.stderr
    kept = ["--kept", tmp_path / "out" / "few_shot.json", "--picture", tmp_path / "again.png"]
    assert python(TRIALS / "few_shot.py", *kept).stdout == done.stdout
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "out" / "few_shot.png").read_bytes()


def test_clouds_are_changed_as_their_row_says_and_each_point_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TRIALS))
    from robustness import CHANGES

    points = np.random.default_rng(0).uniform(-1, 1, (1000, 3)) * (1, 2, 3)
    for name, change in CHANGES.items():
        changed, kept = change(points, np.random.default_rng(1))
        assert len(changed) == len(kept), name
        assert np.array_equal(changed, change(points, np.random.default_rng(1))[0]), name
    made = {name: change(points, np.random.default_rng(1)) for name, change in CHANGES.items()}
    assert np.ptp(made["z is up"][0], axis=0).round(3).tolist() == np.ptp(points, axis=0)[[0, 2, 1]].round(3).tolist()
    assert np.array_equal(made["upside down"][0][:, 1], -points[:, 1])
    assert [len(made[name][0]) for name in ("a tenth of the points", "10 % outliers", "cut in half")] == [
        100,
        1100,
        500,
    ]
    assert (made["10 % outliers"][1] == -1).sum() == 100
    assert abs((made["noise of 2 %"][0] - points).std() / np.ptp(points, axis=0).max() - 0.02) < 0.001
    cut, which = made["cut in half"]
    assert np.array_equal(cut, points[which])


@pytest.mark.slow
def test_robustness_is_measured_a_row_a_change_and_kept(python: Run, tmp_path: Path) -> None:
    asked = [TRIALS / "robustness.py", "--each", 1, "--only", "as it is", "--out", tmp_path]
    done = python(*asked)
    assert done.returncode == 0, done.stderr
    named, parts = map(float, rows(done.stdout)["as it is"])
    assert named > 0.5
    assert parts > 0.3
    assert python(*asked).stdout == done.stdout
