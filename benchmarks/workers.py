"""How stages scale with processes: `OMP_NUM_THREADS=1 python benchmarks/workers.py [--workers 2]`, on idle cores.

Draws views of synthetic objects, and encodes frames of synthetic rooms, with one process and with several: seconds by
the clock, their ratio, and the processor's milliseconds that an entry costs the process that feeds the cache or the
model. What else the machine does spoils the ratio: its load before is printed, and ought to be under a tenth.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from s4tok.config import VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.open import open_dataset
from s4tok_pipelines.report import Outcome
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stages.render_views import render_views
from s4tok_pipelines.stages.superpoints import superpoints


def draw(clouds: CloudDataset, cache: Path, workers: int) -> Outcome:
    return render_views(clouds, cache / f"{workers}", workers=workers)


def encode(clouds: CloudDataset, cache: Path, workers: int) -> Outcome:
    return extract_features(clouds, cache, VisionConfig("mini"), workers=workers, overwrite=True)


def compare(
    name: str, clouds: CloudDataset, cache: Path, work: Callable[[CloudDataset, Path, int], Outcome], workers: int
) -> None:
    seconds = []
    for team in (1, workers):
        start, busy = time.perf_counter(), time.process_time()
        work(clouds, cache, team)
        seconds.append(time.perf_counter() - start)
        parent = (time.process_time() - busy) / len(clouds) * 1000
        print(f"{name}, {team} processes: {seconds[-1]:.1f} s, {parent:.1f} ms an entry in the parent", flush=True)
    print(f"{name}: {seconds[0] / seconds[1]:.2f} times as fast with {workers}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shapes", type=int, default=400, help="objects to draw; processes take seconds to start")
    parser.add_argument("--rooms", type=int, default=32, help="rooms whose frames are encoded")
    asked = parser.parse_args()
    workers = asked.workers
    print(f"load before: {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        shapes, rooms = (open_dataset(f"toy-{kind}", split="train", limit=n) for kind, n in
                         (("shapes", asked.shapes), ("scans", asked.rooms)))  # fmt: skip
        compare("render-views", shapes, Path(folder), draw, workers)
        superpoints(rooms, Path(folder), workers=0)
        compare("extract-clip of frames", rooms, Path(folder), encode, workers)


if __name__ == "__main__":
    main()
