"""Windows over a cloud with many objects: vertical columns that overlap, or proposals that part what a gap parts."""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from s4tok.errors import UsageError
from s4tok.shapes import Array, Bool, Float, Float64, Int

MOST = 20_000  # windows; more of them is a unit of length that was misunderstood
SMALLEST_WEIGHT = 1e-3  # a window's say at its very edge, so that every point hears somebody
THIN = 0.1  # standard deviation across a flat piece, in that along its shorter side
CELLS = 4  # to a gap; one point a cell stands for the others when groups are looked for


class Window(NamedTuple):
    """Points that are encoded together, and the weight of each in the mean over windows."""

    which: Int[Array, " k"]
    weight: Float64[Array, " k"]  # falls towards a border that another window reaches over; 0 for mere company


def windows(xyz: Float[Array, "n 3"], up: str, size: float, overlap: float, smallest: int = 1) -> Iterator[Window]:
    """Lay square columns over a cloud, evenly, neighbours sharing at least `overlap`; every point lies in one.

    Args:
        xyz: The cloud.
        up: The axis along which columns are not cut.
        size: Of a column's side, in the cloud's unit; 0 takes the cloud whole.
        overlap: What two neighbours share.
        smallest: Points a window holds at least; a column of fewer takes the nearest others in, as company.
    """
    if size <= 0:
        yield Window(np.arange(len(xyz)), np.ones(len(xyz)))
        return
    if overlap >= size:
        raise UsageError(f"windows of {size:g} cannot overlap by {overlap:g}.", "take larger windows.")
    flat = xyz[:, ["xyz".index(axis) for axis in "xyz" if axis != up]].astype(np.float64)
    low, extent = flat.min(axis=0), np.ptp(flat, axis=0)
    counts = [1 if length <= size else ceil((length - overlap) / (size - overlap)) for length in extent]
    if counts[0] * counts[1] > MOST:
        raise UsageError(
            f"the cloud is {extent[0]:,.4g} x {extent[1]:,.4g} units across, which are {counts[0] * counts[1]:,} "
            f"windows of {size:g}.",
            "windows are in metres: --scale 0.001 reads millimetres, a larger --window makes fewer.",
        )
    starts = [low[axis] + np.linspace(0, max(extent[axis] - size, 0), counts[axis]) for axis in (0, 1)]
    for first in range(counts[0]):
        say = _border_weight(flat[:, 0], starts[0], first, size, overlap)
        strip = np.flatnonzero(say)
        for second in range(counts[1]):
            both = say[strip] * _border_weight(flat[strip, 1], starts[1], second, size, overlap)
            inside = both > 0
            if not inside.any():
                continue
            index, weight = strip[inside], both[inside]
            if len(index) < min(smallest, len(flat)):
                middle = np.array([starts[0][first], starts[1][second]]) + size / 2
                index, weight = _joined_by_others(flat, index, weight, middle, smallest)
            yield Window(index, weight)


def proposals(
    xyz: Float[Array, "n 3"], superpoints: Int[Array, " n"], gap: float, large: float, smallest: int = 1
) -> Iterator[Window]:
    """Take a room apart into what may be single things: each point is in exactly one window, with weight 1.

    A large flat superpoint (a wall, the floor, a big table top) is a window of its own. Without them the rest falls
    into groups of points, no group nearer to another than the gap; each is a window.

    Args:
        xyz: The cloud.
        superpoints: The superpoint of each point.
        gap: Points so near belong together, in the cloud's unit. It is measured from one point of each cell of a
            quarter of it, so it is about so exact.
        large: Area from which on a flat superpoint has a window of its own, in the cloud's unit squared.
        smallest: Points a window holds at least; what has fewer joins the window that is nearest.
    """
    _require_dense(xyz, gap)
    names, piece = np.unique(superpoints, return_inverse=True)
    is_apart = _large_and_flat(xyz, piece, len(names), large)[piece]
    group = piece.copy()
    if not is_apart.all():
        group[~is_apart] = len(names) + groups(xyz[~is_apart], gap)
    group = _joined_to_the_nearest(xyz, group, smallest)
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    order = np.argsort(first[group], kind="stable")  # by each window's first point, wherever the cloud lies
    for which in np.split(order, np.flatnonzero(np.diff(first[group][order])) + 1):
        yield Window(which, np.ones(len(which)))


