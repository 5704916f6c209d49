"""What stands and hangs in kitchens: units, cupboards, cookers, refrigerators."""

from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, box, cylinder, rod, standing

GAP = 0.004  # metres between fronts


def kitchen_unit(draw: Draw) -> list[Part]:
    """Make a unit that goes under a worktop: a plinth, a body, doors or drawers."""
    wide, high, deep = draw.pick([0.4, 0.5, 0.6, 0.8, 0.9]), 0.87, draw.between(0.56, 0.6)
    plinth = draw.between(0.08, 0.14)
    parts: list[Part] = [("body", standing(wide - 0.02, plinth + 0.005, deep - 0.08, (0, 0, -0.03)))]
    parts.append(("body", standing(wide, high - plinth, deep, (0, plinth, 0))))
    rows = [(1.0, "door")] if draw.chance(0.45) else [(0.78, "door"), (0.22, "drawer")]
    if draw.chance(0.3):
        rows = [(1 / 3, "drawer")] * 3
    level = plinth
    for share, kind in rows:
        columns = 2 if wide > 0.65 and kind == "door" else 1
        parts += _fronts(kind, (wide, (high - plinth) * share), columns, level, deep / 2)
        level += (high - plinth) * share
    return parts


def hanging_cupboard(draw: Draw) -> list[Part]:
    """Make a cupboard that hangs on the wall above a worktop."""
    wide, high, deep = draw.pick([0.4, 0.5, 0.6, 0.8]), draw.between(0.55, 0.75), draw.between(0.3, 0.36)
    body: Part = ("body", standing(wide, high, deep))
    return [body, *_fronts("door", (wide, high), 2 if wide > 0.55 else 1, 0.0, deep / 2)]


def cooker(draw: Draw) -> list[Part]:
    """Make a cooker with an oven's door in front and plates on top."""
    wide, high, deep = draw.pick([0.5, 0.6]), 0.88, draw.between(0.56, 0.62)
    parts: list[Part] = [("body", standing(wide, high, deep, soft=0.006))]
    parts.append(("door", box((wide - 0.04, high * 0.55, 0.03), (0, high * 0.42, deep / 2 + 0.005), 0.005)))
    parts.append(
        ("handle", rod((-wide * 0.4, high * 0.68, deep / 2 + 0.05), (wide * 0.4, high * 0.68, deep / 2 + 0.05), 0.02))
    )
    for side in (-1, 1):
        parts.append(("handle", box((0.02, 0.02, 0.05), (side * wide * 0.38, high * 0.68, deep / 2 + 0.025))))
        for end in (-1, 1):
            radius = draw.between(0.07, 0.1)
            parts.append(("plate", cylinder(radius, 0.014, (side * wide * 0.24, high - 0.002, end * deep * 0.22))))
    knobs = [
        box((0.03, 0.03, 0.03), (wide * (k / 4 - 0.5) * 0.8 + wide * 0.1, high * 0.8, deep / 2 + 0.012), 0.005)
        for k in range(4)
    ]
    return parts + [("handle", knob) for knob in knobs]


def refrigerator(draw: Draw) -> list[Part]:
    """Make a refrigerator with one door, two above each other, or two beside each other."""
    kind = draw.pick(["small", "single", "freezer", "freezer", "american"])
    wide = draw.between(0.85, 0.95) if kind == "american" else draw.between(0.54, 0.7)
    high = {"small": draw.between(0.84, 1.2), "american": draw.between(1.72, 1.8)}.get(kind, draw.between(1.5, 1.9))
    deep = draw.between(0.58, 0.7)
    parts: list[Part] = [("body", standing(wide, high, deep, soft=0.01))]
    split = draw.between(0.3, 0.7)
    panels = {"freezer": [(0.0, split, 1), (split, 1.0, 1)], "american": [(0.0, 1.0, 2)]}.get(kind, [(0.0, 1.0, 1)])
    for low, top, columns in panels:
        for column in range(columns):
            x = wide * ((column + 0.5) / columns - 0.5)
            broad, tall = wide / columns - GAP, (top - low) * high - 0.01
            middle = (x, (low + top) / 2 * high, deep / 2 + 0.02)
            parts.append(("door", box((broad, tall, 0.05), middle, 0.012)))
            side = x + (broad / 2 - 0.05) * (1 if column == 0 else -1)
            grip = min(0.5, tall * 0.5)
            parts.append(("handle", box((0.025, grip, 0.02), (side, middle[1], deep / 2 + 0.075), 0.006)))
            parts += [
                ("handle", box((0.02, 0.02, 0.04), (side, middle[1] + s * grip * 0.45, deep / 2 + 0.055)))
                for s in (-1, 1)
            ]
    return parts


def _fronts(kind: str, size: tuple[float, float], columns: int, level: float, front: float) -> list[Part]:
    """Make doors or a drawer's front over a width and a height, each with a handle."""
    wide, high = size
    parts: list[Part] = []
    for column in range(columns):
        x, y = wide * ((column + 0.5) / columns - 0.5), level + high / 2
        broad, tall = wide / columns - GAP, high - GAP
        parts.append((kind, box((broad, tall, 0.02), (x, y, front + 0.009), 0.003)))
        if kind == "drawer":
            parts.append(("handle", box((min(0.2, broad * 0.5), 0.014, 0.03), (x, y, front + 0.03), 0.004)))
        else:
            side = 1 if column == 0 else -1
            parts.append(("handle", box((0.014, 0.14, 0.03), (x + side * (broad / 2 - 0.04), y, front + 0.03), 0.004)))
    return parts
