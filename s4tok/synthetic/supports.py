"""Where things can be put onto and into a piece of furniture: flat places with room above them."""

from typing import NamedTuple

import numpy as np

from s4tok.shapes import Array, Float64
from s4tok.synthetic.objects import Object

FLAT = 0.012  # metres by which the ground under a thing may differ
SHARE = 0.8  # of a thing's half sides, at which the ground under it is probed
THICK = 0.06  # metres; what lies so close above a board is the board itself or its edge


class Level(NamedTuple):
    """A flat place."""

    height: float
    room: float  # above it, up to the next thing; infinite where there is none


def levels(thing: Object, x: float, z: float, half_x: float, half_z: float) -> list[Level]:
    """Find the flat places of an object under a box around a place of its own frame, from the lowest to the highest.

    A place under a board counts where one can reach it from the front.
    """
    probes = [(x, z)] + [(x + a * SHARE * half_x, z + b * SHARE * half_z) for a in (-1, 1) for b in (-1, 1)]
    met = [crossings(thing.vertices[thing.faces], *probe) for probe in probes]
    if any(len(each) == 0 for each in met):
        return []
    found: list[Level] = []
    for height in met[0]:
        at = [each[np.abs(each - height) <= FLAT] for each in met]
        if all(len(each) for each in at):
            top = max(float(each.max()) for each in at)
            above = [each[each > top + 1e-6] for each in met]
            room = min((float(each[0]) - top for each in above if len(each)), default=np.inf)
            if room > THICK and (not found or top > found[-1].height + FLAT) and _is_open(thing, x, top, room, z):
                found.append(Level(top, room))
    return found


def _is_open(thing: Object, x: float, height: float, room: float, z: float) -> bool:
    if np.isinf(room):
        return True
    ahead = crossings(thing.vertices[thing.faces][..., [0, 2, 1]], x, height + min(room, 0.3) / 2)
    return not (ahead > z).any()


def crossings(corners: Float64[Array, "f 3 3"], x: float, z: float) -> Float64[Array, " k"]:
    """Give the heights (second coordinates) at which a line along them crosses triangles, in order."""
    low, high = corners.min(1), corners.max(1)
    near = corners[(low[:, 0] <= x) & (high[:, 0] >= x) & (low[:, 2] <= z) & (high[:, 2] >= z)]
    a, b, c = near.transpose(1, 0, 2)
    area = (b[:, 0] - a[:, 0]) * (c[:, 2] - a[:, 2]) - (c[:, 0] - a[:, 0]) * (b[:, 2] - a[:, 2])
    flat = np.abs(area) > 1e-12
    a, b, c, area = a[flat], b[flat], c[flat], area[flat]
    v = ((x - a[:, 0]) * (c[:, 2] - a[:, 2]) - (c[:, 0] - a[:, 0]) * (z - a[:, 2])) / area
    w = ((b[:, 0] - a[:, 0]) * (z - a[:, 2]) - (x - a[:, 0]) * (b[:, 2] - a[:, 2])) / area
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    heights: Array = np.sort((a[:, 1] + v * (b[:, 1] - a[:, 1]) + w * (c[:, 1] - a[:, 1]))[inside])
    return heights
