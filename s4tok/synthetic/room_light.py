"""The lights of one room: its windows, its ceiling lamp and the lamps that stand in it."""

import numpy as np

from s4tok.synthetic.lighting import Light, Lighting
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.scenes import Builder
from s4tok.synthetic.shells import Opening, Plan, Wall

WARM, COOL = (1.0, 0.9, 0.74), (0.93, 0.97, 1.0)


def light_room(builder: Builder, draw: Draw, plan: Plan, walls: list[tuple[Wall, list[Opening]]]) -> Lighting:
    """Let daylight in through the windows, and switch lamps on or off."""
    lights, day = [], draw.between(0.2, 1.1)
    for wall, openings in walls:
        for each in openings:
            if each.kind == "window":
                x, y = wall.at((each.start + each.end) / 2, 0.15)
                lights.append(Light((x, y, (each.bottom + each.top) / 2), day, draw.between(2.0, 3.5), COOL))
    if draw.chance(0.5) or not lights:
        middle = (plan.width / 2, plan.depth / 2, plan.height - 0.25)
        lights.append(Light(middle, draw.between(0.4, 0.9), draw.between(2.0, 3.5), WARM))
    for name, (x, y, z) in builder.tops():
        if name in ("table lamp", "floor lamp", "wall lamp") and draw.chance(0.5):
            lights.append(Light((x, y, z - 0.08), 0.5, 0.7, WARM))
    ambient = draw.between(0.35, 0.6)
    unlit = Lighting(tuple(lights), ambient, 1.0)
    white, center = np.ones((1, 3)), np.array([[plan.width / 2, plan.depth / 2, 0.8]])
    usual = float(unlit.shade(white, center, np.array([[0.0, 0.0, 1.0]])).mean())
    return Lighting(unlit.lights, ambient, draw.between(0.75, 1.0) / usual)
