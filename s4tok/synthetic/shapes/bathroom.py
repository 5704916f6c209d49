"""What stands in bathrooms: toilets, washbasins, bathtubs, and basins that are let into a worktop."""

import numpy as np

from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, Solid, bowl, box, cylinder, ellipsoid, revolve, rod, standing


def toilet(draw: Draw) -> list[Part]:
    """Make a toilet: an oval bowl with its seat, a lid that is open or closed, and a tank behind."""
    long, wide, high = draw.between(0.4, 0.48), draw.between(0.34, 0.4), draw.between(0.38, 0.44)
    foot = draw.between(0.5, 0.75)
    line = np.array([(foot, 0.0), (foot, 0.1), (foot * 1.05, 0.5), (0.98, 0.85), (1.0, 1.0)])
    vessel = bowl(line * np.array([0.5, high]), 0.09, high * 0.45).stretched(wide, 1, long)
    seat = _ring(0.5, 0.3).stretched(wide * 1.02, 1, long * 1.02).moved(y=high)
    deep, tall = draw.between(0.15, 0.2), draw.between(0.3, 0.4)
    back = -long / 2 - deep / 2 + 0.02
    tank = standing(draw.between(0.36, 0.46), tall, deep, (0, high - 0.02, back), 0.02)
    neck = standing(wide * 0.6, high - 0.01, deep + 0.12, (0, 0, back + 0.05), 0.02)
    lid = cylinder(0.5, 0.022).stretched(wide * 1.02, 1, long * 1.02).moved(y=high + 0.025)
    if draw.chance(0.5):
        lid = lid.turned("x", -1.45, (0, high + 0.025, -long / 2 + 0.03))
    button = cylinder(0.022, 0.012, (0, high - 0.02 + tall, back))
    return [("bowl", vessel), ("bowl", neck), ("lid", seat), ("lid", lid), ("tank", tank), ("tank", button)]


def washbasin(draw: Draw) -> list[Part]:
    """Make a washbasin with its tap, on a pedestal or on a small cupboard."""
    wide, deep, high = draw.between(0.48, 0.75), draw.between(0.4, 0.5), draw.between(0.8, 0.9)
    drop = draw.between(0.13, 0.18)
    trough = [("bowl", piece.moved(y=high - drop)) for piece in _trough(wide, drop, deep, draw.between(0.04, 0.08))]
    if draw.chance(0.5):
        stand = cylinder(draw.between(0.09, 0.12), high - drop + 0.01, (0, 0, -deep * 0.15), draw.between(0.07, 0.1))
    else:
        stand = standing(wide * 0.92, high - drop + 0.005, deep * 0.85, (0, 0, -deep * 0.06), 0.006)
    return [*trough, ("stand", stand), *_tap(draw, high, -deep / 2 + 0.05)]


def basin(draw: Draw) -> list[Part]:
    """Make a shallow basin with its tap, as it shows above the worktop it is let into."""
    wide, deep = draw.between(0.42, 0.7), draw.between(0.36, 0.44)
    pieces: list[Part] = [("bowl", piece) for piece in _trough(wide, 0.03, deep, 0.02)]
    return [*pieces, *_tap(draw, 0.03, -deep / 2 + 0.02)]


def bathtub(draw: Draw) -> list[Part]:
    """Make a bathtub along a wall, with its tap at one end."""
    long, deep, high = draw.between(1.5, 1.8), draw.between(0.68, 0.8), draw.between(0.5, 0.6)
    pieces: list[Part] = [("bowl", piece) for piece in _trough(long, high, deep, draw.between(0.06, 0.09))]
    side = draw.pick([-1, 1])
    tap = [(name, piece.turned("y", -side * np.pi / 2)) for name, piece in _tap(draw, high, 0.0)]
    return [*pieces, *[(name, piece.moved(side * (long / 2 - 0.05))) for name, piece in tap]]


def _trough(wide: float, high: float, deep: float, rim: float) -> list[Solid]:
    """Make a box that is open above, its bottom at a sixth of its height."""
    sides = [standing(rim, high, deep, (s * (wide - rim) / 2, 0, 0), rim * 0.3) for s in (-1, 1)]
    ends = [standing(wide - 1.6 * rim, high, rim, (0, 0, s * (deep - rim) / 2), rim * 0.3) for s in (-1, 1)]
    return [*sides, *ends, standing(wide - 1.6 * rim, high / 6, deep - 1.6 * rim)]


def _tap(draw: Draw, level: float, back: float) -> list[Part]:
    tall, reach = draw.between(0.1, 0.25), draw.between(0.1, 0.16)
    post = rod((0, level - 0.005, back), (0, level + tall, back), 0.025)
    spout = rod((0, level + tall - 0.01, back), (0, level + tall - 0.03, back + reach), 0.022)
    grip = box((0.07, 0.012, 0.02), (0.03, level + tall + 0.01, back), 0.004)
    return [("tap", post), ("tap", spout), ("tap", grip), ("tap", ellipsoid((0.04, 0.02, 0.04), (0, level, back)))]


def _ring(outer: float, inner: float) -> Solid:
    return revolve([(outer, 0.0), (outer, 0.02), (inner, 0.02), (inner, 0.0), (outer, 0.0)], open_ended=True)
