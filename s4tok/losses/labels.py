"""The loss by which labelled superpoints learn to lie near the text of their class."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.collective import mean
from s4tok.shapes import Float, Int

FACTOR = 100.0  # of cosines, as in CLIP


class LabelLoss(nn.Module):
    """Cross entropy of cosines with texts: those of the classes of one dataset or more, each told from its own alone.

    Nothing of it is trained, and no checkpoint keeps it.
    """

    def __init__(self, texts: Float[Tensor, "k d"], datasets: Int[Tensor, " k"]) -> None:
        """Take the classes' texts, of unit length, and the number of the dataset that each class is of."""
        super().__init__()
        self.texts: Tensor
        self.datasets: Tensor
        self.register_buffer("texts", texts, persistent=False)
        self.register_buffer("datasets", datasets, persistent=False)

    def forward(
        self, features: Float[Tensor, "b s d"], labels: Int[Tensor, "b s"], sizes: Float[Tensor, "b s"]
    ) -> Float[Tensor, ""]:
        """Average over labelled points: each superpoint weighs as many as it has, one with the label -1 nothing.

        `labels` are rows of the texts.
        """
        known = labels.clamp_min(0)
        is_other = self.datasets[known][..., None] != self.datasets
        cosines = functional.normalize(features.float(), dim=2) @ self.texts.T
        logits = (FACTOR * cosines).masked_fill(is_other, -torch.inf)
        each = functional.cross_entropy(logits.flatten(0, 1), known.flatten(), reduction="none").view_as(sizes)
        weights = sizes * (labels >= 0)
        return mean((each * weights).sum(), weights.sum())
