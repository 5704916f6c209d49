"""What the mini CLIP can be told: names of the world's things, sentences about them, and where these shall lie.

Its text tower is fitted to vectors that are chosen here, not learnt from pictures: categories stand at right angles to
each other, a part leans towards its category and towards its own word.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.shapes import Float
from s4tok.synthetic.categories import CATEGORIES

STRUCTURES = ("wall", "floor", "ceiling", "door", "window", "curtain", "picture", "board", "column", "beam")
NAMES = (*CATEGORIES, *STRUCTURES)
PARTS = tuple((name, part) for name, row in CATEGORIES.items() for part in row.all_parts)
LEAVES = (*PARTS, *((name, "") for name in STRUCTURES))  # what a pixel can be
NAME_OF_LEAF = torch.tensor([NAMES.index(name) for name, _ in LEAVES])
# S3DIS's names for what has another here, and for all that it has none for.
CLUTTER = ("bed", "cabinet", "lamp", "monitor", "laptop", "guitar", "mug", "cap", "knife")
SYNONYMS = {"bookcase": ("bookshelf",), "clutter": CLUTTER}

OF_NAMES = ("{}", "a {}", "the {}", "a photo of a {}", "a 3d render of a {}", "a depth map of a {}", "a {} in a room")
OF_PARTS = (
    "the {part} of a {name}", "{part} of a {name}", "a {name} {part}", "the {part} part of a {name}",
    "a close-up of the {part} of a {name}", "a depth map of the {part} of a {name}",
)  # fmt: skip


class Sentences(NamedTuple):
    """Every sentence the text tower learns, and the vector it shall become."""

    texts: list[str]
    vectors: Float[Tensor, "t d"]


def vectors_of_names(width: int, seed: int = 1) -> Float[Tensor, "c d"]:
    """Give each name an axis of its own."""
    axes: Tensor = torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(seed)))[0]
    return axes[: len(NAMES)]


def vectors_of_leaves(width: int, seed: int = 1) -> Float[Tensor, "l d"]:
    """Lean each part towards its category and its word; structures have no parts and are their names."""
    names, generator = vectors_of_names(width, seed), torch.Generator().manual_seed(seed + 1)

    def anything() -> Tensor:
        return functional.normalize(torch.randn(width, generator=generator), dim=0)

    words = {word: anything() for word in sorted({part for _, part in PARTS})}
    leaves = [0.65 * names[NAMES.index(name)] + 0.35 * words[part] + 0.6 * anything() for name, part in PARTS]
    return torch.cat([functional.normalize(torch.stack(leaves), dim=1), names[len(CATEGORIES) :]])


def sentences(width: int) -> Sentences:
    """List every sentence about a name, a synonym or a part."""
    names, leaves = vectors_of_names(width), vectors_of_leaves(width)
    texts, vectors = [], []
    for template in OF_NAMES:
        texts += [template.format(name) for name in NAMES]
        vectors.append(names)
        for synonym, meant in SYNONYMS.items():
            texts.append(template.format(synonym))
            vectors.append(functional.normalize(names[[NAMES.index(name) for name in meant]].mean(0), dim=0)[None])
    for template in OF_PARTS:
        texts += [template.format(name=name, part=part) for name, part in PARTS]
        vectors.append(leaves[: len(PARTS)])
    return Sentences(texts, torch.cat(vectors))
