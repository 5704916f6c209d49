"""Time the cache at the size of ShapeNet55: 52,470 entries of int32[1024], written, indexed, read, packed, read.

    OMP_NUM_THREADS=1 python benchmarks/cache.py [ENTRIES] [FOLDER]

The labels are 70 blobs of random size in random order, so they compress about as real ones do. Files were just
written when they are read, so the reads measure the cache and not the disk. CPU time is this process's: packing
works in a child and waits here.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from s4tok_cache import CacheReader, Fingerprint, Stamp, Store
from s4tok_cache.pack import pack
from s4tok_pipelines.layouts import SUPERPOINTS

SEED = 0
POINTS = 1024
READS = 5_000
Result = TypeVar("Result")
Labels = np.ndarray[Any, np.dtype[np.int32]]


def timed(text: str, work: Callable[[], Result], each: int = 0) -> Result:
    start, busy = time.perf_counter(), time.process_time()
    done = work()
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    parts = f", each {1000 * seconds / each:.3f} ms, {1000 * busy / each:.3f} ms of CPU" if each else ""
    print(f"{text:<36} {seconds:8.2f} s, {busy:.2f} s of CPU{parts}", flush=True)
    return done


def blobs(number: int) -> Labels:
    generator = np.random.default_rng([SEED, number])
    lengths = generator.multinomial(POINTS, generator.dirichlet(np.ones(70)))
    return np.repeat(generator.permutation(70).astype(np.int32), lengths)


def write(root: Path, stamp: Stamp, expected: dict[str, Fingerprint], labels: list[Labels]) -> None:
    with Store.resume(root, SUPERPOINTS, stamp) as store:
        for number, key in enumerate(store.missing(expected)):
            store.write(key, {"labels": labels[number % len(labels)]}, expected[key], {"n_superpoints": 70})


def read(reader: CacheReader, keys: list[str]) -> None:
    for key in keys:
        reader.read(key)


def main(entries: int, folder: Path) -> None:
    root = folder / "shapenet55" / "train"
    stamp = Stamp("superpoints", {"regularization": 0.05})
    labels = [blobs(number) for number in range(1000)]
    expected = {
        f"02691156-{n:08x}": Fingerprint(f"shapenet_pc/02691156-{n:08x}.npy", 98_432, n) for n in range(entries)
    }
    keys = random.Random(SEED).choices(sorted(expected), k=READS)

    print(f"{entries:,} entries of int32[{POINTS}], seed {SEED}")
    timed("write", lambda: write(root, stamp, expected, labels), entries)
    segments = list((root / stamp.folder).glob("seg-*"))
    print(f"{'':<36} {len(segments)} segments, {sum(path.stat().st_size for path in segments) / 1e6:.1f} MB")
    reader = timed("open and index the segments", lambda: CacheReader(root, SUPERPOINTS, stamp))
    timed("open with the index file", lambda: CacheReader(root, SUPERPOINTS, stamp))
    timed(f"read {READS} at random, verified", lambda: read(reader, keys), READS)
    packed = timed("pack", lambda: pack(root / stamp.folder, settling=0), entries)
    print(f"{'':<36} {packed.bytes / 1e6:.1f} MB")
    for path in segments:
        path.unlink()
    (root / stamp.folder / ".index.json").unlink()
    reader = timed("open and index the packed file", lambda: CacheReader(root, SUPERPOINTS, stamp))
    timed(f"read {READS} at random, verified", lambda: read(reader, keys), READS)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 52_470
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as place:
        main(count, Path(place))
