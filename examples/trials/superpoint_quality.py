"""Measure superpoints against ground truth: `python examples/trials/superpoint_quality.py toy-shapes --limit 45`.

Cuts the clouds of each source with s4tok's defaults, with the defaults of objects before November 25, 2026, with the
printed form of App. A.1, and by a grid of cubes that has about as many superpoints as the defaults, cloud by cloud. The
oracle gives every superpoint its most frequent class. Its mIoU is what labels of superpoints can reach: mIoU_I for
objects with parts, that of one confusion matrix over all points for rooms. Finer superpoints score higher on
everything, so compare at equal number.

Prints a Markdown table; says on stderr how long it will take, about. The same numbers on every run.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.datasets import CloudDataset
from s4tok.datasets.open import open_dataset
from s4tok.geometry import Graph, neighbor_graph
from s4tok.metrics.labels import confusion, label_scores, part_counts, part_scores
from s4tok.shapes import Array, Int
from s4tok.superpoints import boundary_recall, cut_pursuit, majority, purity
from s4tok.superpoints.grid import grid_of
from s4tok.superpoints.labels import connected
from s4tok.superpoints.representatives import represent
from s4tok.superpoints.samples import sample

# The default of objects until greedy merging came, and one before it.
BY_CUT_PURSUIT = SuperpointConfig.of("object", "cut-pursuit")
EARLIER = replace(BY_CUT_PURSUIT, regularization=0.2, smoothness=0.4, smallest=60, smallest_share=0.0)
SAMPLE = 1024  # points of an object that a tokenizer receives in the preset toy
SECONDS = 3e-5  # a point and a way to cut, of one core of a 2-core x86-64 VM
HEADER = (
    "| superpoints | number | oracle mIoU | purity | boundary recall | number, sampled | oracle, sampled |\n"
    "|---|---|---|---|---|---|---|"
)


class Row(NamedTuple):
    """What one way to cut gives, means over clouds; `sampled` of objects only, after 1,024 points were sampled."""

    number: float
    oracle: float
    purity: float
    recall: float
    sampled_number: float
    sampled_oracle: float

    def markdown(self, name: str) -> str:
        """Write a row of the table."""
        shares = " | ".join(f"{each:.3f}" for each in self[1:4])
        sampled = "" if np.isnan(self.sampled_number) else f"{self.sampled_number:.1f} | {self.sampled_oracle:.3f}"
        return f"| {name} | {self.number:.1f} | {shares} | {sampled or ' | '} |"


class Oracle:
    """Labels of an oracle, counted cloud by cloud: parts of objects, or classes of rooms."""

    def __init__(self, clouds: CloudDataset) -> None:
        self.clouds = clouds
        self.counts: list[Array] = []
        self.categories: list[int] = []

    def add(self, key: str, labels: Int[Array, " n"], truth: Int[Array, " n"]) -> None:
        """Count one cloud."""
        answer, n_classes = majority(labels, truth), len(self.clouds.classes)
        self.counts.append((part_counts if self.clouds.parts else confusion)(truth, answer, n_classes))
        self.categories.append(self.clouds.category(key) or 0)

    def miou(self) -> float:
        """Measure all clouds that were counted."""
        if not self.clouds.parts:
            return label_scores(np.sum(self.counts, axis=0)).miou if self.counts else float("nan")
        parts = list(self.clouds.parts.values())
        return part_scores(np.stack(self.counts), np.array(self.categories), parts).miou_i


class Tally:
    """Cuts of one kind."""

    def __init__(self, clouds: CloudDataset) -> None:
        self.clouds, self.oracle, self.sampled = clouds, Oracle(clouds), Oracle(clouds)
        self.rest: list[tuple[float, float, float, float]] = []

    def add(self, key: str, cloud: PointCloud, labels: Int[Array, " n"], graph: Graph) -> None:
        """Measure the superpoints of one cloud."""
        assert cloud.labels is not None
        self.oracle.add(key, labels, cloud.labels)
        sampled = float("nan")
        if self.clouds.scene == "object":
            some = sample(cloud.xyz, labels, SAMPLE, seed=0)
            self.sampled.add(key, some.superpoints, cloud.labels[some.index])
            sampled = float(some.superpoints.max()) + 1
        shares = purity(labels, cloud.labels), boundary_recall(labels, cloud.labels, graph)
        self.rest.append((float(labels.max()) + 1, *shares, sampled))

    def row(self) -> Row:
        """Average over clouds; one of a single part has no boundary to recall."""
        number, pure, _, sampled = np.mean(self.rest, axis=0).tolist()
        recalls = [recall for _, _, recall, _ in self.rest if not np.isnan(recall)]
        recall = float(np.mean(recalls)) if recalls else float("nan")
        return Row(number, self.oracle.miou(), pure, recall, sampled, self.sampled.miou() if sampled > 0 else sampled)


def measured(
    clouds: CloudDataset, configs: Sequence[SuperpointConfig], points: int | None = None, *, grid: bool = False
) -> list[Row]:
    """Cut every cloud, or so many of its points, with every configuration, and by a grid as fine as the first."""
    tallies = [Tally(clouds) for _ in [*configs, *[None] * grid]]
    for key in clouds.keys:
        cloud = thinned(clouds[key], points)
        found = list(cuts(cloud, configs))
        if grid:
            found.append(grid_like(cloud, int(found[0].max()) + 1))
        graph = neighbor_graph(cloud.xyz.astype(np.float64), SuperpointConfig.adjacency)
        for tally, labels in zip(tallies, found, strict=True):
            tally.add(key, cloud, labels, graph)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [tally.row() for tally in tallies]


def cuts(cloud: PointCloud, configs: Sequence[SuperpointConfig]) -> Iterator[Int[Array, " n"]]:
    """Cut a cloud with every configuration; the solver runs once for those that differ in merging alone."""
    solved: dict[SuperpointConfig, tuple[Int[Array, " n"], cut_pursuit.Described, Graph, Int[Array, " m"]]] = {}
    for config in configs:
        alike = replace(config, smoothness=0.0, smallest=1, smallest_share=0.0)
        if alike not in solved:
            some = represent(cloud.xyz, config.voxel)
            xyz = some.xyz / float(np.ptp(some.xyz, axis=0).max())
            graph = neighbor_graph(xyz, config.adjacency)
            described = cut_pursuit.describe(xyz, graph, config)
            pieces = cut_pursuit.solve(described.features, graph, config.regularization).labels
            solved[alike] = some.of, described, graph, connected(pieces, graph)
        of, described, graph, pieces = solved[alike]
        yield cut_pursuit.merge(pieces, described, graph, config)[of]


def grid_like(cloud: PointCloud, number: int) -> Int[Array, " n"]:
    """Cut a cloud by a grid of cubes into about so many superpoints; cubes that do not hold together are split."""
    some = represent(cloud.xyz)
    graph = neighbor_graph(some.xyz, SuperpointConfig.adjacency)
    least, most, found = 1, number, connected(grid_of(some.xyz, number), graph)
    while least < most:
        cells = (least + most) // 2
        tried = connected(grid_of(some.xyz, cells), graph)
        if abs(tried.max() + 1 - number) <= abs(found.max() + 1 - number):
            found = tried
        least, most = (cells + 1, most) if tried.max() + 1 < number else (least, cells)
    return found[some.of]


def thinned(cloud: PointCloud, points: int | None) -> PointCloud:
    """Keep so many points, at random."""
    if points is None or points >= len(cloud):
        return cloud
    kept = np.sort(np.random.default_rng(0).choice(len(cloud), points, replace=False))
    labels = None if cloud.labels is None else cloud.labels[kept]
    return PointCloud.of(cloud.xyz[kept], name=cloud.name, labels=labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="+", help="toy-shapes, toy-scans, toy-rooms, or the folder of a dataset")
    parser.add_argument("--split", default="val", help="which clouds (default: val)")
    parser.add_argument("--limit", type=int, default=45, metavar="N", help="the first N clouds (default: 45)")
    parser.add_argument("--points", type=int, metavar="N", help="N points of each cloud, at random (default: all)")
    chosen = parser.parse_args()
    for source in chosen.source:
        clouds = open_dataset(source, split=chosen.split, limit=chosen.limit)
        ways = {
            "s4tok": SuperpointConfig.of(clouds.scene, "cut-pursuit"),
            "s4tok, earlier default": EARLIER,
            "printed form": SuperpointConfig.of(clouds.scene, "paper"),
        }
        if clouds.scene == "room":
            del ways["s4tok, earlier default"]  # it is still the default
        seconds = SECONDS * len(clouds) * len(thinned(clouds[clouds.keys[0]], chosen.points)) * len(ways)
        print(f"{len(clouds)} clouds of {source}, about {seconds:.0f} s", file=sys.stderr)
        rows = measured(clouds, list(ways.values()), chosen.points, grid=True)
        print(f"\n{clouds.name}, {chosen.split}, {len(clouds)} clouds\n\n{HEADER}")
        for name, row in zip([*ways, "grid of cubes"], rows, strict=True):
            print(row.markdown(name), flush=True)


if __name__ == "__main__":
    main()
