"""The classes of a head as vectors of their words, for a head that begins as zero-shot labelling."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.config import Scene
from s4tok.models.labeller import Labels
from s4tok.shapes import Float
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.prompts import Prompts
from s4tok.zero_shot.unknown_words import unknown_in
from s4tok.zero_shot.vocabulary import label_vectors


class ClassTexts(NamedTuple):
    """A vector of each class, and the words that the model does not know."""

    vectors: Float[Tensor, "c d"]
    unknown: tuple[str, ...]


def class_texts(labels: Labels, scene: Scene, model: VisionModel, prompts: Prompts) -> ClassTexts | None:
    """Turn a head's classes into vectors as zero-shot labelling does; None where the model knows none of them.

    A class whose word is not known gets the mean of the others, to which a point is as near as to them.
    """
    found, unknown = dict[int, Tensor](), list[str]()
    for category, places in _named(labels):
        of_category = [] if category is None else unknown_in(category, model, prompts)
        odd = {each: [*of_category, *unknown_in(labels.classes[each], model, prompts)] for each in places}
        unknown += [word for words in odd.values() for word in words]
        known = [each for each in places if not odd[each]]
        if known:
            names = [labels.classes[each] for each in known]
            found.update(zip(known, label_vectors(names, model, prompts, category=category, scene=scene), strict=True))
    if not found:
        return None
    others = functional.normalize(torch.stack(list(found.values())).mean(0), dim=0)
    vectors = torch.stack([found.get(each, others) for each in range(len(labels.classes))])
    return ClassTexts(vectors, tuple(dict.fromkeys(unknown)))


def _named(labels: Labels) -> list[tuple[str | None, list[int]]]:
    """List classes by what they are parts of, or all of them."""
    if labels.task != "parts":
        return [(None, list(range(len(labels.classes))))]
    return [(name, list(places)) for name, places in labels.parts.items()]
