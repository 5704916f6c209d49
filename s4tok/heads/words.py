"""Heads that begin as zero-shot labelling: what words say is part of their logits, and is trained like the rest."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.errors import UsageError
from s4tok.heads.read import Read
from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers.propagation import propagate
from s4tok.vision.vision_model import CLIP_FACTOR

BESIDE_A_HEAD = 20.0  # the factor of cosines that training begins with; without a head it is CLIP's


class BegunWithWords(nn.Module):
    """Cosines of features with the texts of the classes, times a factor, and beside them the logits of a head.

    Without a head nothing but the factor is learned here, and what stands before learns to lie near the texts.
    """

    def __init__(self, head: nn.Module | None, width: int, text_width: int, n_classes: int) -> None:
        """Put them together; until `begin` is called or weights are loaded nothing is known of the texts."""
        super().__init__()
        self.head = head
        self.projection: Tensor
        self.texts: Tensor
        for name, table in (
            ("projection", torch.zeros(width, text_width)),
            ("texts", torch.zeros(n_classes, text_width)),
        ):
            if head is None:
                self.register_buffer(name, table)
            else:
                self.register_parameter(name, nn.Parameter(table))
        self.log_factor = nn.Parameter(torch.tensor(math.log(CLIP_FACTOR if head is None else BESIDE_A_HEAD)))

    @torch.no_grad()
    def begin(self, projection: Float[Tensor, "width d"], texts: Float[Tensor, "c d"]) -> None:
        """Take how a model projects its tokens, and the classes' texts; what the head itself adds is 0 at first.

        Raises:
            UsageError: For a head whose last layer is not known.
        """
        self.projection.copy_(projection)
        self.texts.copy_(texts)
        if self.head is None:
            return
        last = getattr(self.head, "classes", None)
        if not isinstance(last, nn.Linear):
            raise UsageError(
                f"{type(self.head).__name__} has no last layer `classes`, and cannot begin with words.",
                "--head-start nothing.",
            )
        last.weight.zero_()
        last.bias.zero_()

    def cosines(self, projected: Float[Tensor, "*b d"]) -> Float[Tensor, "*b c"]:
        """Give the logits by words."""
        return self.log_factor.exp() * (functional.normalize(projected, dim=-1) @ self.texts.T)


class PointsByWords(BegunWithWords):
    """A head that labels points; `nearest` carries features from the three nearest centres, as in the heads."""

    def __init__(
        self, head: nn.Module | None, width: int, text_width: int, n_classes: int, *, nearest: bool = False
    ) -> None:
        super().__init__(head, width, text_width, n_classes)
        self.nearest = nearest

    def forward(
        self,
        read: Read,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"],
        *,
        is_point: Bool[Tensor, "b n"] | None = None,
        categories: Int[Tensor, " b"] | None = None,
        seeds: Int[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b n c"]:
        """Give each point's logits; arguments as of `SegmentationHead`."""
        projected, within = (read.layers[-1] @ self.projection).float(), None if self.nearest else superpoints
        logits = self.cosines(propagate(projected, read.tokens, points, within, is_point).features)
        if self.head is not None:
            logits = logits + self.head(
                read, points, superpoints, is_point=is_point, categories=categories, seeds=seeds
            )
        return logits


class CloudsByWords(BegunWithWords):
    """A head that labels clouds."""

    def forward(self, read: Read, *, seeds: Int[Tensor, " b"] | None = None) -> Float[Tensor, "b c"]:
        """Give each cloud's logits; arguments as of `ClassificationHead`."""
        logits = self.cosines((read.whole @ self.projection).float())
        return logits if self.head is None else logits + self.head(read, seeds=seeds)
