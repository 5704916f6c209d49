"""Laptops."""

import numpy as np

from s4tok.synthetic.outlines import rounded_rectangle
from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.solids import Part, frame, laid, plate, rod, standing


def laptop(draw: Draw) -> list[Part]:
    """Make a laptop, open at some angle: screen and keyboard."""
    width = draw.between(0.26, 0.4)
    depth = width * draw.between(0.6, 0.76)
    kind = draw.pick(["thin", "thin", "old", "tent"])
    thick = draw.between(0.012, 0.02) if kind != "old" else draw.between(0.025, 0.045)
    lid = draw.between(0.006, 0.01) if kind != "old" else draw.between(0.012, 0.02)
    round_ = max(draw.between(0.004, 0.025), 0.4 * thick)  # a corner is no sharper than the rims that meet in it
    base = plate(rounded_rectangle(width, depth, round_), thick, soft=thick * 0.35).turned("x", -np.pi / 2)
    parts = [("keyboard", base.moved(y=thick / 2))]
    keys_deep, front = depth * draw.between(0.42, 0.55), depth * draw.between(0.02, 0.12)
    rows, columns = draw.count(4, 6), draw.count(9, 13)
    if draw.chance(0.75):
        pitch_x, pitch_z = width * 0.88 / columns, keys_deep / rows
        for row in range(rows):
            for column in range(columns):
                spot = (pitch_x * (column + 0.5 - columns / 2), thick, pitch_z * (row + 0.5 - rows / 2) - front)
                parts.append(("keyboard", standing(pitch_x * 0.8, 0.003, pitch_z * 0.8, spot)))
    else:
        parts.append(("keyboard", standing(width * 0.88, 0.003, keys_deep, (0, thick, -front), 0.001)))
    parts.append(("keyboard", standing(width * draw.between(0.25, 0.4), 0.002, depth * 0.22, (0, thick, depth * 0.34))))
    angle = draw.between(-0.35, 1.0) if kind != "tent" else draw.between(1.2, 1.55)
    hinge = (0.0, thick, -depth / 2 + 0.005)
    panel = plate(rounded_rectangle(width, depth, round_), lid, soft=lid * 0.35).moved(y=depth / 2)
    rim = draw.between(0.005, 0.02)
    bezel = frame(width, depth, rim, lid).moved(y=depth / 2, z=lid / 2)
    parts += [("screen", piece.turned("x", -angle).moved(*hinge)) for piece in (panel, bezel)]
    if kind == "old":
        parts.append(("screen", rod((-width * 0.4, thick, hinge[2]), (width * 0.4, thick, hinge[2]), 0.025)))
    if draw.chance(0.25):  # standing on its edges like a tent, or on its side like a book
        return laid(parts, *draw.pick([("x", np.pi - 0.6), ("z", np.pi / 2)]))
    return parts
