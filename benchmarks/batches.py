"""How long a batch of a pre-training takes to put together, from caches that `s4tok pretrain` has made and read.

    OMP_NUM_THREADS=1 python benchmarks/batches.py cache/toy-shapes/train [--clouds 128]

Everything is held in memory, as a run holds what fits. The first epochs merge targets for each sample, later ones have
them; seconds are the processor's, medians over the batches of an epoch.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from s4tok.config import PretrainConfig
from s4tok.objectives.training_clouds import padded
from s4tok_cache import CacheReader
from s4tok_cache.files import FileSystem
from s4tok_cache.inspect import about, stamps_of
from s4tok_pipelines.inputs.features import features_in
from s4tok_pipelines.inputs.training_data import Source, TrainingData
from s4tok_pipelines.layouts import SAMPLES

BATCHES = 4


def measure(root: Path, samples: CacheReader, n_clouds: int) -> None:
    """Print milliseconds a batch of each epoch."""
    features = features_in(next(root.glob("extract-clip-*")))
    keys = [key for key in samples if key in features][: BATCHES * n_clouds]
    draws, n_points = samples.read(keys[0])["superpoints"].shape
    config = replace(PretrainConfig(), draws=draws)
    data = TrainingData([Source(root.parent.name, "object", keys, samples, features, config)], config)
    if not data.hold():
        raise SystemExit("these clouds do not fit into memory; name fewer.")
    for epoch in range(2 * draws):
        seconds = []
        for first in range(0, len(keys) - n_clouds + 1, n_clouds):
            start = time.process_time()
            padded(data.entries(range(first, first + n_clouds), epoch))
            seconds.append(time.process_time() - start)
        print(f"{n_clouds} clouds of {n_points} points, epoch {epoch}: {1000 * median(seconds):.1f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="a dataset's split in a cache")
    parser.add_argument("--clouds", type=int, default=128)
    asked = parser.parse_args()
    for stamp in stamps_of(asked.root, "samples"):
        if about(asked.root / stamp.folder, FileSystem()).layout == SAMPLES.name:
            measure(asked.root, CacheReader(asked.root, SAMPLES, stamp), asked.clouds)


if __name__ == "__main__":
    main()
