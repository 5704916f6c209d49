"""Bathrooms of homes: tubs behind curtains, washbasins under mirrors."""

import numpy as np

from s4tok.synthetic.furnishing import Spot
from s4tok.synthetic.furniture import narrower
from s4tok.synthetic.home import Home, Place, plain
from s4tok.synthetic.materials import tint
from s4tok.synthetic.solids import box, sheet

SILVER = (0.74, 0.78, 0.8)


def furnish_bathroom(home: Home) -> None:
    """Furnish a bathroom: a tub with its curtain or a shower, a washbasin under a mirror, a toilet."""
    draw = home.draw
    tub = home.stand_surely("bathtub") if draw.chance(0.75) else None
    if tub:
        _draw_curtain(home, tub)
    elif not home.stand("shower cabin", margin=0.0):
        tub = home.stand_surely("bathtub")
    basin = home.stand_surely("washbasin")
    if basin:
        _hang_mirror(home, basin)
        home.put_on(basin, "bath things", draw.count(1, 3))
    home.stand_surely("toilet")
    for name, chance in (
        ("bidet", 0.3), ("washing machine", 0.4), ("towel radiator", 0.5), ("waste bin", 0.7), ("sideboard", 0.4),
        ("stool", 0.2),
    ):  # fmt: skip
        if draw.chance(chance):
            home.stand(name, narrower(0.8))
    if tub:
        home.put_on(tub, "bath things", 1)
    for _ in range(draw.count(1, 3)):
        home.hang("towel", draw.between(0.8, 1.3))


def _draw_curtain(home: Home, tub: Spot) -> None:
    """Hang a curtain along a tub's front, drawn from one side: one of the libraries', or a sheet in folds."""
    draw, long = home.draw, float(tub.thing.size[0])
    curtain, side = home.find("shower curtain", narrower(long)), draw.pick([-1, 1])
    if curtain is None:
        wide, tall = long * draw.between(0.35, 0.8), draw.between(1.7, 1.85)
        x, y = np.meshgrid(np.linspace(0, wide, 61), np.linspace(0.0, tall, 5), indexing="ij")
        fold = 0.035 * np.sin(x / wide * 2 * np.pi * draw.count(5, 9))
        cloth = sheet(np.stack([x - wide / 2, y, fold], -1), 0.006).moved(side * (long - wide) / 2)
        rail = box((long, 0.025, 0.025), (0, tall + 0.02, 0))
        curtain = plain([cloth, rail], [tint(draw.pick(["linen", "fabric", "white"]), draw), tint("metal", draw)])
    across = side * (long - float(curtain.size[0])) / 2
    front = float(tub.thing.vertices[:, 2].max()) + 0.05
    home.put_at(tub, "shower curtain", curtain, Place(across, front, 0.15))


def _hang_mirror(home: Home, basin: Spot) -> None:
    """Hang a mirror above a washbasin, unless it has one or hangs before a window."""
    wall, along = home.wall_of(basin)
    half = float(basin.thing.size[0]) / 2
    if basin.top > 1.25 or any(o.start < along + half and along - half < o.end for o in home.floor.openings(wall)):
        return
    wide, tall = 2 * half * home.draw.between(0.7, 1.0), home.draw.between(0.5, 0.8)
    mirror = plain([box((wide, tall, 0.02), (0, tall / 2, 0.01))], [SILVER])
    back = float(basin.thing.vertices[:, 2].min())
    home.put_at(basin, "mirror", mirror, Place(0.0, back, 1.3 - basin.thing.elevation))
