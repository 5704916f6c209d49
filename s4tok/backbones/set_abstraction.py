"""3DETR's own encoder: balls of points become tokens, and layers of attention that are told no places read them."""

import torch
from torch import Tensor, nn

from s4tok.backbones.attention_layers import EncoderLayer, RowsMlp, hidden_keys, xavier
from s4tok.backbones.scene_tokens import Scenes, SceneTokens
from s4tok.config import DetectorConfig
from s4tok.shapes import Bool, Float, Int
from s4tok.tokenizers.grouping import group_points
from s4tok.tokenizers.order import sort_clouds
from s4tok.tokenizers.sampling import weighted_farthest_points


class SetAbstractionEncoder(nn.Module):
    """Farthest points, the points of a ball around each in units of its radius, an MLP, their maximum; then attention.

    Of more points than a ball takes some are drawn by the scene's seed, where 3DETR takes those that come first.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config, self.width = config, config.adapter_widths[-1]
        self.ball = RowsMlp((3, *config.adapter_widths))
        self.layers = nn.ModuleList(
            EncoderLayer(self.width, config.heads, config.encoder_hidden, config.dropout)
            for _ in range(config.encoder_layers)
        )
        xavier(self)

    def forward(self, scenes: Scenes) -> SceneTokens:
        """Encode scenes."""
        offsets, is_member, xyz, is_token = self._balls(scenes)
        rows = self.ball(offsets[is_member])
        tokens = rows.new_full((*is_member.shape, self.width), -torch.inf)
        tokens[is_member] = rows
        tokens = tokens.amax(2).masked_fill(~is_token[..., None], 0)
        is_hidden = hidden_keys(is_token)
        for layer in self.layers:
            tokens = layer(tokens, is_hidden)
        return SceneTokens(tokens, xyz, is_token)

    @torch.no_grad()
    def _balls(
        self, scenes: Scenes
    ) -> tuple[Float[Tensor, "b m k 3"], Bool[Tensor, "b m k"], Float[Tensor, "b m 3"], Bool[Tensor, "b m"]]:
        config, points = self.config, scenes.points
        clouds = sort_clouds(points, torch.zeros_like(scenes.is_point, dtype=torch.int64), scenes.is_point)
        first = torch.zeros_like(scenes.seeds)
        centers, is_token = weighted_farthest_points(clouds.xyz, clouds.is_point.float(), first, config.n_tokens)
        radius = torch.full((len(points),), config.radius, device=points.device)
        members, is_member = group_points(
            clouds, centers, radius, scenes.seeds, pick="ball", in_superpoint=False, patch_size=config.neighbors
        )
        at = rows_of(clouds.xyz, centers)
        offsets = (rows_of(clouds.xyz, members) - at[:, :, None]) / config.radius
        xyz = rows_of(points, clouds.order.gather(1, centers))
        return offsets, is_member & is_token[..., None], xyz, is_token


def rows_of(table: Float[Tensor, "b n d"], index: Int[Tensor, "b ..."]) -> Float[Tensor, "b ... d"]:
    """Look up each scene's rows in its own table."""
    scenes = torch.arange(len(table), device=table.device).view(-1, *[1] * (index.ndim - 1))
    return table[scenes, index]
