"""Heads that label each point: Point-MAE's, and one linear layer."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.heads.read import DEPTHS, Read, dropout, highest, places
from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers.normalization import normalize
from s4tok.tokenizers.propagation import propagate
from s4tok.tokenizers.whole import mean_of_tokens

CATEGORY_WIDTH = 64  # Point-MAE's
SLOPE = 0.2  # of its LeakyReLU


class SegmentationHead(nn.Module):
    """Point-MAE's head: tokens of three depths carried to the points, beside their maximum, mean and the category.

    The first layer is linear, as carrying to the points is: it is computed once a token, not once a point, and what
    it makes of the cloud as a whole once a cloud.
    """

    def __init__(
        self,
        width: int,
        n_classes: int,
        n_categories: int = 0,
        *,
        widths: tuple[int, int, int, int] = (1536, 1024, 512, 256),
        share: float = 0.5,
        nearest: bool = False,
    ) -> None:
        """Build it for a transformer of this width.

        Args:
            width: Of a token.
            n_classes: To tell apart.
            n_categories: Of objects whose parts the classes are; 0 where no category is known.
            widths: Of the layers of a point.
            share: Of the third layer's channels that training drops.
            nearest: Carry features from the three nearest centres, not from those of a point's superpoint.
        """
        super().__init__()
        first, second, third, fourth = widths
        wide = DEPTHS * width
        self.share, self.nearest = share, nearest
        self.depths = nn.ModuleList(nn.LayerNorm(width) for _ in range(DEPTHS))
        self.category = nn.Embedding(n_categories, CATEGORY_WIDTH) if n_categories else None
        self.category_norm = nn.BatchNorm1d(CATEGORY_WIDTH) if n_categories else None
        self.token = nn.Linear(wide, first, bias=False)
        # Biases before a norm would be taken off again, and what they drift by would reach its running statistics.
        self.place = nn.Linear(3, first, bias=False)
        self.second = nn.Linear(first, second, bias=False)
        self.third = nn.Linear(second, third, bias=False)
        self.cloud = nn.Linear(2 * wide + CATEGORY_WIDTH * bool(n_categories), third, bias=False)
        self.fourth = nn.Linear(third, fourth, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm1d(each) for each in widths)
        self.classes = nn.Linear(fourth, n_classes)

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
        """Give each point's logits.

        Args:
            read: The cloud's tokens.
            points: To be labelled, in the tokens' frame; they may be more than the tokens were made of.
            superpoints: Of the points.
            is_point: False where a cloud is padded.
            categories: Of the objects, for a head that was built with some.
            seeds: One a cloud; dropout follows it, and in training there is none without.
        """
        is_token = read.tokens.is_token
        tokens = torch.cat([norm(layer) for norm, layer in zip(self.depths, read.layers, strict=True)], dim=-1)
        shown = torch.ones_like(superpoints, dtype=torch.bool) if is_point is None else is_point
        carried = propagate(
            self.token(tokens).float(), read.tokens, points, None if self.nearest else superpoints, shown
        ).features
        of_cloud = self.cloud(
            torch.cat([highest(tokens, is_token), mean_of_tokens(tokens, is_token), *self._known(categories)], 1)
        )
        counts = shown.sum(1)
        one, two, three, four = self.norms
        rows = normalize(one, carried[shown] + self.place(places(read.tokens, points)[shown])).relu()
        rows = normalize(two, self.second(rows)).relu()
        rows = self.third(rows) + _to_points(of_cloud, counts)
        rows = normalize(three, rows).relu()
        if self.training and self.share and seeds is not None:
            rows = rows * _to_points(dropout(rows.shape[1], self.share, seeds).to(rows.dtype), counts)
        rows = self.classes(normalize(four, self.fourth(rows)).relu())
        logits: Tensor = rows.new_zeros(*shown.shape, rows.shape[1])
        logits[shown] = rows
        return logits

    def _known(self, categories: Int[Tensor, " b"] | None) -> list[Float[Tensor, "b d"]]:
        if self.category is None or self.category_norm is None:
            return []
        assert categories is not None
        return [functional.leaky_relu(normalize(self.category_norm, self.category(categories)), SLOPE)]


class PointProbe(nn.Module):
    """A linear probe: one layer from the last tokens to classes, carried to the points."""

    def __init__(self, width: int, n_classes: int, *, nearest: bool = False) -> None:
        super().__init__()
        self.nearest = nearest
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.classes = nn.Linear(width, n_classes)

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
        logits = self.classes(self.norm(read.layers[-1])).float()
        return propagate(logits, read.tokens, points, None if self.nearest else superpoints, is_point).features


def _to_points(rows: Float[Tensor, "b d"], counts: Int[Tensor, " b"]) -> Float[Tensor, "r d"]:
    """Give each point its cloud's row."""
    return rows.repeat_interleave(counts, dim=0)
