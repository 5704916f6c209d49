"""How long superpoints take as clouds grow, beside what Superpoint Transformer's preprocessing does on a CPU.

The other side is one level of its partition with the packages its users take: 45 neighbours and their features (lines,
planes, balls, verticality) by pgeof, each point's 10 nearest joined, and pycut-pursuit on positions and features with
its settings. s4tok cuts every point as rooms are cut. Both in this process in turn, so that the ratio of their times
means something on a machine that does other things too; it is the median over pairs.

    OMP_NUM_THREADS=1 python benchmarks/superpoints.py [--points N ...] [--method greedy|cut-pursuit] [--alone] [--json]

The energies are those of greedy merging and of pycut-pursuit, on s4tok's features, graph and prices. Needs `pip install
pgeof`; without it only s4tok is measured.
"""

import argparse
import json
import math
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.dependencies import load
from s4tok.geometry.tree import in_space
from s4tok.shapes import Array
from s4tok.superpoints import cut_pursuit, greedy, partition

SIZES, PAIRS = (10_000, 100_000), 5


def room(n: int) -> Array:
    """Make a room of 6 x 5 x 2.6 m with ten boxes in it, a point every few millimetres or centimetres."""
    rng = np.random.default_rng(0)

    def box(low: Array, high: Array, count: int) -> Array:
        x, y, z = high - low
        areas = np.array([y * z, y * z, x * z, x * z, x * y, x * y])
        face = rng.choice(6, count, p=areas / areas.sum())
        points: Array = rng.uniform(low, high, (count, 3))
        points[np.arange(count), face // 2] = np.where(face % 2, high[face // 2], low[face // 2])
        return points

    corners = [rng.uniform((0, 0, 0.2), (5, 4, 1)) for _ in range(10)]
    boxes = [box(corner, corner + rng.uniform(0.3, 1.2, 3), n // 20) for corner in corners]
    points = np.concatenate([box(np.zeros(3), np.array([6.0, 5.0, 2.6]), n - 10 * (n // 20)), *boxes])
    return np.asarray(points + rng.normal(0, 0.004, points.shape))


def ours(points: Array, method: str) -> int:
    """Cut every point as rooms are cut: `s4tok superpoints --room --voxel 0`."""
    config = replace(SuperpointConfig.of("room"), method=method, voxel=0.0)
    return int(partition(PointCloud.of(points), config).max()) + 1


def theirs(points: Array) -> int:
    """Do the steps of Superpoint Transformer's first level."""
    pgeof, solver = load("pgeof"), load("pycut_pursuit.cp_d0_dist")
    xyz = np.ascontiguousarray(points - points.mean(axis=0), np.float32)
    n = len(xyz)
    indices, squared = pgeof.knn_search(xyz, xyz, 45)
    first = np.arange(0, 45 * n + 1, 45, dtype=np.uint32)
    features = pgeof.compute_features(xyz, indices.ravel().astype(np.uint32), first, 5)[:, :4]
    source, target = np.repeat(np.arange(n), 10), indices[:, 1:11].ravel().astype(np.int64)
    length = np.sqrt(squared[:, 1:11]).ravel()
    edge = np.minimum(source, target) * n + np.maximum(source, target)
    edge, kept = np.unique(edge, return_index=True)
    weights = (0.1 / (1 + length / length.mean()))[kept].astype(np.float32)
    rows = np.concatenate([0.1 * xyz, features], axis=1, dtype=np.float32)
    labels = solver.cp_d0_dist(
        rows.shape[1],
        np.asfortranarray(rows.T),
        np.concatenate([[0], np.bincount(edge // n, minlength=n).cumsum()]).astype(np.uint32),
        (edge % n).astype(np.uint32),
        edge_weights=weights,
        min_comp_weight=10,
        cp_it_max=15,
        cp_dif_tol=1e-2,
        split_damp_ratio=0.7,
        verbose=False,
        max_num_threads=1,
    )[0]
    return int(labels.max()) + 1


def energy_share(points: Array) -> float:
    """Give the energy of greedy merging over that of pycut-pursuit, on the same features and graph."""
    config = SuperpointConfig.of("room")
    points = points[in_space(points)] / float(np.ptp(points, axis=0).max())
    graph, described = greedy.describe(points, config)
    problem = described.features, graph, config.regularization
    return greedy.solve(*problem).energy / cut_pursuit.solve(*problem).energy


def timed(work: Callable[[], int]) -> tuple[float, int]:
    start = time.process_time()
    count = work()
    return time.process_time() - start, count


def measure(n: int, method: str, pairs: int, *, compare: bool) -> dict[str, Any]:
    """Measure one size."""
    points, mine, other, counts = room(n), list[float](), list[float](), [0, 0]
    for _ in range(pairs):
        taken, counts[0] = timed(lambda: ours(points, method))
        mine.append(taken)
        if compare:
            taken, counts[1] = timed(lambda: theirs(points))
            other.append(taken)
    found: dict[str, Any] = {"points": n, "method": method, "seconds": median(mine), "superpoints": counts[0]}
    if compare:
        ratios = [one / two for one, two in zip(mine, other, strict=True)]
        found |= {"peer_seconds": median(other), "peer_superpoints": counts[1], "ratio": round(median(ratios), 3)}
        found |= {"ratios": [round(each, 3) for each in ratios], "energy_share": round(energy_share(points), 4)}
    return found | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}


def growth(rows: list[dict[str, Any]], name: str = "seconds") -> float | None:
    """Give the exponent of the time's growth from the smallest size to the largest."""
    first, last = rows[0], rows[-1]
    if first["points"] == last["points"]:
        return None
    return round(math.log(last[name] / first[name]) / math.log(last["points"] / first["points"]), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=SIZES)
    parser.add_argument("--method", default="greedy", choices=["greedy", "cut-pursuit"])
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--alone", action="store_true", help="Measure s4tok without the peer.")
    parser.add_argument("--json", action="store_true", help="Print one object and nothing else.")
    given = parser.parse_args()
    compare = not given.alone and find_spec("pgeof") is not None and find_spec("pycut_pursuit") is not None
    measure(3000, given.method, 1, compare=compare)  # imports, and what is compiled
    rows = []
    for n in sorted(given.points):
        rows.append(measure(n, given.method, given.pairs, compare=compare))
        if not given.json:
            print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    grown = {"growth": growth(rows)} | ({"peer_growth": growth(rows, "peer_seconds")} if compare else {})
    if given.json:
        print(json.dumps({**rows[-1], **grown, "sizes": rows}))
    else:
        print(", ".join(f"{name} {value}" for name, value in grown.items()))


if __name__ == "__main__":
    main()
