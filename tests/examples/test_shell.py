"""The examples for a shell, run as they stand, on little."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.running import environment

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def example(tmp_path: Path) -> Run:
    """Run an example in a folder of its own, where `s4tok` is this one; variables say how much it does."""
    (tmp_path / "s4tok").write_text(f'#!/bin/sh\nexec {sys.executable} -m s4tok_cli "$@"\n')
    (tmp_path / "s4tok").chmod(0o755)
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).uniform(0, (4, 3, 0.01), (3000, 3)))
    shell = shutil.which("bash") or "/bin/bash"
    path = f"{tmp_path}:{environment()['PATH']}"

    def run(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shell, EXAMPLES / name, *arguments], cwd=tmp_path, capture_output=True, text=True,
            env=environment(PATH=path, **variables), timeout=900, check=False,
        )  # fmt: skip

    return run


def test_a_scan_of_ones_own_is_cut_drawn_and_exported(example: Run, tmp_path: Path) -> None:
    done = example("superpoints_of_my_scan.sh", "scan.npy", S4TOK_METHOD="grid")
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / name).stat().st_size for name in ("superpoints.png", "superpoints.ply"))
    assert len(list((tmp_path / "segments").iterdir())) == 1


def test_a_scan_of_ones_own_is_named(example: Run, tmp_path: Path) -> None:
    done = example("name_my_scan.sh", "scan.npy", "wall,floor,chair")
    assert done.returncode == 0, done.stderr
    assert {"scan.html", "scan.labels.ply", "scan.labels.npy"} <= {
        path.name for path in (tmp_path / "labels").iterdir()
    }
    assert (tmp_path / "labels.png").stat().st_size


def test_the_sam_guided_system_goes_from_nothing_to_labels_of_points(example: Run, tmp_path: Path) -> None:
    done = example("sam_guided.sh", FRAMES="3", ROOMS="1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "masks" / "masks.png").stat().st_size
    runs = ("stage1", "stage2", "rooms")
    assert all((tmp_path / "runs" / run / "ckpt/best/model.safetensors").is_file() for run in runs)
    assert "mIoU" in done.stdout


def test_six_stages_end_with_pictures(example: Run, tmp_path: Path) -> None:
    done = example("six_stages.sh", "here", SHAPES="5", SCANS="1", EPOCHS="1")
    assert done.returncode == 0, done.stderr
    pictures = ("superpoints.png", "room.png", "parts.png", "things.png", "run/curves.png")
    assert all((tmp_path / "here" / name).stat().st_size for name in pictures)
    assert (
        len(list((tmp_path / "here" / "views").iterdir())) == len(list((tmp_path / "here" / "features").iterdir())) == 5
    )
    assert list((tmp_path / "here" / "labels").glob("*.html"))
