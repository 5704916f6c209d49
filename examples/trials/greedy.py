"""Compare greedy merging with cut pursuit: `python examples/trials/greedy.py toy-shapes toy-scans --limit 3`.

Cuts the clouds of each source by both methods, otherwise with the defaults of its kind of scene. Energies are of the
solvers alone, on the same features and the same graph, as shares of cut pursuit's; so are the solvers' times. The time
of a cut is that of a whole cloud, features and merging included. All times are processor times, one thread where
OMP_NUM_THREADS is 1, the two methods one after the other cloud by cloud; ratios are medians over clouds. Quality is
measured as by superpoint_quality.py, in this folder. Prints a Markdown table.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import NamedTuple, TypeVar

import numpy as np
from superpoint_quality import Tally

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.datasets.open import open_dataset
from s4tok.geometry import neighbor_graph
from s4tok.geometry.tree import in_space
from s4tok.superpoints import cut_pursuit, greedy, partition
from s4tok.superpoints.representatives import represent

Result = TypeVar("Result")
HEADER = (
    "| clouds | method | number | oracle mIoU | purity | boundary recall | energy | time of the solver | of a cut |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


class Ratios(NamedTuple):
    """What greedy merging has, over what cut pursuit has, of one cloud."""

    energy: float
    solving: float
    cutting: float


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def solved(cloud: PointCloud, config: SuperpointConfig) -> tuple[float, float]:
    """Run both solvers on the same features and graph; give the ratios of energies and of times."""
    some = represent(cloud.xyz, config.voxel).xyz
    graph, described = greedy.describe(some[in_space(some)] / float(np.ptp(some, axis=0).max()), config)
    theirs, their_time = timed(lambda: cut_pursuit.solve(described.features, graph, config.regularization))
    ours, our_time = timed(lambda: greedy.solve(described.features, graph, config.regularization))
    return ours.energy / theirs.energy, our_time / their_time


def compare(source: str, split: str, limit: int, regularization: float | None) -> None:
    clouds = open_dataset(source, split=split, limit=limit)
    config = SuperpointConfig.of(clouds.scene, "cut-pursuit")
    price = config.regularization if regularization is None else regularization
    ways = {"cut-pursuit": config, "greedy": replace(config, method="greedy", regularization=price)}
    tallies, ratios = {name: Tally(clouds) for name in ways}, list[Ratios]()
    first = clouds[clouds.keys[0]]
    for way in ways.values():
        partition(first, way)  # what is compiled or imported is not measured
    solved(first, config)
    for key in clouds.keys:
        cloud, took = clouds[key], dict[str, float]()
        graph = neighbor_graph(cloud.xyz.astype(np.float64), SuperpointConfig.adjacency)
        for name, way in ways.items():
            labels, took[name] = timed(lambda way=way, cloud=cloud: partition(cloud, way))  # type: ignore[misc]
            tallies[name].add(key, cloud, labels, graph)
        energy, solving = solved(cloud, config)
        ratios.append(Ratios(energy, solving, took["greedy"] / took["cut-pursuit"]))
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for name in ways:
        row = tallies[name].row()
        shares = " | ".join(f"{each:.3f}" for each in (row.oracle, row.purity, row.recall))
        of_ours = [f"{median(each):.3f}" for each in zip(*ratios, strict=True)] if name == "greedy" else ["1"] * 3
        print(
            f"| {clouds.name}, {len(clouds)} | {name} | {row.number:.1f} | {shares} | {' | '.join(of_ours)} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="+", help="toy-shapes, toy-scans, toy-rooms, or the folder of a dataset")
    parser.add_argument("--split", default="val", help="which clouds (default: val)")
    parser.add_argument("--limit", type=int, default=45, metavar="N", help="the first N clouds (default: 45)")
    parser.add_argument("--regularization", type=float, help="of the greedy merging (default: that of both)")
    chosen = parser.parse_args()
    print(HEADER)
    for source in chosen.source:
        compare(source, chosen.split, chosen.limit, chosen.regularization)


if __name__ == "__main__":
    main()
