"""What points and clouds may be called by a fine-tuned checkpoint: the classes of its head, and nothing else."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from s4tok.config import Task
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.labeller import Labels
from s4tok.shapes import Float
from s4tok.zero_shot.vocabulary import Vocabulary, Words


def labels_of(checkpoint: TrainedModel, *tasks: Task) -> Labels:
    """Give what a checkpoint's head tells apart, which must be for one of some tasks."""
    assert checkpoint.labeller is not None
    labels = checkpoint.labeller.labels
    if labels.task not in tasks:
        command = "classify" if labels.task == "objects" else "segment"
        raise UsageError(
            f"checkpoint {checkpoint.name} was fine-tuned for {labels.task}, which is for s4tok {command}.",
            "--zero-shot leaves its head aside.",
        )
    return labels


def head_words(checkpoint: TrainedModel, names: Sequence[str] = (), category: str | None = None) -> Words:
    """Give the words of points: some of the head's classes, or all that an object of the category can have."""
    labels, who = labels_of(checkpoint, "parts", "scenes"), f"checkpoint {checkpoint.name}"
    number = labels.category(category, who)
    found = tuple(names) or tuple(dict.fromkeys(labels.classes[each] for each in labels.classes_of(number)))
    vectors = labels.vectors(found, number, who).to(checkpoint.model.device)
    return Words(found, np.arange(len(found)), vectors, number)


def cloud_vectors(checkpoint: TrainedModel, names: Sequence[str]) -> Float[Tensor, "t c"]:
    """Turn names of categories into rows that pick theirs out of a head's probabilities."""
    return labels_of(checkpoint, "objects").vectors(names, None, f"checkpoint {checkpoint.name}")


class HeadVocabulary(Vocabulary):
    """The words of every cloud of a dataset, all of them classes of a checkpoint's head."""

    def __init__(
        self, clouds: CloudDataset, checkpoint: TrainedModel, labels: Sequence[str] = (), category: str | None = None
    ) -> None:
        """Take a dataset's own words, a user's `labels`, or where there are neither the head's."""
        if not labels and not clouds.classes:
            labels = head_words(checkpoint, (), category).names
        self.checkpoint, self.clouds, self.model, self.prompts = checkpoint, clouds, checkpoint.model.clip, None
        self.labels, self.category, self.unknown = tuple(labels), category, ()
        self._known = {}

    def _vectors(self, names: Sequence[str], ids: Sequence[int], category: str | None) -> Words:
        return head_words(self.checkpoint, names, category)._replace(ids=np.array(ids))
