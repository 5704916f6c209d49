"""The examples in Python, and the one for a scan of your own, run as they stand."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).parents[2] / "examples"
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_tokens_go_into_a_transformer_of_ones_own_and_gradients_come_back(python: Run) -> None:
    done = python(EXAMPLES / "tokens_for_your_vit.py")
    assert done.returncode == 0, done.stderr
    assert "(4, 2048, 3) points -> (4, 64, 192) tokens -> (4, 64, 192) features" in done.stdout
    assert "gradient reaches the tokenizer: True" in done.stdout


def test_an_array_of_ones_own_becomes_a_cloud(python: Run) -> None:
    done = python(EXAMPLES / "your_own_points.py")
    assert done.returncode == 0, done.stderr
    assert "plane: 1250 points, 10 units across" in done.stdout


def test_a_scan_of_ones_own_is_cut_drawn_and_exported(
    tmp_path: Path, environment: Callable[..., dict[str, str]]
) -> None:
    (tmp_path / "s4tok").write_text(f'#!/bin/sh\nexec {sys.executable} -m s4tok_cli "$@"\n')
    (tmp_path / "s4tok").chmod(0o755)
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).uniform(0, (4, 3, 0.01), (3000, 3)))
    shell = shutil.which("sh") or "/bin/sh"
    done = subprocess.run(
        [shell, EXAMPLES / "superpoints_of_my_scan.sh", "scan.npy"], cwd=tmp_path, capture_output=True, text=True,
        env=environment(PATH=f"{tmp_path}:{environment()['PATH']}", S4TOK_METHOD="grid"), timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / name).stat().st_size for name in ("superpoints.png", "superpoints.ply"))
    assert len(list((tmp_path / "segments").iterdir())) == 1
