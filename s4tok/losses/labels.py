"""The loss by which labelled superpoints learn to lie near the text of their class, and of their name."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.collective import mean
from s4tok.shapes import Float, Int
from s4tok.vision.vision_model import CLIP_FACTOR


class LabelLoss(nn.Module):
    """Cross entropy of cosines with texts of one vocabulary or more, each told from those of its own alone.

    A vocabulary is the classes of a dataset, or the names of its things.

    Nothing of it is trained, and no checkpoint keeps it.
    """

    def __init__(self, texts: Float[Tensor, "k d"], vocabularies: Int[Tensor, " k"]) -> None:
        """Take texts of unit length, and the number of the vocabulary that each is of."""
        super().__init__()
        self.texts: Tensor
        self.vocabularies: Tensor
        self.register_buffer("texts", texts, persistent=False)
        self.register_buffer("vocabularies", vocabularies, persistent=False)

    def forward(
        self, features: Float[Tensor, "b s d"], labels: Int[Tensor, "b s v"], sizes: Float[Tensor, "b s"]
    ) -> Float[Tensor, ""]:
        """Average over the labels of points: each superpoint weighs as many as it has, a label of -1 nothing.

        `labels` are rows of the texts, of each superpoint one or more of different vocabularies.
        """
        known = labels.clamp_min(0)
        is_other = self.vocabularies[known][..., None] != self.vocabularies
        cosines = functional.normalize(features.float(), dim=2) @ self.texts.T
        logits = (CLIP_FACTOR * cosines)[:, :, None].masked_fill(is_other, -torch.inf)
        each = functional.cross_entropy(logits.flatten(0, 2), known.flatten(), reduction="none").view_as(labels)
        weights = sizes[..., None] * (labels >= 0)
        return mean((each * weights).sum(), weights.sum())
