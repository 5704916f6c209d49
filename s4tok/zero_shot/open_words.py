"""Words that no user gave: those that `--labels auto` proposes names from, and that `--unknown auto` compares with."""

import tomllib
from collections.abc import Sequence
from functools import cache
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from s4tok.config import Scene
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError
from s4tok.shapes import Float
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.found_names import ALIKE
from s4tok.zero_shot.prompts import AUTO, Prompts
from s4tok.zero_shot.unknown_words import unknown_in
from s4tok.zero_shot.vocabulary import Vocabulary, Words, label_vectors

BUILT_IN = Path(__file__).parent / "vocabulary.toml"


class Candidate(NamedTuple):
    """A word of the built-in vocabulary."""

    name: str
    category: str | None  # that it is a part of; None for a whole thing


class OpenVocabulary(Vocabulary):
    """The words of every cloud of a dataset, and built-in ones beside them, or these alone."""

    def __init__(
        self,
        clouds: CloudDataset,
        model: VisionModel,
        prompts: Prompts,
        labels: Sequence[str] = (),
        category: str | None = None,
        learned: Sequence[str] = (),
    ) -> None:
        """Take what `Vocabulary` takes; with "auto" as the only label, built-in words are proposed.

        In rooms these are some of the words that the checkpoint has `learned`, where it has learned any.
        """
        self.proposes, self.learned = is_auto(labels), learned
        if self.proposes:
            self.clouds, self.model, self.prompts = clouds, model, prompts
            self.labels, self.category, self.unknown = tuple(labels), category, ()
            self._known = {}
        else:
            super().__init__(clouds, model, prompts, labels, category)

    def _vectors(self, names: Sequence[str], ids: Sequence[int], category: str | None) -> Words:
        assert self.model is not None
        assert self.prompts is not None
        if self.proposes:
            return candidate_words(self.model, self.prompts, self.clouds.scene, category, self.learned)
        words = super()._vectors(names, ids, category)
        return with_background(words, self.model, self.prompts, self.clouds.scene, category)


def is_auto(labels: Sequence[str]) -> bool:
    """Tell whether names are to be proposed."""
    return tuple(labels) == (AUTO,)


def candidates(model: VisionModel, prompts: Prompts, scene: Scene, category: str | None = None) -> list[Candidate]:
    """List what the points of a cloud may be called: things of a room, parts of a category, or whole objects and parts.

    Words that the model does not know, and other names of a word (`--synonyms`), are left out.
    """
    table = _built_in()
    if scene == "room" and category is None:
        found = [Candidate(name, None) for name in table["rooms"]]
    elif category is not None:
        every = dict.fromkeys(part for parts in table["parts"].values() for part in parts)
        found = [Candidate(part, category) for part in table["parts"].get(category, every)]
    else:
        found = [Candidate(name, None) for name in table["objects"]]
        found += [Candidate(part, whole) for whole, parts in table["parts"].items() for part in parts]
    other_names = {other for name, names in prompts.names.items() for other in names if other != name}
    return [
        each
        for each in found
        if each.name not in other_names
        and not any(unknown_in(word, model, prompts) for word in each if word is not None)
    ]


def candidate_words(
    model: VisionModel, prompts: Prompts, scene: Scene, category: str | None = None, learned: Sequence[str] = ()
) -> Words:
    """Give them as words, of which `propose` keeps a few for each cloud.

    Of the things of a room those are left out that mean nothing of what was `learned`: to features that lie near the
    texts of some words, nearness to others says little.

    Raises:
        UsageError: For a model that knows none of them.
    """
    found = candidates(model, prompts, scene, category)
    if not found:
        raise UsageError(f"{model.name} knows no word of the built-in vocabulary.", "name --labels of your own.")
    vectors = _vectors(found, model, prompts, scene)
    if learned and scene == "room" and category is None:
        is_learned = (vectors @ label_vectors(learned, model, prompts, scene=scene).T).amax(dim=1) >= ALIKE
        if is_learned.any():
            found, vectors = list(compress(found, is_learned.tolist())), vectors[is_learned]
    return Words(
        tuple(each.name for each in found),
        np.arange(len(found)),
        vectors,
        categories=tuple(each.category for each in found),
    )


def with_background(
    words: Words, model: VisionModel, prompts: Prompts, scene: Scene, category: str | None = None
) -> Words:
    """Put words behind a user's that mean something else, so that points may be nearer to one of them."""
    found = [each for each in candidates(model, prompts, scene, category) if each.name not in words.names]
    if not found:
        return words
    vectors = _vectors(found, model, prompts, scene)
    is_other = (vectors @ words.vectors.T).amax(dim=1) < ALIKE
    return words._replace(vectors=torch.cat([words.vectors, vectors[is_other]]))


def _vectors(found: Sequence[Candidate], model: VisionModel, prompts: Prompts, scene: Scene) -> Float[Tensor, "t d"]:
    rows: dict[Candidate, Tensor] = {}
    for category in dict.fromkeys(each.category for each in found):
        some = [each for each in found if each.category == category]
        vectors = label_vectors([each.name for each in some], model, prompts, category=category, scene=scene)
        rows.update(zip(some, vectors, strict=True))
    return torch.stack([rows[each] for each in found])


@cache
def _built_in() -> dict[str, Any]:
    return tomllib.loads(BUILT_IN.read_text(encoding="utf-8"))
