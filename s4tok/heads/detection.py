"""3DETR's decoder: query points attend to a scene's tokens, and five heads say which box each has found."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from s4tok.backbones.attention_layers import DecoderLayer, RowsMlp, hidden_keys, xavier
from s4tok.backbones.scene_tokens import SceneTokens
from s4tok.backbones.set_abstraction import rows_of
from s4tok.config import DetectorConfig
from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers.sampling import weighted_farthest_points


class Scores(NamedTuple):
    """How sure each query is after each layer, 0 .. 1."""

    objectness: Float[Tensor, "l b q"]  # that it has found anything
    classes: Float[Tensor, "l b q c"]  # that it is of each class


class BoxPredictions(NamedTuple):
    """What each query has found after each of the decoder's layers, l of them."""

    logits: Float[Tensor, "l b q c"]  # of the classes, and last of no object
    centers: Float[Tensor, "l b q 3"]  # metres
    sizes: Float[Tensor, "l b q 3"]
    angle_logits: Float[Tensor, "l b q a"]  # of the parts of the circle
    angle_residuals: Float[Tensor, "l b q a"]  # from the middle of each part, in units of half of it
    is_query: Bool[Tensor, "b q"]  # False where a scene has fewer tokens than queries
    low: Float[Tensor, "b 3"]  # of the scene
    extent: Float[Tensor, "b 3"]

    def boxes(self) -> Float[Tensor, "l b q 7"]:
        """Give the boxes as `s4tok.geometry.boxes` has them, each with the likeliest part of the circle."""
        part = self.angle_logits.argmax(-1, keepdim=True)
        yaw = to_yaw(part, self.angle_residuals.gather(-1, part), self.angle_logits.shape[-1])
        return torch.cat([self.centers, self.sizes, yaw], dim=-1)

    def scores(self) -> Scores:
        """Give how sure each query is; that there is no object is one of the classes in training."""
        probabilities = self.logits.softmax(-1)
        return Scores(1 - probabilities[..., -1], probabilities[..., :-1])


class DetectionHead(nn.Module):
    """Queries stand at farthest tokens and know nothing else to begin with; layers and heads are 3DETR's."""

    def __init__(self, config: DetectorConfig, token_width: int, n_classes: int) -> None:
        """Build it for tokens of this width."""
        super().__init__()
        self.config, width = config, config.width
        self.project = RowsMlp((token_width, width, width))
        self.places = FourierPlaces(width)
        self.query = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.layers = nn.ModuleList(
            DecoderLayer(width, config.heads, config.decoder_hidden, config.dropout)
            for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(width)
        outs = {"classes": n_classes + 1, "center": 3, "size": 3, "angle": config.angles, "residual": config.angles}
        hidden = (width, width, width)
        self.heads = nn.ModuleDict({name: RowsMlp(hidden, out, config.head_dropout) for name, out in outs.items()})
        xavier(self)

    def forward(self, scene: SceneTokens, low: Float[Tensor, "b 3"], extent: Float[Tensor, "b 3"]) -> BoxPredictions:
        """Find boxes, given the tokens of scenes and the bounds of their points."""
        tokens, is_token = self._projected(scene), scene.is_token
        chosen, is_query = farthest(scene, self.config.queries)
        at = rows_of(scene.xyz, chosen)
        token_places = self.places((scene.xyz - low[:, None]) / extent[:, None])
        query_places = self.query(self.places((at - low[:, None]) / extent[:, None]))
        queries, is_hidden = torch.zeros_like(query_places), (hidden_keys(is_query), hidden_keys(is_token))
        found = []
        for layer in self.layers:
            queries = layer(queries, query_places, tokens, token_places, is_hidden)
            found.append(self.norm(queries))
        return self._read(torch.stack(found), at, is_query, low, extent)

    def _projected(self, scene: SceneTokens) -> Float[Tensor, "b m d"]:
        rows: Tensor = self.project(scene.tokens[scene.is_token])
        tokens = rows.new_zeros(*scene.is_token.shape, self.config.width)
        tokens[scene.is_token] = rows
        return tokens

    def _read(
        self,
        queries: Float[Tensor, "l b q d"],
        at: Float[Tensor, "b q 3"],
        is_query: Bool[Tensor, "b q"],
        low: Float[Tensor, "b 3"],
        extent: Float[Tensor, "b 3"],
    ) -> BoxPredictions:
        """Let the heads read the queries after all layers at once."""
        rows = queries[:, is_query].flatten(0, 1)

        def read(name: str) -> Float[Tensor, "l b q x"]:
            values: Tensor = self.heads[name](rows).float()
            laid = values.new_zeros(*queries.shape[:3], values.shape[1])
            laid[:, is_query] = values.view(len(queries), -1, values.shape[1])
            return laid

        reach = 2 * self.config.reach
        return BoxPredictions(
            logits=read("classes"),
            centers=at + reach * (read("center").sigmoid() - 0.5),
            sizes=read("size").sigmoid() * extent[:, None],
            angle_logits=read("angle"),
            angle_residuals=read("residual"),
            is_query=is_query,
            low=low,
            extent=extent,
        )


class FourierPlaces(nn.Module):
    """Sines and cosines of random projections, which are drawn once and never trained."""

    projection: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("projection", torch.randn(3, width // 2))

    def forward(self, places: Float[Tensor, "b m 3"]) -> Float[Tensor, "b m d"]:
        """Encode places, which are 0 .. 1 along each axis of their scene."""
        projected = (places[..., None].to(self.projection.dtype) * self.projection).sum(-2)  # in full precision
        phases = 2 * math.pi * projected
        return torch.cat([phases.sin(), phases.cos()], dim=-1)


def farthest(scene: SceneTokens, count: int) -> tuple[Int[Tensor, "b q"], Bool[Tensor, "b q"]]:
    """Choose tokens that lie far from each other, beginning with the first; False where there are no more."""
    first = torch.zeros(len(scene.xyz), dtype=torch.int64, device=scene.xyz.device)
    xyz = torch.where(scene.is_token[..., None], scene.xyz, scene.xyz[:, :1]).float()
    return weighted_farthest_points(xyz, scene.is_token.float(), first, count)


def to_yaw(part: Int[Tensor, "*n"], residual: Float[Tensor, "*n"], parts: int) -> Float[Tensor, "*n"]:
    """Give the yaw, above -pi and at most pi, of a part of the circle and a place in it; 0 where there is one part."""
    if parts == 1:
        return torch.zeros_like(residual)
    yaw = (2 * part + residual) * (math.pi / parts)
    return torch.where(yaw > math.pi, yaw - 2 * math.pi, yaw)


def of_yaw(yaw: Real[Tensor, "*n"], parts: int) -> tuple[Int[Tensor, "*n"], Float[Tensor, "*n"]]:
    """Give the part of the circle whose middle is nearest to a yaw, and its place in it, -1 .. 1."""
    turns = (yaw / (2 * math.pi) * parts).remainder(parts)
    part = turns.round()
    return part.long() % parts, 2 * (turns - part)