def _border_weight(
    along: Float64[Array, " n"], starts: Float64[Array, " w"], which: int, size: float, overlap: float
) -> Float64[Array, " n"]:
    """Weigh points by their place in a window along one axis: 0 outside, 1 where nobody else has a say."""
    inwards = np.full(len(along), np.inf)
    if which > 0:
        inwards = along - starts[which]
    if which < len(starts) - 1:
        inwards = np.minimum(inwards, starts[which] + size - along)
    weight: Array = np.where(
        inwards >= 0, np.clip(inwards / max(overlap, SMALLEST_WEIGHT * size), SMALLEST_WEIGHT, 1), 0
    )
    return weight


def _joined_by_others(
    flat: Float64[Array, "n 2"],
    index: Int[Array, " k"],
    weight: Float64[Array, " k"],
    middle: Float64[Array, "2"],
    smallest: int,
) -> tuple[Int[Array, " m"], Float64[Array, " m"]]:
    say = np.zeros(len(flat))
    say[index] = weight
    far = np.square(flat - middle).sum(axis=1)
    far[index] = -1
    all_of_them = np.sort(np.argpartition(far, min(smallest, len(flat)) - 1)[:smallest])
    return all_of_them, say[all_of_them]


def _require_dense(xyz: Float[Array, "n 3"], gap: float) -> None:
    """Refuse a cloud most of whose points have no other within the gap."""
    some = xyz[:: max(len(xyz) // 1000, 1)]
    apart = float(np.median(KDTree(xyz).query(some, k=min(2, len(xyz)))[0].reshape(len(some), -1)[:, -1]))
    if apart > gap:
        raise UsageError(
            f"points lie {apart:,.3g} from each other, and --windows superpoints joins those within {gap:g}.",
            "the gap is in metres: --scale 0.001 reads millimetres, a larger --gap joins more.",
        )


def _large_and_flat(
    xyz: Float[Array, "n 3"], piece: Int[Array, " n"], n_pieces: int, large: float
) -> Bool[Array, " s"]:
    """Tell which pieces are flat and have at least this area: that of a rectangle with their spread."""
    centered = xyz.astype(np.float64) - xyz.mean(axis=0, dtype=np.float64)
    sizes = np.bincount(piece, minlength=n_pieces)

    def means(values: Float64[Array, " n"]) -> Float64[Array, " s"]:
        of_pieces: Array = np.bincount(piece, values, n_pieces) / sizes
        return of_pieces

    middles = np.stack([means(axis) for axis in centered.T], axis=1)
    products = [[means(one * other) for one in centered.T] for other in centered.T]
    covariances = np.stack(products).transpose(2, 0, 1) - middles[:, :, None] * middles[:, None, :]
    thickness, width, length = np.sqrt(np.linalg.eigvalsh(covariances).clip(0)).T
    is_one: Array = (thickness <= THIN * width) & (12 * width * length >= large)
    return is_one


def groups(xyz: Float[Array, "n 3"], gap: float) -> Int[Array, " n"]:
    """Number groups of points that no gap parts, by one point of each small cell."""
    cells = np.floor((xyz - xyz.min(axis=0)) * (CELLS / gap)).astype(np.int64)
    _, first, cell = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    pairs = KDTree(xyz[first]).query_pairs(gap, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(len(first), len(first)))
    groups: Array = connected_components(graph, directed=False)[1][cell.reshape(-1)]
    return groups


def _joined_to_the_nearest(xyz: Float[Array, "n 3"], group: Int[Array, " n"], smallest: int) -> Int[Array, " n"]:
    """Let each group of too few points join the large one that one of its points is nearest to."""
    is_lone = np.bincount(group)[group] < smallest
    if is_lone.all():
        return np.zeros_like(group)
    if not is_lone.any():
        return group
    lone, kept = np.flatnonzero(is_lone), np.flatnonzero(~is_lone)
    distance, found = KDTree(xyz[kept]).query(xyz[lone])
    nearest: Array = kept[found]
    order = np.lexsort((distance, group[lone]))
    _, first, which = np.unique(group[lone][order], return_index=True, return_inverse=True)
    joined = group.copy()
    joined[lone[order]] = group[nearest[order[first]]][which]
    return joined
