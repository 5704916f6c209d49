"""The words a cloud's points may be named with: its category's parts, its dataset's classes, or a user's own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from s4tok.config import Scene
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, UsageError
from s4tok.shapes import Array, Float, Int
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.prompts import Prompts, require_labels
from s4tok.zero_shot.unknown_words import unknown_words


class Words(NamedTuple):
    """What the points of one cloud may be called."""

    names: tuple[str, ...]
    ids: Int[Array, " t"]  # the dataset's class of each name; 0, 1, ... for a user's own
    vectors: Float[Tensor, "t d"]  # of unit length, in the space of the model's texts; or of a head's classes, 0 or 1
    category: int | None = None  # of the object, where a head knows categories
    # Of names that are only proposed, of which a cloud keeps a few: what each is a part of, None for a whole thing.
    categories: tuple[str | None, ...] | None = None
    # Further rows of `vectors`, behind those of the names, are of words that labels are compared with.

    def places(self, labels: Int[Array, " n"]) -> Int[Array, " n"]:
        """Say which of the names each true label is; -1 where it is none of them."""
        place = np.full(max(int(labels.max()), int(self.ids.max())) + 1, -1)
        place[self.ids] = np.arange(len(self.ids))
        found: Array = np.where(labels >= 0, place[labels], -1)
        return found


class Vocabulary:
    """The words of every cloud of a dataset, each turned into a vector once."""

    def __init__(
        self,
        clouds: CloudDataset,
        model: VisionModel,
        prompts: Prompts,
        labels: Sequence[str] = (),
        category: str | None = None,
    ) -> None:
        """Take a dataset's own words, or a user's `labels`; `category` says what these are parts of."""
        require_labels(labels or clouds.classes, clouds.name)
        if category is not None and not labels:
            raise UsageError("--category says what --labels are parts of, and there are none.")
        self.clouds = clouds
        self.model: VisionModel | None = model  # as for the prompts: a head needs none
        self.prompts: Prompts | None = prompts
        self.labels, self.category = tuple(labels), category
        self.unknown: Sequence[str] = unknown_words(self.labels or clouds.classes, model, prompts, category)
        self._known: dict[str | None, Words] = {}

    @property
    def has_truth(self) -> bool:
        """Say whether the words are those of the ground truth."""
        return not self.labels

    @property
    def of_parts(self) -> bool:
        """Say whether each cloud is named by the parts of its category."""
        return self.has_truth and bool(self.clouds.parts)

    def of(self, key: str) -> Words:
        """Give the words of one cloud."""
        category = self.category
        if self.of_parts:
            number = self.clouds.category(key)
            if number is None:
                raise InputError("its category is not known, so it is not known which parts it may have.")
            category = self.clouds.categories[number]
        if category not in self._known:
            self._known[category] = self._words(category)
        return self._known[category]

    def _words(self, category: str | None) -> Words:
        ids = list(range(len(self.labels or self.clouds.classes)))
        if self.of_parts and category is not None:
            ids = list(self.clouds.parts[category])
        names = self.labels or tuple(self.clouds.classes[each] for each in ids)
        return self._vectors(names, ids, category)

    def _vectors(self, names: Sequence[str], ids: Sequence[int], category: str | None) -> Words:
        assert self.prompts is not None
        assert self.model is not None
        vectors = label_vectors(names, self.model, self.prompts, category=category, scene=self.clouds.scene)
        return Words(tuple(names), np.array(ids), vectors)


def label_vectors(
    names: Sequence[str], model: VisionModel, prompts: Prompts, *, category: str | None = None, scene: Scene = "object"
) -> Float[Tensor, "t d"]:
    """Turn labels of points into vectors of unit length: parts of a category, else what is in a room or an object."""
    if category is not None:
        sentences = [prompts.of_part(name, category) for name in names]
    elif scene == "room":
        sentences = [prompts.of_scene(name) for name in names]
    else:
        sentences = [prompts.of_object(name) for name in names]
    return classifier(model, sentences)
