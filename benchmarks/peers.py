"""s4tok beside each peer that pip installs, in one table: `make bench`, and `make bench-check` against kept figures.

    OMP_NUM_THREADS=1 python benchmarks/peers.py [--quick] [--json] [--keep] [--check]

Both sides run in this process in turn, so a ratio means something on a machine that does other things too; ratios are
medians over pairs, of processor time. The growth is the exponent of our time from the smaller size to the larger. Peers
that are not installed are left out (`pip install pgeof fpsample`). `--keep` writes a file into benchmarks/results/;
`--check` compares with the latest there, and fails where a ratio has grown by more than a quarter.
"""

import argparse
import json
import math
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import h5py
import numpy as np
import torch
from scipy.spatial import KDTree

from benchmarks.shared.device import machine
from benchmarks.shared.tensors import clouds
from benchmarks.superpoints import ours, room, theirs
from s4tok.compiled import is_compiling
from s4tok.dependencies import load
from s4tok.geometry import farthest_points
from s4tok.geometry.tree import Finder, in_space
from s4tok.tokenizers import build_tokenizer
from s4tok_cache import CacheReader, Fingerprint, Stamp, Store
from s4tok_pipelines.layouts import SUPERPOINTS

RESULTS = Path(__file__).parent / "results"
WORSE = 1.25
READS = 500


class Pair(NamedTuple):
    """What both sides do, of one size."""

    name: str
    peer: str
    size: int
    ours: Callable[[], object]
    theirs: Callable[[], object]


def superpoints(size: int) -> Iterator[Pair]:
    if find_spec("pgeof") is None or find_spec("pycut_pursuit") is None:
        return
    points = room(size)
    for method in ("greedy", "cut-pursuit"):
        work = partial(ours, points, method)
        yield Pair(f"superpoints, {method}", "pgeof + pycut-pursuit", size, work, partial(theirs, points))


def geometry(size: int) -> Iterator[Pair]:
    points = room(size)
    yield Pair(
        "30 neighbours",
        "scipy",
        size,
        lambda: Finder(points).nearest(points[in_space(points)], 30),
        lambda: KDTree(points).query(points, 30),
    )
    single = points.astype(np.float32)
    if find_spec("pgeof") is not None:
        pgeof = load("pgeof")
        yield Pair(
            "30 neighbours",
            "pgeof",
            size,
            lambda: Finder(points).nearest(points[in_space(points)], 30),
            lambda: pgeof.knn_search(single, single, 30),
        )
    if find_spec("fpsample") is not None:
        fpsample, some = load("fpsample"), size // 3
        yield Pair(
            "farthest points",
            "fpsample",
            size,
            lambda: farthest_points(points, some),
            lambda: fpsample.bucket_fps_kdline_sampling(single, some, 7),
        )


def tokens(size: int) -> Iterator[Pair]:
    points, cells = clouds(size, 2048, 40, "cpu")
    tokenizer = build_tokenizer("s4token", width=768, n_points=2048, n_tokens=128)

    def plain() -> None:
        distance, chosen = torch.full(points.shape[:2], torch.inf), torch.zeros(size, 1, dtype=torch.int64)
        for _ in range(127):
            last = points.gather(1, chosen[:, -1:, None].expand(-1, -1, 3))
            distance = torch.minimum(distance, (points - last).square().sum(2))
            chosen = torch.cat([chosen, distance.argmax(1, keepdim=True)], dim=1)
        centers = points.gather(1, chosen[..., None].expand(-1, -1, 3))
        torch.cdist(centers, points).topk(32, largest=False)

    yield Pair(
        "grouping 2,048 points", "torch, FPS + cdist + topk", size, lambda: tokenizer.group(points, cells), plain
    )


