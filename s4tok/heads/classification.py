"""Heads that label a cloud as a whole: Point-MAE's, and one linear layer."""

import torch
from torch import Tensor, nn

from s4tok.heads.read import Read, dropout, highest
from s4tok.shapes import Float, Int
from s4tok.tokenizers.normalization import normalize


class ClassificationHead(nn.Module):
    """Point-MAE's head: the class token beside the maximum of the tokens, through an MLP of two hidden layers."""

    def __init__(self, width: int, n_classes: int, *, hidden: int = 256, share: float = 0.5) -> None:
        """Build it for a transformer of this width; training drops a share of the hidden channels."""
        super().__init__()
        self.share = share
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(nn.Linear(each, hidden, bias=False) for each in (2 * width, hidden))
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden) for _ in self.layers)
        self.classes = nn.Linear(hidden, n_classes)

    def forward(self, read: Read, *, seeds: Int[Tensor, " b"] | None = None) -> Float[Tensor, "b c"]:
        """Give each cloud's logits; dropout follows the seeds, and in training there is none without."""
        rows = _features(read, self.norm)
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            rows = normalize(norm, layer(rows)).relu()
            if self.training and self.share and seeds is not None:
                rows = rows * dropout(rows.shape[1], self.share, seeds + number).to(rows.dtype)
        logits: Tensor = self.classes(rows)
        return logits


class CloudProbe(nn.Module):
    """A linear probe: one layer from the class token and the maximum of the tokens to classes."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.classes = nn.Linear(2 * width, n_classes)

    def forward(self, read: Read, *, seeds: Int[Tensor, " b"] | None = None) -> Float[Tensor, "b c"]:
        """Give each cloud's logits."""
        logits: Tensor = self.classes(_features(read, self.norm))
        return logits


def _features(read: Read, norm: nn.LayerNorm) -> Float[Tensor, "b d"]:
    return torch.cat([norm(read.whole), norm(highest(read.layers[-1], read.tokens.is_token))], dim=1)
