"""The labels of rooms that pre-training learns beside 2D features: texts of their classes and names."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

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
    """The classes of labelled rooms as texts, and what their things are called where that is known."""

    model: VisionModel  # whose texts they are
    loss: LabelLoss
    texts: Mapping[str, Sequence[Int[Array, " _"]]]  # of each dataset's classes and names; -1 for an unknown word
    words: Mapping[str, Sequence[str]]  # of each dataset, those that are learned

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


def learned_labels(
    datasets: Sequence[CloudDataset], config: RunConfig, clip: FrozenClip, device: str, report: Report
) -> LearnedLabels | None:
    """Turn classes and names of labelled rooms into texts, as zero-shot labelling does; None if no label is learned.

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
    vectors, vocabularies = list[torch.Tensor](), list[int]()
    texts, learned = dict[str, list[Int[Array, " _"]]](), dict[str, list[str]]()
    for clouds in labelled:
        texts[clouds.name], learned[clouds.name] = [], []
        for words in filter(None, (clouds.classes, clouds.names)):
            odd = [unknown_in(name, model, prompts) for name in words]
            known = [name for name, unknown in zip(words, odd, strict=True) if not unknown]
            if not known:
                raise UsageError(f"{model.name} knows no name of a class of {clouds.name}.", "--label-weight 0.")
            for said in tell_unknown(list(dict.fromkeys(word for words in odd for word in words)), model):
                report.note(f"{said}: that class of {clouds.name} is left out of --label-weight")
            rows = np.full(len(words), NO_TEXT)
            rows[[not unknown for unknown in odd]] = len(vocabularies) + np.arange(len(known))
            texts[clouds.name].append(rows)
            learned[clouds.name] += [name for name in known if name not in learned[clouds.name]]
            vocabularies += [len(vectors)] * len(known)
            vectors.append(label_vectors(known, model, prompts, scene=clouds.scene))
    loss = LabelLoss(torch.cat(vectors).float(), torch.tensor(vocabularies))
    return LearnedLabels(model, loss, texts, learned)


def has_labelled_rooms(clouds: CloudDataset) -> bool:
    """Say whether it is of rooms whose points have classes."""
    return clouds.scene == "room" and bool(clouds.classes) and not clouds.parts
