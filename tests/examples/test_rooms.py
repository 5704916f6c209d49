"""The room that comes with a clone: what it is, whose models it shows, and that its script makes it."""

import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from s4tok.datasets.formats.ply import read_ply

ROOMS = Path(__file__).parents[2] / "examples" / "rooms"
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_room_that_ships_is_small_coloured_and_a_rooms_size() -> None:
    read = read_ply(ROOMS / "studio.ply")
    assert (ROOMS / "studio.ply").stat().st_size < 3_000_000
    assert read.color is not None
    assert (np.ptp(read.points, axis=0) > 2).all()
    assert (np.ptp(read.points, axis=0) < 8).all()


def test_its_models_are_credited_as_the_catalogue_has_them_and_none_was_trained_on() -> None:
    header, *rows = (ROOMS / "studio.credits.tsv").read_text(encoding="utf-8").splitlines()
    known = files("s4tok.datasets.sh3d").joinpath("credits.tsv").read_text(encoding="utf-8").splitlines()
    assert header == known[0]
    assert len(rows) > 10
    assert set(rows) < set(known)
    assert all(row.startswith("Scopia/") for row in rows)


@pytest.mark.slow
def test_the_script_makes_the_same_bytes_again(python: Run, furniture: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sh3d").symlink_to(furniture)
    done = python(ROOMS / "make_studio.py", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("studio.ply", "studio.credits.tsv"):
        assert (tmp_path / name).read_bytes() == (ROOMS / name).read_bytes()
