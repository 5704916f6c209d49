"""What tells which way is up: learned and measured at toy size."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "examples" / "own_clouds"
WEIGHTS = Path(__file__).parents[2] / "s4tok" / "geometry" / "up.npz"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_ways_up_are_measured_in_a_table_of_kinds(python: Run) -> None:
    done = python(SCRIPTS / "measure_up.py", "--limit", 16, "--datasets", "toy-shapes", "--shape-only")
    assert done.returncode == 0, done.stderr
    rows = dict(line.strip("| ").split(" | ", 1) for line in done.stdout.splitlines() if line.startswith("| "))
    assert {"chair *", "table *", "airplane", "objects that stand *"} <= set(rows)
    n_clouds, upright, _ = rows["objects that stand *"].split(" | ")
    assert int(n_clouds) == 11
    assert float(upright) > 0.8


def test_the_weights_that_ship_have_the_form_that_is_learned() -> None:
    with np.load(WEIGHTS) as found:
        shapes = {name: found[name].shape for name in found}
    cues, hidden = shapes["hidden"]
    assert shapes == {
        "mean": (cues,), "deviation": (cues,), "hidden": (cues, hidden), "bias": (hidden,), "out": (hidden,)
    }  # fmt: skip
