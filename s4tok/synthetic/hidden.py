"""Which faces of an object are never visible, because they lie inside another of its solids."""

import numpy as np

from s4tok.shapes import Array, Bool, Float64
from s4tok.synthetic.solids import Solid

TOUCH = 2e-3  # metres, or a share of a thing's size where that is less: solids that touch hide each other


def hidden_faces(solids: list[Solid]) -> Bool[Array, " f"]:
    """Tell of each face, in the order of the solids, whether all of it lies within one other solid.

    Within means behind every face of the other: exact for convex solids, and never true outside any solid. Points
    that are sampled on hidden faces would belong to two parts at once.
    """
    lows = np.array([solid.vertices.min(0) for solid in solids])
    highs = np.array([solid.vertices.max(0) for solid in solids])
    touch = min(TOUCH, 0.01 * float((highs.max(0) - lows.min(0)).max()))
    meet = ((lows[:, None] <= highs[None] + touch) & (highs[:, None] >= lows[None] - touch)).all(-1)
    np.fill_diagonal(meet, False)
    hidden = []
    for number, solid in enumerate(solids):
        covered = np.zeros(len(solid.faces), bool)
        for other in np.flatnonzero(meet[number]):
            near = ((solid.vertices >= lows[other] - touch) & (solid.vertices <= highs[other] + touch)).all(1)
            candidates = np.flatnonzero(near[solid.faces].all(1) & ~covered)
            if len(candidates):
                corners, where = np.unique(solid.faces[candidates], return_inverse=True)
                inside = _behind_all(solid.vertices[corners], solids[other], touch)
                covered[candidates] = inside[where.reshape(-1, 3)].all(1)
        hidden.append(covered)
    return np.concatenate(hidden)


def _behind_all(points: Float64[Array, "n 3"], solid: Solid, touch: float) -> Bool[Array, " n"]:
    a, b, c = (solid.vertices[solid.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    length = np.sqrt((normal**2).sum(1))
    real = length > 1e-12
    normal = normal[real] / length[real, None]
    depth: Array = (points @ normal.T - (a[real] * normal).sum(1)).max(1)
    return depth < touch
