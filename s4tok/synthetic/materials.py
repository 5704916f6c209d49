"""What things of the rooms look like: a colour of each solid, drawn from the material it is made of."""

import numpy as np

from s4tok.shapes import Array, Float64
from s4tok.synthetic.categories import category_of
from s4tok.synthetic.objects import Object
from s4tok.synthetic.randomness import Draw

# Red, green, blue in 0 .. 1.
MATERIALS: dict[str, list[tuple[float, float, float]]] = {
    "wood": [(0.55, 0.38, 0.23), (0.72, 0.56, 0.38), (0.36, 0.24, 0.16), (0.82, 0.72, 0.56), (0.9, 0.88, 0.84)],
    "fabric": [(0.35, 0.4, 0.5), (0.55, 0.3, 0.28), (0.62, 0.58, 0.5), (0.25, 0.35, 0.3), (0.2, 0.2, 0.24)],
    "linen": [(0.9, 0.9, 0.88), (0.78, 0.82, 0.88), (0.85, 0.78, 0.7), (0.55, 0.6, 0.68)],
    "metal": [(0.7, 0.7, 0.72), (0.25, 0.25, 0.27), (0.78, 0.68, 0.42)],
    "plastic": [(0.15, 0.15, 0.16), (0.85, 0.85, 0.86), (0.5, 0.52, 0.55)],
    "shade": [(0.95, 0.92, 0.8), (0.9, 0.85, 0.75), (0.8, 0.45, 0.3), (0.92, 0.92, 0.92)],
    "glass": [(0.12, 0.13, 0.16), (0.2, 0.22, 0.26)],
    "sky": [(0.72, 0.82, 0.92), (0.62, 0.74, 0.86)],
    "paper": [
        (0.7, 0.2, 0.18),
        (0.2, 0.35, 0.55),
        (0.2, 0.45, 0.3),
        (0.85, 0.75, 0.5),
        (0.3, 0.25, 0.4),
        (0.8, 0.8, 0.78),
    ],
    "ceramic": [(0.92, 0.92, 0.9), (0.3, 0.5, 0.6), (0.75, 0.35, 0.25), (0.25, 0.27, 0.3)],
    "paint": [(0.9, 0.89, 0.85), (0.82, 0.84, 0.82), (0.85, 0.8, 0.72), (0.76, 0.8, 0.84)],
    "floor": [(0.62, 0.47, 0.32), (0.48, 0.35, 0.24), (0.55, 0.54, 0.52), (0.45, 0.42, 0.4)],
    "white": [(0.95, 0.95, 0.95)],
    "front": [(0.93, 0.93, 0.91), (0.75, 0.6, 0.42), (0.5, 0.34, 0.22), (0.45, 0.52, 0.5), (0.3, 0.33, 0.38)],
    "appliance": [(0.92, 0.92, 0.92), (0.72, 0.73, 0.75), (0.2, 0.2, 0.22), (0.9, 0.88, 0.8)],
    "enamel": [(0.95, 0.95, 0.95), (0.93, 0.92, 0.88), (0.96, 0.96, 0.97)],
    "card": [(0.72, 0.58, 0.4), (0.66, 0.5, 0.34), (0.85, 0.84, 0.8)],
    "leaf": [(0.2, 0.42, 0.16), (0.32, 0.5, 0.2), (0.14, 0.33, 0.18)],
    "soil": [(0.25, 0.18, 0.12)],
}

MATERIAL_OF = {
    ("chair", "seat"): "fabric",
    ("chair", "back"): "fabric",
    ("chair", "leg"): "metal",
    ("sofa", "seat"): "fabric",
    ("sofa", "back"): "fabric",
    ("sofa", "armrest"): "fabric",
    ("bed", "mattress"): "linen",
    ("bed", "pillow"): "linen",
    ("lamp", "shade"): "shade",
    ("lamp", "pole"): "metal",
    ("lamp", "base"): "metal",
    ("mug", "body"): "ceramic",
    ("mug", "handle"): "ceramic",
    ("laptop", "screen"): "glass",
    ("laptop", "keyboard"): "plastic",
    ("monitor", "screen"): "glass",
    ("monitor", "stand"): "plastic",
    ("monitor", "base"): "plastic",
    ("cabinet", "handle"): "metal",
    ("bookshelf", "book"): "paper",
    ("basin", "bowl"): "metal",
    ("basin", "tap"): "metal",
    ("bathtub", "bowl"): "enamel",
    ("bathtub", "tap"): "metal",
    ("carton", "side"): "card",
    ("cooker", "body"): "appliance",
    ("cooker", "door"): "glass",
    ("cooker", "plate"): "plastic",
    ("cooker", "handle"): "metal",
    ("hanging cupboard", "body"): "front",
    ("hanging cupboard", "door"): "front",
    ("hanging cupboard", "handle"): "metal",
    ("kitchen unit", "body"): "front",
    ("kitchen unit", "door"): "front",
    ("kitchen unit", "drawer"): "front",
    ("kitchen unit", "handle"): "metal",
    ("plant", "pot"): "ceramic",
    ("plant", "soil"): "soil",
    ("plant", "leaf"): "leaf",
    ("radiator", "rib"): "enamel",
    ("radiator", "pipe"): "enamel",
    ("refrigerator", "body"): "appliance",
    ("refrigerator", "door"): "appliance",
    ("refrigerator", "handle"): "metal",
    ("toilet", "bowl"): "enamel",
    ("toilet", "lid"): "enamel",
    ("toilet", "tank"): "enamel",
    ("washbasin", "bowl"): "enamel",
    ("washbasin", "stand"): "enamel",
    ("washbasin", "tap"): "metal",
    ("waste bin", "side"): "plastic",
}  # everything else is wood
ONE_BY_ONE = {("bookshelf", "book"), ("bed", "pillow")}  # solids that do not share their part's colour


def tint(material: str, draw: Draw) -> tuple[float, float, float]:
    """Draw one colour of a material."""
    red, green, blue = draw.pick(MATERIALS[material])
    light = draw.between(0.88, 1.08)
    return min(red * light, 1.0), min(green * light, 1.0), min(blue * light, 1.0)


def colors_of(thing: Object, draw: Draw) -> Float64[Array, "f 3"]:
    """Colour each face of an object: as it comes, or parts of one material alike, books and pillows one by one."""
    if thing.colors is not None:
        return thing.colors
    names = category_of(thing.category).all_parts
    shared: dict[str, tuple[float, float, float]] = {}
    colors = np.empty((len(thing.faces), 3))
    for piece in np.unique(thing.pieces):
        faces = thing.pieces == piece
        key = (thing.category, names[int(thing.parts[faces][0])])
        material = MATERIAL_OF.get(key, "wood")
        colors[faces] = tint(material, draw) if key in ONE_BY_ONE else shared.setdefault(material, tint(material, draw))
    return colors
