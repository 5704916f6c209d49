r"""Merging regions of a graph while the price of a border rises: the l0 energy of cut pursuit, minimised from below.

.. math:: \min_x \sum_i \|f_i - x_i\|^2 + \lambda \sum_{(i, j)} w_{ij} [x_i \neq x_j]

At first each point is a region. Merging two raises the first term by Ward's distance and saves the price of their
border. Regions wait in a queue; each in turn merges with the neighbour of the least ratio of the two, if that is under
the limit, and its successor queues up again. The limit rises to 1, so that what is most alike merges first; one step
alone ends at a higher energy. In the end no merge of two neighbours lowers the energy.
"""

from typing import NamedTuple

import numpy as np

from s4tok.compiled import compiled
from s4tok.shapes import Array, Float64, Int, Int32


class Regions(NamedTuple):
    """Regions, what they hold, and for each a list of the edges that leave it."""

    parent: Int32[Array, " n"]  # of a point: towards the one that stands for its region
    sizes: Float64[Array, " n"]
    total: Float64[Array, "n d"]  # sum of the features
    head: Int32[Array, " n"]  # the first edge of each region, -1 where it has none
    tail: Int32[Array, " n"]  # and its last
    follow: Int32[Array, " h"]  # the edge behind each; every edge is in the lists of both its ends
    target: Int32[Array, " h"]  # a point of the region at its other end
    price: Float64[Array, " h"]
    seen: Int32[Array, " n"]  # the edge to each region, valid where `seen_by` is the region at hand
    seen_by: Int32[Array, " n"]


@compiled
def begin(
    features: Float64[Array, "n d"],
    first: Int32[Array, " n"],
    low: Int[Array, " e"],
    high: Int[Array, " e"],
    price: Float64[Array, " e"],
) -> Regions:
    """Make regions of points that name the same of themselves as their first."""
    n, n_edges = len(features), 0
    sizes, total = np.zeros(n), np.zeros(features.shape)
    for point in range(n):
        sizes[first[point]] += 1
        for channel in range(features.shape[1]):
            total[first[point], channel] += features[point, channel]
    for edge in range(len(low)):
        n_edges += first[low[edge]] != first[high[edge]]
    head, tail, follow = np.full(n, -1, np.int32), np.full(n, -1, np.int32), np.full(2 * n_edges, -1, np.int32)
    target, prices, place = np.empty(2 * n_edges, np.int32), np.empty(2 * n_edges), 0
    for edge in range(len(low)):
        one, other = first[low[edge]], first[high[edge]]
        if one == other:
            continue
        for _ in range(2):
            target[place], prices[place] = other, price[edge]
            if head[one] < 0:
                head[one] = place
            else:
                follow[tail[one]] = place
            tail[one] = place
            place += 1
            one, other = other, one
    seen, seen_by = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    return Regions(first.copy(), sizes, total, head, tail, follow, target, prices, seen, seen_by)


@compiled
def merge_below(regions: Regions, limit: float) -> None:
    """Merge neighbours whose merge raises the first term by at most `limit` times what it saves."""
    n = len(regions.parent)
    queue, waits = np.empty(n, np.int64), np.zeros(n, np.bool_)
    first, count = 0, 0
    for region in range(n):
        if regions.parent[region] == region:
            queue[count], waits[region] = region, True
            count += 1
    while first < count:
        region = queue[first % n]
        first, waits[region] = first + 1, False
        if regions.parent[region] != region:
            continue
        _tidy(regions, region)
        rank, home = _closest(regions, region, True)
        if home < 0 or rank > limit:
            continue
        kept = _merge(regions, region, home)
        if not waits[kept]:
            queue[count % n], waits[kept] = kept, True
            count += 1


@compiled
def merge_small(regions: Regions, smallest: int) -> None:
    """Merge regions under `smallest` points, the smallest first, where it raises the energy least."""
    n = len(regions.parent)
    small = np.empty(n, np.int64)
    count = 0
    for region in range(n):
        if regions.parent[region] == region and regions.sizes[region] < smallest and regions.head[region] >= 0:
            small[count] = region
            count += 1
    while count > 0:
        least = regions.sizes[small[:count]].min()
        kept = 0
        for place in range(count):
            region = small[place]
            if regions.parent[region] != region or regions.sizes[region] >= smallest:
                continue
            if regions.sizes[region] <= least:
                _tidy(regions, region)
                home = _closest(regions, region, False)[1]
                if home < 0 or _merge(regions, region, home) != region:
                    continue  # what took it in is in the list already, or too large for it
            small[kept] = region
            kept += 1
        count = kept


@compiled
def roots(regions: Regions) -> Int32[Array, " n"]:
    """Give each point the one that stands for its region."""
    for point in range(len(regions.parent)):
        regions.parent[point] = _root(regions.parent, point)
    return regions.parent


@compiled
def _root(parent: Int32[Array, " n"], point: int) -> int:
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = parent[point]
    return point


@compiled
def _tidy(regions: Regions, region: int) -> None:
    """Leave one edge to each neighbour, with the price of all, and none inside."""
    before, edge = -1, regions.head[region]
    while edge >= 0:
        following = regions.follow[edge]
        other = _root(regions.parent, int(regions.target[edge]))
        if other != region and regions.seen_by[other] != region:
            regions.target[edge], regions.seen[other], regions.seen_by[other] = other, edge, region
            before = edge
        else:
            if other != region:
                regions.price[regions.seen[other]] += regions.price[edge]
            if before < 0:
                regions.head[region] = following
            else:
                regions.follow[before] = following
            if following < 0:
                regions.tail[region] = before
        edge = following
    edge = regions.head[region]
    while edge >= 0:
        regions.seen_by[regions.target[edge]] = -1
        edge = regions.follow[edge]


@compiled
def _closest(regions: Regions, region: int, by_ratio: bool) -> tuple[float, int]:
    """Find the neighbour that suits best, by the ratio of Ward's distance to the border's price or by their difference.

    Of several the lowest is taken; there is none, -1, where nothing is around.
    """
    best, home = np.inf, -1
    total, sizes = regions.total, regions.sizes
    edge = regions.head[region]
    while edge >= 0:
        other, apart = int(regions.target[edge]), 0.0
        for channel in range(total.shape[1]):
            apart += (total[region, channel] / sizes[region] - total[other, channel] / sizes[other]) ** 2
        ward = apart * sizes[region] * sizes[other] / (sizes[region] + sizes[other])
        price = regions.price[edge]
        rank = ward - price
        if by_ratio:
            rank = ward / price if price > 0 else (0.0 if ward == 0 else np.inf)
        if rank < best or (rank == best and other < home):
            best, home = rank, other
        edge = regions.follow[edge]
    return best, home


@compiled
def _merge(regions: Regions, one: int, other: int) -> int:
    """Let the larger take the smaller in, and give the larger."""
    kept, gone = (one, other) if regions.sizes[one] >= regions.sizes[other] else (other, one)
    regions.parent[gone] = kept
    regions.sizes[kept] += regions.sizes[gone]
    for channel in range(regions.total.shape[1]):
        regions.total[kept, channel] += regions.total[gone, channel]
    regions.follow[regions.tail[kept]] = regions.head[gone]
    regions.tail[kept] = regions.tail[gone]
    return kept
