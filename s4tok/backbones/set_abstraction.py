"""3DETR's own encoders: balls of points become tokens, and layers of attention that are told no places read them."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from s4tok.backbones.attention_layers import EncoderLayer, RowsMlp, hidden_keys, xavier
from s4tok.backbones.scene_tokens import Scenes, SceneTokens
from s4tok.config import DetectorConfig
from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers.distances import squared_distances
from s4tok.tokenizers.grouping import group_points
from s4tok.tokenizers.order import sort_clouds
from s4tok.tokenizers.sampling import weighted_farthest_points


class SetAbstractionEncoder(nn.Module):
    """Farthest points, the points of a ball around each in units of its radius, an MLP, their maximum; then attention.

    In the masked variant, 3DETR-m, tokens attend to those within a reach that grows from layer to layer, and after the
    first layer half as many are made of balls of them, twice as large with half as many members.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config, self.width = config, config.adapter_widths[-1]
        self.ball = RowsMlp((3, *config.adapter_widths))
        dropout = config.dropout if config.encoder_dropout is None else config.encoder_dropout
        self.layers = nn.ModuleList(
            EncoderLayer(self.width, config.heads, config.encoder_hidden, dropout) for _ in range(config.encoder_layers)
        )
        is_masked = config.encoder == "3detr-m"
        self.halving = RowsMlp((3 + self.width, *[self.width] * 3)) if is_masked else None
        xavier(self)

    def forward(self, scenes: Scenes) -> SceneTokens:
        """Encode scenes."""
        config = self.config
        balls = balls_of(scenes.points, scenes.is_point, scenes.seeds, config.n_tokens, config.radius, config.neighbors)
        found = SceneTokens(pooled(self.ball, balls), rows_of(scenes.points, balls.centers), balls.is_token)
        for number, layer in enumerate(self.layers):
            if number == 1:
                found = self._halved(found, scenes.seeds)
            tokens = layer(found.tokens, hidden_keys(found.is_token), self._is_far(found, number))
            found = found._replace(tokens=tokens)
        return found

    def _is_far(self, found: SceneTokens, layer: int) -> Bool[Tensor, "b m m"] | None:
        """Tell which tokens do not attend to which; in the variant that is not masked all do to all."""
        if self.halving is None:
            return None
        reach = self.config.reaches[min(layer, len(self.config.reaches) - 1)]
        return squared_distances(found.xyz.float(), found.xyz.float()) > reach**2

    def _halved(self, found: SceneTokens, seeds: Int[Tensor, " b"]) -> SceneTokens:
        if self.halving is None:
            return found
        config = self.config
        count, neighbors = max(1, config.n_tokens // 2), max(1, config.neighbors // 2)
        balls = balls_of(found.xyz, found.is_token, seeds, count, 2 * config.radius, neighbors)
        return SceneTokens(pooled(self.halving, balls, found.tokens), rows_of(found.xyz, balls.centers), balls.is_token)


class Balls(NamedTuple):
    """Points around some of them."""

    offsets: Float[Tensor, "b m k 3"]  # from the centre, in units of the radius
    members: Int[Tensor, "b m k"]
    is_member: Bool[Tensor, "b m k"]
    centers: Int[Tensor, "b m"]
    is_token: Bool[Tensor, "b m"]  # False where a scene has fewer points


@torch.no_grad()
def balls_of(
    points: Real[Tensor, "b n 3"],
    is_point: Bool[Tensor, "b n"],
    seeds: Int[Tensor, " b"],
    count: int,
    radius: float,
    neighbors: int,
) -> Balls:
    """Choose farthest points and the points of a ball around each.

    Of more points than a ball takes some are drawn by the scene's seed, where 3DETR takes those that come first.
    """
    clouds = sort_clouds(points, torch.zeros_like(is_point, dtype=torch.int64), is_point, n_superpoints=1)
    centers, is_token = weighted_farthest_points(clouds.xyz, clouds.is_point.float(), torch.zeros_like(seeds), count)
    radii = torch.full((len(points),), radius, device=points.device)
    members, is_member = group_points(
        clouds, centers, radii, seeds, pick="ball", in_superpoint=False, patch_size=neighbors
    )
    offsets = (rows_of(clouds.xyz, members) - rows_of(clouds.xyz, centers)[:, :, None]) / radius
    in_order = clouds.order.gather(1, members.flatten(1)).view_as(members)
    return Balls(offsets, in_order, is_member & is_token[..., None], clouds.order.gather(1, centers), is_token)


def pooled(mlp: RowsMlp, balls: Balls, features: Float[Tensor, "b n d"] | None = None) -> Float[Tensor, "b m x"]:
    """Make a token of each ball: the maximum over its members of what an MLP makes of their places and features."""
    rows = balls.offsets[balls.is_member]
    if features is not None:
        rows = torch.cat([rows, rows_of(features, balls.members)[balls.is_member]], dim=-1)
    made: Tensor = mlp(rows)
    tokens = made.new_full((*balls.is_member.shape, made.shape[-1]), -torch.inf)
    tokens[balls.is_member] = made
    return tokens.amax(2).masked_fill(~balls.is_token[..., None], 0)


def rows_of(table: Float[Tensor, "b n d"], index: Int[Tensor, "b ..."]) -> Float[Tensor, "b ... d"]:
    """Look up each scene's rows in its own table."""
    scenes = torch.arange(len(table), device=table.device).view(-1, *[1] * (index.ndim - 1))
    return table[scenes, index]
