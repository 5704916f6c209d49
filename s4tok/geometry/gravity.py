"""Which way is up, told by a cloud's shape alone: how it rests, how it is layered, on which planes it is mirrored."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from scipy.spatial import ConvexHull, KDTree, QhullError

from s4tok.geometry.descriptors import normals_of
from s4tok.geometry.neighbors import nearest
from s4tok.shapes import Array, Float, Float64

DIRECTIONS = tuple((axis, sign) for sign in (1, -1) for axis in range(3))  # +x, +y, +z, then -x, -y, -z
SAMPLE, AMONG = 2048, 8192  # points that are measured, and those among which their neighbours are looked for
NEIGHBORS = 16  # of a normal
STRAY = (0.1, 99.9)  # percentiles of each coordinate, beyond which few points of a scan are where they should be
SLAB = 0.02  # of the longest side: as thick is the layer of points at the bottom, and at the top
SHORTEST = 1e-3  # of the longest side: no side counts as shorter
LAYERS = 12  # of a profile, from the bottom to the top
CELLS = 12  # of a footprint, along each side


class Measured(NamedTuple):
    """Some points of a cloud, in the unit of its longest side, and their normals, whose signs mean nothing."""

    xyz: Float64[Array, "m 3"]
    normals: Float64[Array, "m 3"]


def measured(xyz: Float[Array, "n 3"]) -> Measured:
    """Draw the points that are measured; which ones depends on how many there are. Strays are moved to the others."""
    order = np.random.default_rng(len(xyz)).permutation(len(xyz))
    low, high = np.percentile(xyz[order[:SAMPLE]].astype(np.float64), STRAY, axis=0)
    points = np.clip(xyz.astype(np.float64), low, high) - low
    points /= float(points.max()) or 1.0
    among, some = points[order[:AMONG]], points[order[:SAMPLE]]
    offsets = among[nearest(among, some, NEIGHBORS).indices] - some[:, None]
    offsets -= offsets.mean(axis=1, keepdims=True)
    return Measured(some, normals_of(offsets.swapaxes(1, 2) @ offsets))


def up_odds(cloud: Measured) -> Float64[Array, "6"]:
    """Give the logarithms of how likely each of `DIRECTIONS` points up; the likelihoods add to 1."""
    cues = up_cues(cloud)
    weights = _weights()
    hidden = np.maximum((cues - weights["mean"]) / weights["deviation"] @ weights["hidden"] + weights["bias"], 0)
    logits = hidden @ weights["out"]
    odds: Array = logits - np.logaddexp.reduce(logits)
    return odds


@cache
def _weights() -> dict[str, Float64[Array, "..."]]:
    with files("s4tok.geometry").joinpath("up.npz").open("rb") as file, np.load(file) as found:
        return {name: found[name].astype(np.float64) for name in found}


def up_cues(cloud: Measured) -> Float64[Array, "6 c"]:
    """Measure what tells whether a direction is up, a row for each of `DIRECTIONS`.

    The second half of a row is the first less its mean over the directions: how they differ in this cloud.
    """
    unlike = np.array([_unlike(cloud.xyz, axes) for axes in ([0], [1], [2], [1, 2], [2, 0], [0, 1])])
    rows = []
    for axis, sign in DIRECTIONS:
        flat = [each for each in range(3) if each != axis]
        height = cloud.xyz[:, axis] if sign > 0 else cloud.xyz[:, axis].max() - cloud.xyz[:, axis]
        across, steep = cloud.xyz[:, flat], np.abs(cloud.normals[:, axis])
        mirrored = [unlike[axis], *np.sort(unlike[flat]), unlike[3 + axis]]
        sides = np.sort(np.ptp(across, axis=0))
        slender = height.max() / np.maximum(sides, SHORTEST)
        rows.append([*mirrored, *sides, *slender, *_rest(height, across, steep), *_profile(height, across, steep)])
    cues = np.nan_to_num(np.array(rows))
    return np.concatenate([cues, cues - cues.mean(axis=0)], axis=1)


def _unlike(xyz: Float64[Array, "m 3"], axes: list[int]) -> float:
    """Say how far a cloud is from its mirror image, or where two axes are turned round, from its rotated one."""
    turned = xyz.copy()
    turned[:, axes] = xyz[:, axes].max(axis=0) - xyz[:, axes]
    return float(KDTree(xyz).query(turned[::2])[0].mean())


def _rest(height: Float64[Array, " m"], across: Float64[Array, "m 2"], steep: Float64[Array, " m"]) -> list[float]:
    """Measure what a cloud rests on, and what lies on top of it."""
    top = float(height.max())
    area = _area(_hull(across)) or 1.0
    found = [top, float((steep > 0.95).mean()), float((steep < 0.1).mean()), height.mean() / (top or 1.0)]
    for layer in (height <= SLAB, height >= top - SLAB):
        hull = _hull(across[layer])
        inside = -0.5 if hull is None else -float((hull.equations @ [*across.mean(axis=0), 1.0]).max())
        found += [layer.mean(), _area(hull) / area, inside / np.sqrt(area), (steep[layer] > 0.95).mean()]
    return found


def _profile(height: Float64[Array, " m"], across: Float64[Array, "m 2"], steep: Float64[Array, " m"]) -> list[float]:
    """Measure each layer: its share of points and of level ones, how much of the footprint it fills and spans."""
    layer = np.minimum((height / (height.max() or 1.0) * LAYERS).astype(np.int64), LAYERS - 1)
    points, level = (np.bincount(layer, weights, LAYERS) / len(layer) for weights in (None, steep**2))
    span = np.ptp(across, axis=0)
    cell = np.minimum((across - across.min(axis=0)) / np.where(span > 0, span, 1) * CELLS, CELLS - 1).astype(np.int64)
    filled = np.zeros((LAYERS, CELLS, CELLS), bool)
    filled[layer, cell[:, 0], cell[:, 1]] = True
    footprint = filled.any(axis=0).sum()
    spans = filled.any(axis=1).sum(axis=1) * filled.any(axis=2).sum(axis=1) / CELLS**2
    return [*np.sqrt(points), *np.sqrt(level), *(filled.sum(axis=(1, 2)) / footprint), *spans]


def _hull(across: Float64[Array, "k 2"]) -> ConvexHull | None:
    try:
        return ConvexHull(across) if len(across) > 3 else None
    except QhullError:  # all on one line
        return None


def _area(hull: ConvexHull | None) -> float:
    return 0.0 if hull is None else float(hull.volume)