def cache(size: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        draw, root, stamp = (
            np.random.default_rng(0),
            Path(folder) / "made" / "train",
            Stamp("superpoints", {"of": size}),
        )
        labels = {f"{number:06}": np.sort(draw.integers(0, 70, 1024)).astype(np.int32) for number in range(size)}
        expected = {key: Fingerprint(f"{key}.npy", 4096, 0) for key in labels}
        with Store.resume(root, SUPERPOINTS, stamp) as store:
            for key in store.missing(expected):
                store.write(key, {"labels": labels[key]}, expected[key], {"n_superpoints": 70})
        with h5py.File(Path(folder) / "plain.h5", "w") as file:
            for key, values in labels.items():
                file.create_dataset(key, data=values, compression=1, shuffle=True, fletcher32=True)
        reader, plain = CacheReader(root, SUPERPOINTS, stamp), h5py.File(Path(folder) / "plain.h5")
        keys = draw.choice(sorted(labels), READS).tolist()
        yield Pair(
            f"reading {READS} cache entries", "h5py, gzip", size,
            lambda: [reader.read(key) for key in keys], lambda: [plain[key][()] for key in keys],
        )  # fmt: skip


PARTS: list[tuple[Callable[[int], Iterator[Pair]], tuple[int, int]]] = [
    (superpoints, (10_000, 100_000)), (geometry, (10_000, 100_000)), (tokens, (8, 32)), (cache, (500, 2_000)),
]  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measured(pair: Pair, pairs: int) -> dict[str, Any]:
    pair.ours()
    pair.theirs()
    mine, other = zip(*((seconds(pair.ours), seconds(pair.theirs)) for _ in range(pairs)), strict=True)
    ratio = median(one / two for one, two in zip(mine, other, strict=True))
    found = {"name": pair.name, "peer": pair.peer, "size": pair.size, "seconds": median(mine)}
    return {**found, "peer_seconds": median(other), "ratio": round(ratio, 3)}


def table(pairs: int, quick: bool) -> Iterator[dict[str, Any]]:
    """Measure everything; quickly at the smaller size alone."""
    for part, sizes in PARTS:
        small: dict[str, dict[str, Any]] = {}
        for size in sizes[:1] if quick else sizes:
            for pair in part(size):
                row = measured(pair, pairs)
                key = f"{pair.name} {pair.peer}"
                if key in small:
                    grown = math.log(row["seconds"] / small[key]["seconds"]) / math.log(size / small[key]["size"])
                    row["growth"] = round(grown, 2)
                small[key] = row
                yield row


def worse(rows: list[dict[str, Any]], kept: list[dict[str, Any]]) -> list[str]:
    """Name the ratios that have grown by more than a quarter."""
    before = {(row["name"], row["peer"], row["size"]): row["ratio"] for row in kept}
    found = []
    for row in rows:
        old = before.get((row["name"], row["peer"], row["size"]))
        if old is not None and row["ratio"] > WORSE * old:
            found.append(f"{row['name']} beside {row['peer']} at {row['size']:,}: {row['ratio']}, and was {old}")
    return found


def shown(row: dict[str, Any]) -> str:
    text = f"{row['name']:<28} {row['peer']:<26} {row['size']:>9,} {row['seconds']:8.3f} s"
    grown = f"  growth {row['growth']}" if "growth" in row else ""
    return f"{text} {row['peer_seconds']:8.3f} s  ratio {row['ratio']:.2f}{grown}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag in ("quick", "json", "keep", "check"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--pairs", type=int, default=5)
    given = parser.parse_args()
    if not is_compiling():
        print("numba is not installed, and nothing here means anything without it", file=sys.stderr)
        return 1
    about, rows = {**machine("cpu"), "pairs": given.pairs}, []
    for row in table(given.pairs, given.quick):
        rows.append(row)
        if not given.json:
            print(shown(row), flush=True)
    text = json.dumps({**about, "rows": rows}, indent=1)
    if given.json:
        print(text)
    if given.keep:
        RESULTS.mkdir(exist_ok=True)
        slug = re.sub(r"[^a-z0-9]+", "-", f"{about['processor']}-{platform.system()}".lower()).strip("-")
        (RESULTS / f"{about['date']}-{slug}.json").write_text(text + "\n", encoding="utf-8")
    latest = max(RESULTS.glob("*.json"), default=None)
    bad = worse(rows, json.loads(latest.read_text(encoding="utf-8"))["rows"]) if given.check and latest else []
    for line in bad:
        print(f"slower: {line}", file=sys.stderr)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
