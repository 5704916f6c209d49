"""The table of the categories. A new one is a function in `s4tok/synthetic/shapes/` and a row here."""

from collections.abc import Callable
from dataclasses import dataclass

from s4tok.synthetic.randomness import Draw
from s4tok.synthetic.shapes.airplane import airplane
from s4tok.synthetic.shapes.bathroom import basin, bathtub, toilet, washbasin
from s4tok.synthetic.shapes.bed import bed
from s4tok.synthetic.shapes.bookshelf import bookshelf
from s4tok.synthetic.shapes.cabinet import cabinet
from s4tok.synthetic.shapes.cap import cap
from s4tok.synthetic.shapes.car import car
from s4tok.synthetic.shapes.chair import chair
from s4tok.synthetic.shapes.guitar import guitar
from s4tok.synthetic.shapes.household import carton, plant, radiator, waste_bin
from s4tok.synthetic.shapes.kitchen import cooker, hanging_cupboard, kitchen_unit, refrigerator
from s4tok.synthetic.shapes.knife import knife
from s4tok.synthetic.shapes.lamp import lamp
from s4tok.synthetic.shapes.laptop import laptop
from s4tok.synthetic.shapes.monitor import monitor
from s4tok.synthetic.shapes.mug import mug
from s4tok.synthetic.shapes.sofa import sofa
from s4tok.synthetic.shapes.table import table
from s4tok.synthetic.solids import Part


@dataclass(frozen=True)
class Category:
    """A kind of object: how it is made and what its parts are called."""

    make: Callable[[Draw], list[Part]]
    parts: tuple[str, ...]  # every object has these
    sometimes: tuple[str, ...] = ()  # and may have these

    @property
    def all_parts(self) -> tuple[str, ...]:
        """Give every name a part of it can have."""
        return self.parts + self.sometimes


CATEGORIES: dict[str, Category] = {
    "airplane": Category(airplane, ("body", "wing", "tail"), ("engine",)),
    "bed": Category(bed, ("mattress", "headboard", "pillow", "frame")),
    "bookshelf": Category(bookshelf, ("shelf", "side", "book")),
    "cabinet": Category(cabinet, ("body", "handle"), ("door", "drawer", "leg")),
    "cap": Category(cap, ("crown", "brim")),
    "car": Category(car, ("body", "roof", "wheel")),
    "chair": Category(chair, ("seat", "back", "leg"), ("armrest",)),
    "guitar": Category(guitar, ("body", "neck", "head")),
    "knife": Category(knife, ("blade", "handle")),
    "lamp": Category(lamp, ("shade", "pole", "base")),
    "laptop": Category(laptop, ("screen", "keyboard")),
    "monitor": Category(monitor, ("screen", "stand", "base")),
    "mug": Category(mug, ("body", "handle")),
    "sofa": Category(sofa, ("seat", "back"), ("armrest", "leg")),
    "table": Category(table, ("top", "leg"), ("drawer",)),
}

# What homes have besides; it stands in rooms only.
FIXTURES: dict[str, Category] = {
    "basin": Category(basin, ("bowl", "tap")),
    "bathtub": Category(bathtub, ("bowl", "tap")),
    "carton": Category(carton, ("side",)),
    "cooker": Category(cooker, ("body", "door", "plate"), ("handle",)),
    "hanging cupboard": Category(hanging_cupboard, ("body", "door"), ("handle",)),
    "kitchen unit": Category(kitchen_unit, ("body",), ("door", "drawer", "handle")),
    "plant": Category(plant, ("pot", "soil", "leaf")),
    "radiator": Category(radiator, ("rib", "pipe")),
    "refrigerator": Category(refrigerator, ("body", "door", "handle")),
    "toilet": Category(toilet, ("bowl", "lid", "tank")),
    "washbasin": Category(washbasin, ("bowl", "stand", "tap")),
    "waste bin": Category(waste_bin, ("side",)),
}


def category_of(name: str) -> Category:
    """Find a category among objects and fixtures."""
    return CATEGORIES.get(name) or FIXTURES[name]
