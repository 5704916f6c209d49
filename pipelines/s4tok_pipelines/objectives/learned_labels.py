"""The labels of rooms that pre-training learns beside 2D features: texts of their classes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from s4tok.config import RunConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError
from s4tok.losses.labels import LabelLoss
from s4tok.objectives.training_clouds import NO_TEXT
from s4tok.shapes import Array, Int
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.table import load_vision_model
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.prompts import load_prompts, set_for
from s4tok.zero_shot.unknown_words import tell_unknown, unknown_in
from s4tok.zero_shot.vocabulary import label_vectors
from s4tok_pipelines.report import Report


class LearnedLabels(NamedTuple):
    """The classes of labelled rooms as texts, and which text each class of a dataset is."""

    model: VisionModel  # whose texts they are
    loss: LabelLoss
    texts: Mapping[str, Int[Array, " c"]]  # of each dataset; -1 for a class whose word is not known
    classes: Mapping[str, Sequence[str]]  # of each dataset, those that are learned

    def require(self, vision_model: Mapping[str, str]) -> None:
        """Refuse texts of another model than that of the features.

        Raises:
            UsageError: Where their weights differ.
        """
        if self.model.identity["weights"] != vision_model["weights"]:
            raise UsageError(
                f"labels are learned as texts of {self.model.name} "
                f"(weights {str(self.model.identity['weights'])[:12]}), and the features are by weights "
                f"{vision_model['weights'][:12]}.",
                "extract the features anew, or --label-weight 0.",
            )

    def card(self) -> dict[str, Any]:
        """Say on a checkpoint's card which classes it learned."""
        return {"learned_labels": {name: list(classes) for name, classes in self.classes.items()}}


def learned_labels(
    datasets: Sequence[CloudDataset], config: RunConfig, clip: FrozenClip, device: str, report: Report
) -> LearnedLabels | None:
    """Turn the classes of labelled rooms into texts, as zero-shot labelling does; None where no label is learned.

    Raises:
        UsageError: Where no dataset labels rooms, the model has no texts or knows no class, or nothing is distilled.
    """
    if not config.training.label_weight:
        return None
    if config.training.loss == "assign":
        raise UsageError("--loss assign learns from no label, and --label-weight is given.", "leave out one.")
    labelled = [each for each in datasets if has_labelled_rooms(each)]
    if not labelled:
        raise UsageError("--label-weight learns labels of rooms, and no dataset here has any.", "leave it out.")
    model: VisionModel = clip
    if config.features is not None:
        model = load_vision_model(VisionConfig(config.features), device, "text")
    prompts = load_prompts(set_for(model.name))
    vectors, numbers, texts, classes = [], list[int](), dict[str, Int[Array, " c"]](), dict[str, Sequence[str]]()
    for number, each in enumerate(labelled):
        odd = [unknown_in(name, model, prompts) for name in each.classes]
        known = [name for name, unknown in zip(each.classes, odd, strict=True) if not unknown]
        if not known:
            raise UsageError(f"{model.name} knows no name of a class of {each.name}.", "--label-weight 0.")
        for said in tell_unknown(list(dict.fromkeys(word for words in odd for word in words)), model):
            report.note(f"{said}: {each.name}'s points of that class are learned without it")
        rows = np.full(len(each.classes), NO_TEXT)
        rows[[not unknown for unknown in odd]] = len(numbers) + np.arange(len(known))
        vectors.append(label_vectors(known, model, prompts, scene=each.scene))
        texts[each.name], classes[each.name], numbers = rows, known, numbers + [number] * len(known)
    loss = LabelLoss(torch.cat(vectors).float(), torch.tensor(numbers))
    return LearnedLabels(model, loss, texts, classes)


def has_labelled_rooms(clouds: CloudDataset) -> bool:
    """Say whether it is of rooms whose points have classes."""
    return clouds.scene == "room" and bool(clouds.classes) and not clouds.parts
