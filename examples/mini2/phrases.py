"""What mini2's texts are trained on: the toolkit's own words, WordNet's nouns, and pairs of words drawn at random.

The own words are those of all datasets s4tok reads or makes, their parts, colours and materials.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from wordnet import WordNet

from s4tok.datasets import modelnet40, s3dis, scannet_labels, scanobjectnn, shapenet55, shapenetpart
from s4tok.datasets.sh3d.words import read_kinds, read_parts, read_words
from s4tok.synthetic.categories import CATEGORIES, FIXTURES
from s4tok.synthetic.kinds import OF_HOMES
from s4tok.synthetic.randomness import Draw
from s4tok.vision.known_words import plain

COLORS: Mapping[str, tuple[float, float, float]] = {
    "black": (0.08, 0.08, 0.08), "grey": (0.5, 0.5, 0.5), "white": (0.95, 0.95, 0.95), "red": (0.75, 0.12, 0.1),
    "orange": (0.9, 0.5, 0.12), "yellow": (0.92, 0.85, 0.25), "green": (0.2, 0.5, 0.2), "blue": (0.15, 0.3, 0.7),
    "purple": (0.45, 0.2, 0.55), "pink": (0.9, 0.6, 0.7), "brown": (0.42, 0.27, 0.16), "beige": (0.8, 0.72, 0.58),
}  # fmt: skip
MATERIALS = ("wooden", "metal", "glass", "plastic", "leather", "fabric", "stone", "ceramic", "paper", "wicker")
MORE = (
    "beam", "column", "board", "clutter", "thing", "object", "furniture", "appliance", "lamp", "vehicle", "animal",
    "person", "kitchen", "bathroom", "bedroom", "living room", "office", "other furniture", "background", "rug",
    "night stand", "television stand", "floor lamp", "file cabinet", "office chair", "swivel chair", "dining chair",
    "dining table", "conference table", "shower", "mirror", "blinds", "whiteboard", "trash bin", "picture frame",
    "kitchen counter", "kitchen cabinet", "light switch", "monitor", "keyboard", "computer mouse", "computer tower",
)  # fmt: skip
OF_THING = ("{}", "a {}", "the {}", "a photo of a {}", "a 3d render of a {}", "a depth map of a {}", "a {} in a room")
OF_PART = ("{name} {part}", "{part} of a {name}", "the {part} of a {name}", "a {name} {part}", "the {name} {part}")
N_PAIRS = 20_000


class Phrase(NamedTuple):
    """A text and the phrase whose vector it shall have."""

    text: str
    meant: str


def own_names() -> list[str]:
    """List the names of things in all datasets, with the other words for them."""
    named = [*read_kinds(), *(other for others in read_kinds().values() for other in others)]
    named += [word.name for word in read_words().values()]
    named += [*CATEGORIES, *FIXTURES, *(kind.name for kind in OF_HOMES.values())]
    named += [name for kind in OF_HOMES.values() for name in kind.models]
    named += [*modelnet40.CLASSES, *shapenet55.CATEGORIES.values(), *s3dis.CLASSES, *scannet_labels.CLASSES]
    named += [name for name, _ in shapenetpart.CATEGORIES.values()]
    named += [*scanobjectnn.ScanObjectNN.categories, *MORE, *COLORS, *MATERIALS]
    named += [f"{color} {name}" for color, name in product([*COLORS, *MATERIALS], [*read_kinds(), *CATEGORIES])]
    return sorted({plain(name) for name in named})


def own_parts() -> list[tuple[str, str]]:
    """List the parts of things in all datasets: which thing, which part."""
    pairs = {(kind, part.name) for kind, parts in read_parts().items() for part in parts}
    for table in (CATEGORIES, FIXTURES):
        pairs |= {(name, part) for name, row in table.items() for part in row.all_parts}
    pairs |= {(name, part) for name, parts in shapenetpart.CATEGORIES.values() for part in parts}
    return sorted((plain(name), plain(part)) for name, part in pairs)


def synonyms() -> dict[str, str]:
    """Give the class of each other word of sh3d's hand-made list."""
    return {plain(other): kind for kind, others in read_kinds().items() for other in others}


def vocabulary(wordnet: WordNet) -> list[str]:
    """List the phrases that are known: own names and parts, WordNet's nouns and adjectives, plurals of common ones."""
    known = {*own_names(), *(part for _, part in own_parts()), *(f"{name} {part}" for name, part in own_parts())}
    known |= {plain(noun) for noun in wordnet.phrases} | set(wordnet.adjectives)
    things = {name for name in own_names() if " " not in name} | {part for _, part in own_parts() if " " not in part}
    return sorted(known | {plural(noun) for noun in things | wordnet.common if not noun.endswith("s")})


def part_texts() -> Iterator[Phrase]:
    """Say that something is a part of something, in every way: all mean the same."""
    for name, part in own_parts():
        for template in OF_PART:
            yield Phrase(template.format(name=name, part=part), f"{name} {part}")


def random_pairs(wordnet: WordNet, count: int, seed: int) -> list[str]:
    """Draw two words at random, an adjective or a noun before a noun, so that the tower learns to join them."""
    draw, nouns = Draw(seed, "pairs"), sorted(noun for noun in wordnet.common if " " not in noun)
    pairs = set[str]()
    while len(pairs) < count:
        pairs.add(plain(f"{draw.pick(wordnet.adjectives if draw.chance(0.6) else nouns)} {draw.pick(nouns)}"))
    return sorted(pairs)


def plural(noun: str) -> str:
    """Form a regular plural."""
    if re.search(r"(x|z|ch|sh)$", noun):
        return noun + "es"
    return re.sub(r"([^aeiou])y$", r"\1ie", noun) + "s"
