"""How long the command line takes to answer, as whole processes: `OMP_NUM_THREADS=1 python benchmarks/startup.py`.

Seconds are those of the processor, user and system, so that what else the machine does counts less. An object of 8,192
points is labelled whose superpoints are in the cache, with the axis up given: otherwise axes are tried on a sample.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s4tok.datasets.open import open_dataset

RUNS = 5


def seconds(command: Sequence[str]) -> float:
    """Run a command, and give the processor's seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "s4tok_cli", *command], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shapes = open_dataset("toy-shapes", split="val", limit=1)
        np.save(Path(folder, "object.npy"), shapes[shapes.keys[0]].xyz)
        places = ("--cache", f"{folder}/cache", "--out", f"{folder}/out")
        label = ("segment", f"{folder}/object.npy", "--object", "--up", "y", "--labels", "seat,back,leg", *places)
        for command in (("--version",), ("--help",), ("doctor",), label):
            seconds(command)  # warms the file cache, and cuts superpoints
            times = sorted(seconds(command) for _ in range(RUNS))
            median = statistics.median(times)
            print(f"s4tok {command[0]}: median {median:.2f} CPU s of {RUNS}, {times[0]:.2f} .. {times[-1]:.2f}")


if __name__ == "__main__":
    main()
