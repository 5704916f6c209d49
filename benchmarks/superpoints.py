"""How long superpoints take as clouds grow, beside the same steps done with pgeof and pycut-pursuit.

The other side is what users of superpoint graphs and transformers write: pgeof's neighbours and features (lines,
planes, balls, verticality), their directed 10-neighbour graph and one call of the solver with its own minimum size.
It has no farthest point sample, no normals in the feature and no joining of smooth pieces, so it does less.

    python benchmarks/superpoints.py [points ...]

Needs `pip install pgeof "numpy<2"`; without it only s4tok is measured.
"""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pycut_pursuit.cp_d0_dist as solver

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.dependencies import load
from s4tok.shapes import Array
from s4tok.superpoints import partition

SIZES = (10_000, 30_000, 100_000, 200_000, 1_000_000)


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


def ours(points: Array) -> int:
    """Cut every point and join smooth pieces, as rooms are cut but for a coarser regularisation."""
    config = replace(SuperpointConfig.of("room"), regularization=0.2, voxel=0.0)
    return int(partition(PointCloud.of(points), config).max()) + 1


def theirs(points: Array) -> int:
    """Do the steps of a superpoint graph with the packages its users take."""
    pgeof = load("pgeof")
    xyz = np.ascontiguousarray(points - points.mean(axis=0), np.float32)
    n = len(xyz)
    indices, squared = pgeof.knn_search(xyz, xyz, 45)
    first = np.arange(0, 45 * n + 1, 45, dtype=np.uint32)
    features = pgeof.compute_features(xyz, indices.ravel().astype(np.uint32), first, 5)[:, :4]
    length = np.sqrt(squared[:, 1:11]).ravel()
    weights = (0.1 / (1 + length / length.mean())).astype(np.float32)
    labels = solver.cp_d0_dist(
        4,
        np.asfortranarray(features.T.astype(np.float32)),
        np.arange(0, 10 * n + 1, 10, dtype=np.uint32),
        indices[:, 1:11].ravel().astype(np.uint32),
        edge_weights=weights,
        min_comp_weight=30,
        verbose=False,
        max_num_threads=1,
    )[0]
    return int(labels.max()) + 1


def measured(function: Callable[[Array], int], points: Array) -> tuple[float, float, int]:
    wall, cpu = time.perf_counter(), time.process_time()
    count = function(points)
    return time.perf_counter() - wall, time.process_time() - cpu, count


def main() -> None:
    compare = find_spec("pgeof") is not None
    ours(room(1000))  # imports
    print("seconds of CPU time; one thread where OMP_NUM_THREADS=1")
    print(f"{'points':>9} {'s4tok':>8} {'pieces':>7} {'pgeof':>8} {'pieces':>7} {'ratio':>6} {'MiB':>6}")
    for n in map(int, sys.argv[1:] or SIZES):
        points = room(n)
        _, cpu, count = measured(ours, points)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        row = f"{n:>9,} {cpu:>8.2f} {count:>7}"
        if compare:
            _, other, other_count = measured(theirs, points)
            row += f" {other:>8.2f} {other_count:>7} {cpu / other:>6.2f}"
        print(f"{row} {peak:>6}", flush=True)


if __name__ == "__main__":
    main()
