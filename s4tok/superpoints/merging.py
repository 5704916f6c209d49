"""Merging superpoints: those too small to stand, and those that only the method's own limits have kept apart.

The piecewise constant model of cut pursuit cannot hold a curved part: it cuts a mug's wall into dozens of flat
staves. Such a cut differs from a crease in one thing that can be measured: across it the surface bends no more than
it does all around. So pieces are joined where their border bends less than their points' own surroundings do, in the
direction in which these bend most; a mean over directions would be too strict with a tube, which is straight along.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from s4tok.geometry import Graph
from s4tok.geometry.neighbors import CHUNK
from s4tok.shapes import Array, Float64, Int, Int32
from s4tok.superpoints.labels import dense

FLAT = 1e-9  # bend that rounding gives to an ideal plane, whose pieces are joined too


@dataclass
class Border:
    """The edges between two superpoints: how many, what cutting them costs, how much the surface bends along them."""

    count: float
    price: float
    bend: float  # sum over edges of sin^2 of the angle between the normals at its ends

    def add(self, other: "Border") -> None:
        """Take another's edges in."""
        self.count += other.count
        self.price += other.price
        self.bend += other.bend


class Adjacency:
    """Superpoints, what they hold, and the borders between them, kept up to date while they merge."""

    def __init__(
        self,
        labels: Int[Array, " n"],
        graph: Graph,
        features: Float64[Array, "n d"],
        normals: Float64[Array, "n 3"],
        regularization: float,
    ) -> None:
        self.labels = dense(labels)
        n_superpoints = int(self.labels.max()) + 1
        self.parent = np.arange(n_superpoints)
        self.version = [0] * n_superpoints  # counts merges, so that what was computed before one is known as stale
        self.size: list[float] = np.bincount(self.labels).astype(float).tolist()
        self.total = np.stack([np.bincount(self.labels, column) for column in features.T], axis=1)
        self.border: list[dict[int, Border]] = [{} for _ in range(n_superpoints)]
        bend = _bends(normals, graph)
        steepest = np.zeros(graph.n_points)
        np.maximum.at(steepest, graph.low, bend)
        np.maximum.at(steepest, graph.high, bend)
        self.steepness: list[float] = np.bincount(self.labels, steepest).tolist()  # sum over points
        across = np.flatnonzero(self.labels[graph.low] != self.labels[graph.high])
        ends = np.stack([self.labels[graph.low[across]], self.labels[graph.high[across]]]).astype(np.int64)
        ends.sort(axis=0)
        pair, member = np.unique(ends[0] * n_superpoints + ends[1], return_inverse=True)
        edges = np.ones(len(across)), regularization * graph.weight[across], bend[across]
        sums = [np.bincount(member.reshape(-1), each).tolist() for each in edges]
        for ends_of_pair, *border in zip(pair.tolist(), *sums, strict=True):
            one, other = divmod(ends_of_pair, n_superpoints)
            self.border[one][other] = self.border[other][one] = Border(*border)

    def merge_small(self, smallest: int) -> None:
        """Merge superpoints under `smallest` points, the smallest first, where it raises the energy least."""
        heap = [(size, each) for each, size in enumerate(self.size) if size < smallest]
        heapify(heap)
        while heap:
            size, each = heappop(heap)
            if self.parent[each] != each or size != self.size[each] or not self.border[each]:
                continue
            home = min(self.border[each], key=lambda other: (self._energy_raised(each, other), other))
            merged = self._merge(each, home)
            if self.size[merged] < smallest:
                heappush(heap, (self.size[merged], merged))

    def merge_smooth(self, factor: float) -> None:
        """Merge superpoints whose border bends at most `factor` times as much as their points do, smoothest first."""
        every = ((one, other) for one, others in enumerate(self.border) for other in others if one < other)
        heap = [step for pair in every if (step := self._step(*pair, factor))]
        heapify(heap)
        while heap:
            _, one, other, *versions = heappop(heap)
            if versions != [self.version[one], self.version[other]]:
                continue
            merged = self._merge(one, other)
            for neighbor in self.border[merged]:
                if step := self._step(min(merged, neighbor), max(merged, neighbor), factor):
                    heappush(heap, step)

    def merged_labels(self) -> Int32[Array, " n"]:
        """Give each point the superpoint its own has become."""
        root = self.parent
        while (root != root[root]).any():
            root = root[root]
        return dense(root[self.labels])

    def _energy_raised(self, one: int, other: int) -> float:
        """Say by how much a merge raises the energy of cut pursuit: Ward's distance, less the border's price."""
        apart = self.total[one] / self.size[one] - self.total[other] / self.size[other]
        weight = self.size[one] * self.size[other] / (self.size[one] + self.size[other])
        return weight * float(apart @ apart) - self.border[one][other].price

    def _step(self, one: int, other: int, factor: float) -> tuple[float, int, int, int, int] | None:
        """Propose a merge, ranked by how much the border bends beside the two; None where a crease parts them."""
        around = self.steepness[one] / self.size[one] + self.steepness[other] / self.size[other]
        border = self.border[one][other]
        rank = border.bend / border.count / (factor * around / 2 + FLAT)
        return (rank, one, other, self.version[one], self.version[other]) if rank <= 1 else None

    def _merge(self, one: int, other: int) -> int:
        """Let the larger take the smaller in, and give the larger."""
        keep, gone = (one, other) if self.size[one] >= self.size[other] else (other, one)
        self.parent[gone] = keep
        self.size[keep] += self.size[gone]
        self.size[gone] = 0.0
        self.total[keep] += self.total[gone]
        self.version[keep] += 1
        self.version[gone] += 1
        self.steepness[keep] += self.steepness[gone]
        del self.border[keep][gone], self.border[gone][keep]
        for neighbor, edges in self.border[gone].items():
            del self.border[neighbor][gone]
            if neighbor in self.border[keep]:
                self.border[keep][neighbor].add(edges)
            else:
                self.border[keep][neighbor] = self.border[neighbor][keep] = edges
        self.border[gone] = {}
        return keep


def _bends(normals: Float64[Array, "n 3"], graph: Graph) -> Float64[Array, " e"]:
    """Give sin^2 of the angle between the normals at each edge's ends, for some edges at a time."""
    bend = np.empty(len(graph.low))
    for start in range(0, len(bend), CHUNK):
        rows = slice(start, start + CHUNK)
        bend[rows] = 1 - np.einsum("ei,ei->e", normals[graph.low[rows]], normals[graph.high[rows]]) ** 2
    return bend
