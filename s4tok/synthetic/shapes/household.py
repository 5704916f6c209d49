"""What stands about in any room: plants, cartons, bins, radiators."""

from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, box, cylinder, ellipsoid, revolve, rod, standing


def plant(draw: Draw) -> list[Part]:
    """Make a plant in a pot, leaves all around."""
    size = draw.between(0.25, 1.3)
    pot, top = size * draw.between(0.22, 0.35), draw.between(0.16, 0.24) * size**0.7
    wall = revolve([(top * 0.7, 0), (top, pot), (top * 0.88, pot), (top * 0.85, pot * 0.8), (0.0, pot * 0.8)])
    parts: list[Part] = [("pot", wall), ("soil", cylinder(top * 0.86, 0.01, (0, pot * 0.8, 0)))]
    for number in range(draw.count(9, 18)):
        around, lean = 2.4 * number, draw.between(0.15, 0.95)
        long, wide = (size - pot) * draw.between(0.6, 0.95), size * draw.between(0.05, 0.12)
        leaf = ellipsoid((wide, long, 0.008), (0, long / 2, 0)).turned("x", lean).turned("y", around)
        parts.append(("leaf", leaf.moved(y=pot * 0.78)))
    return parts


def carton(draw: Draw) -> list[Part]:
    """Make a carton, closed or open."""
    wide, high, deep = draw.between(0.25, 0.6), draw.between(0.18, 0.45), draw.between(0.2, 0.45)
    if draw.chance(0.5):
        return [("side", standing(wide, high, deep, soft=0.004))]
    sides = [standing(0.01, high, deep, (s * (wide - 0.01) / 2, 0, 0)) for s in (-1, 1)]
    ends = [standing(wide - 0.02, high, 0.01, (0, 0, s * (deep - 0.01) / 2)) for s in (-1, 1)]
    flaps = [
        box((deep * 0.4, 0.006, deep), (s * (wide / 2 + deep * 0.17), high + 0.03, 0)).turned(
            "z", s * 0.5, (s * wide / 2, high, 0)
        )
        for s in (-1, 1)
    ]
    return [("side", piece) for piece in (*sides, *ends, *flaps, standing(wide - 0.02, 0.01, deep - 0.02))]


def waste_bin(draw: Draw) -> list[Part]:
    """Make an open bin, round."""
    top, high = draw.between(0.11, 0.18), draw.between(0.25, 0.5)
    low, wall = top * draw.between(0.7, 0.95), 0.008
    line = [(low, 0), (top, high), (top - wall, high), (low - wall, 0.01), (0.0, 0.01)]
    return [("side", revolve(line))]


def radiator(draw: Draw) -> list[Part]:
    """Make a radiator of ribs between two pipes."""
    ribs, high, deep = draw.count(8, 18), draw.between(0.5, 0.7), draw.between(0.07, 0.12)
    step = draw.between(0.05, 0.07)
    wide = ribs * step
    places = [(number + 0.5) * step - wide / 2 for number in range(ribs)]
    parts: list[Part] = [("rib", standing(step * 0.7, high, deep, (x, 0.1, 0), 0.01)) for x in places]
    pipes = [rod((-wide / 2, 0.1 + high * share, 0), (wide / 2, 0.1 + high * share, 0), 0.04) for share in (0.07, 0.93)]
    feet = [rod((s * wide * 0.45, 0, 0), (s * wide * 0.45, 0.11, 0), 0.03) for s in (-1, 1)]
    return parts + [("pipe", piece) for piece in (*pipes, *feet)]
