"""A fine-tuned checkpoint's model and head as one: clouds in, probabilities of classes out."""

import torch
from torch import Tensor, nn

from s4tok.heads.read import Read
from s4tok.models.labeller import Labeller
from s4tok.models.model import Model
from s4tok.shapes import Bool, Float, Int, Real


class LabellingModel(nn.Module):
    """Stands where a `Model` does: its features of points, or of a cloud, are probabilities of the head's classes."""

    def __init__(self, model: Model, labeller: Labeller, category: int | None = None) -> None:
        """Put them together; `category` is that of the objects, for a head of parts."""
        super().__init__()
        self.model, self.labeller, self.category = model, labeller, category
        self.tokenizer, self.device = model.tokenizer, model.device

    def forward(
        self,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"] | None = None,
        *,
        features: Float[Tensor, "b n extra"] | None = None,
        is_point: Bool[Tensor, "b n"] | None = None,
        seeds: Int[Tensor, " b"] | None = None,
    ) -> Read:
        """Read clouds; arguments as of `Tokenizer.group`."""
        return self.model.read(points, superpoints, features=features, is_point=is_point, seeds=seeds)

    def of_points(
        self, found: Read, points: Real[Tensor, "b n 3"], superpoints: Int[Tensor, "b n"]
    ) -> Float[Tensor, "b n c"]:
        """Give every point its classes' probabilities; points may be more than the tokens were made of."""
        known = None if self.category is None else torch.full((len(points),), self.category, device=points.device)
        logits = self.labeller.head(found, points, superpoints, categories=known)
        return self.labeller.masked(logits.float(), known).softmax(dim=-1)

    def of_clouds(self, found: Read) -> Float[Tensor, "b c"]:
        """Give every cloud its classes' probabilities."""
        probabilities: Tensor = self.labeller.head(found).float().softmax(dim=-1)
        return probabilities
