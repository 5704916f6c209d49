"""Names for features: each class is the mean of its sentences, and a feature is near some of them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.errors import UsageError
from s4tok.shapes import Float
from s4tok.vision.vision_model import VisionModel

SENTENCES_AT_ONCE = 256


def classifier(model: VisionModel, sentences: Sequence[Sequence[str]]) -> Float[Tensor, "t d"]:
    """Turn each class, one or more sentences, into a vector of unit length: the mean of theirs, each of unit length."""
    if not sentences or not all(sentences):
        raise UsageError("there is nothing to name things by: a class needs a sentence.")
    unique = list(dict.fromkeys(sentence for said in sentences for sentence in said))
    read = torch.cat(
        [model.text(unique[at : at + SENTENCES_AT_ONCE]) for at in range(0, len(unique), SENTENCES_AT_ONCE)]
    )
    place = {sentence: row for row, sentence in enumerate(unique)}
    means = [read[[place[sentence] for sentence in said]].mean(0) for said in sentences]
    return functional.normalize(torch.stack(means), dim=-1)


def cosines(features: Float[Tensor, "*b d"], classes: Float[Tensor, "t d"]) -> Float[Tensor, "*b t"]:
    """Say how near each feature is to each class: the cosine, 0 for a feature that is zero."""
    return functional.normalize(features.to(classes.dtype), dim=-1) @ classes.T


def mean_scores(mean: Float[Tensor, " d"], classes: Float[Tensor, "t d"]) -> Float[Tensor, " t"]:
    """Give each class's mean cosine over the features of unit length whose mean this is.

    It needs no label: a class with a high mean is near to every feature, and calibration subtracts a share of it.
    """
    return classes @ mean.to(classes)
