"""What pictures are called: things with their synonyms, colours, materials, what kind of thing they are, and parts."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from phrases import COLORS

from s4tok.datasets.formats.obj import Surface
from s4tok.datasets.sh3d.words import read_kinds, read_words
from s4tok.shapes import Array, Float
from s4tok.synthetic.categories import CATEGORIES, FIXTURES
from s4tok.synthetic.kinds import OF_HOMES
from s4tok.vision.known_words import plain

# Words in the names of surfaces, in the languages of the models' authors, and the material they tell.
TOLD_BY: Mapping[str, str] = {
    "wooden": "wood wooden madera fusta holz bois drewno legno oak pine teak walnut",
    "metal": "metal steel chrome iron inox aluminium aluminum acero hierro cromo brass metall",
    "glass": "glass glas vidre vidrio cristal verre szklo",
    "plastic": "plastic plastico plastik pvc",
    "leather": "leather cuero cuir skora leder",
    "fabric": "fabric cloth tela tissu stoff textile cotton wool",
    "stone": "stone marble granite piedra concrete",
    "ceramic": "ceramic porcelain ceramica faiance porcelana",
}
GENERAL: Mapping[str, str] = {
    "furniture": "chair,armchair,sofa,bed,crib,table,coffee table,desk,stool,bench,deck chair,bookshelf,wardrobe,"
    "cabinet,dresser,bedside table",
    "plumbing fixture": "sink,bathtub,toilet,urinal",
    "kitchen appliance": "coffee maker,oven,cooktop,range hood,refrigerator,kitchen scale",
    "lamp": "table lamp,ceiling lamp,wall lamp",
    "vehicle": "car,truck,bicycle,airplane",
    "plant": "potted plant,flowers,christmas tree",
    "animal": "dog,cat",
    "clothing": "shoes,clothes,cap",
    "electronic device": "television,telephone,laptop,stereo,camera,monitor",
    "container": "bottle,cup,drinking glass,box,trash can,mug",
    "musical instrument": "guitar",
    "playground equipment": "swing,slide",
}
MADE: Mapping[str, tuple[str, ...]] = {  # other words for what is made
    "airplane": ("plane", "aeroplane"), "basin": ("sink", "kitchen sink"), "cap": ("baseball cap",),
    "carton": ("box", "cardboard box"), "cooker": ("stove", "oven"), "hanging cupboard": ("cabinet", "wall cabinet"),
    "kitchen unit": ("cabinet", "kitchen cabinet"), "knife": ("kitchen knife",), "lamp": ("light",),
    "monitor": ("computer monitor", "display"), "mug": ("cup", "coffee mug"), "plant": ("potted plant", "houseplant"),
    "washbasin": ("sink",), "waste bin": ("trash can", "trash bin"), "guitar": ("acoustic guitar",),
    "counter": ("kitchen counter", "worktop"), "picture": ("painting",), "board": ("whiteboard",),
}  # fmt: skip
STRUCTURES = (
    "wall", "floor", "ceiling", "door", "window", "curtain", "picture", "board", "column", "beam", "counter",
    "shower curtain", "rug",
)  # fmt: skip
SAME_COLOR = 0.55  # share of the points that have it


@dataclass(frozen=True)
class Leaf:
    """What a pixel can show."""

    thing: tuple[str, ...]  # its names
    part: tuple[str, ...] = ()  # names of the part; none for things without


@dataclass(frozen=True)
class Caption:
    """What all pictures of one thing or place are called."""

    names: tuple[str, ...] = ()  # of the thing, its own first; none for a room
    described: tuple[str, ...] = ()  # with its colour, or what it is made of
    general: tuple[str, ...] = ()  # what kind of thing it is
    leaves: tuple[Leaf, ...] = ()
    kind: str = ""  # its class in sh3d, or its category

    def facts(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Caption":
        """Take it from plain values."""
        names, described, general = (tuple(facts[name]) for name in ("names", "described", "general"))
        leaves = tuple(Leaf(tuple(leaf["thing"]), tuple(leaf["part"])) for leaf in facts["leaves"])
        return cls(names, described, general, leaves, facts["kind"])

    def phrases(self) -> set[str]:
        """List every phrase of it."""
        of_leaves = {phrase for leaf in self.leaves for phrase in (*leaf.thing, *leaf.part)}
        return {*self.names, *self.described, *self.general} | of_leaves


def caption_of_model(key: str, parts: tuple[str, ...], color: str, materials: tuple[str, ...]) -> Caption:
    """Say what a model of the furniture libraries is."""
    word = read_words()[key]
    names = tuple(dict.fromkeys(map(plain, (word.name, word.kind, *read_kinds().get(word.kind, ())))))
    names = tuple(name for name in names if name)
    said = word.kind or names[0]
    leaves = (Leaf(names), *(Leaf(names, ways_to_say(said, part)) for part in parts))
    described = [f"{how} {said}" for how in (color, *materials) if how]
    return Caption(names, tuple(described), general_of(word.kind), leaves, word.kind)


def caption_of_made(category: str, color: str) -> Caption:
    """Say what a made shape is."""
    row = CATEGORIES.get(category) or FIXTURES[category]
    names = (category, *MADE.get(category, ()))
    leaves = (Leaf(names), *(Leaf(names, ways_to_say(category, part)) for part in row.all_parts))
    return Caption(names, (f"{color} {category}",) if color else (), general_of(category), leaves, category)


def leaf_of_room(name: str, part: int, model: str) -> Leaf | None:
    """Say what a thing of a room is: a model, a made thing or a part of the building; None where that is not told."""
    if model:
        word = read_words()[model]
        names = dict.fromkeys(map(plain, (word.name, word.kind)))
        return Leaf(tuple(each for each in names if each))
    made = name if name in STRUCTURES else OF_HOMES[name].stand_in if name in OF_HOMES else name
    row = CATEGORIES.get(made) or FIXTURES.get(made)
    if made not in STRUCTURES and row is None:
        return None
    names_made = (made, *MADE.get(made, ()))
    if name in OF_HOMES and name != made and not name.endswith("things"):
        names_made = (name, made)
    return Leaf(names_made, ways_to_say(made, row.all_parts[part]) if row and part >= 0 else ())


def ways_to_say(name: str, part: str) -> tuple[str, ...]:
    """Name a part of a thing."""
    return (f"{name} {part}", f"the {part} of a {name}")


def general_of(kind: str) -> tuple[str, ...]:
    """Say what kind of thing a class is."""
    return tuple(word for word, kinds in GENERAL.items() if kind in kinds.split(","))


def color_word(colors: Float[Array, "n 3"]) -> str:
    """Name the colour that most of a thing has; nothing where it has several."""
    table = np.array(list(COLORS.values()))
    nearest = ((colors[:, None] - table) ** 2).sum(-1).argmin(1)
    counts = np.bincount(nearest, minlength=len(table))
    return list(COLORS)[int(counts.argmax())] if counts.max() >= SAME_COLOR * len(colors) else ""


def material_of(surface: Surface) -> str:
    """Tell what a surface is made of by its names; nothing where they do not say."""
    words = set(re.findall(r"[^\W\d_]+", " ".join(surface).lower()))
    return next((material for material, told in TOLD_BY.items() if words & set(told.split())), "")
