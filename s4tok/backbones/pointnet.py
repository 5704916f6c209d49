"""GroupFree3D's own encoder, a PointNet++: balls of balls of points, and back to those that become tokens."""

import torch
from torch import Tensor, nn

from s4tok.backbones.attention_layers import RowsMlp, xavier
from s4tok.backbones.scene_tokens import Scenes, SceneTokens
from s4tok.backbones.set_abstraction import balls_of, pooled, rows_of
from s4tok.config import DetectorConfig
from s4tok.shapes import Float
from s4tok.tokenizers.distances import squared_distances

# Of its four levels: tokens in those of the second, which come out; radii and members in those of the first.
COUNTS, RADII, MEMBERS = (2, 1, 1 / 2, 1 / 4), (1, 2, 4, 6), (1, 1 / 2, 1 / 4, 1 / 4)
CLOSE = 1e-8  # metres, added to distances that are divided by


class PointNetEncoder(nn.Module):
    """Four levels down, each of fewer and larger balls of the last one's tokens, and two up to the second again."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config, self.width = config, config.width
        narrow, wide = config.adapter_widths[-1], 2 * config.adapter_widths[-1]
        inner = [RowsMlp((3 + width, narrow, narrow, wide)) for width in (narrow, wide, wide)]
        self.levels = nn.ModuleList([RowsMlp((3, *config.adapter_widths)), *inner])
        self.ups = nn.ModuleList([RowsMlp((2 * wide, wide, wide)), RowsMlp((2 * wide, wide, config.width))])
        xavier(self)

    def forward(self, scenes: Scenes) -> SceneTokens:
        """Encode scenes."""
        config, found = self.config, list[SceneTokens]()
        xyz, is_there, features = scenes.points, scenes.is_point, None
        for mlp, count, radius, members in zip(self.levels, COUNTS, RADII, MEMBERS, strict=True):
            n_tokens, neighbors = max(1, int(count * config.n_tokens)), max(1, int(members * config.neighbors))
            balls = balls_of(xyz, is_there, scenes.seeds, n_tokens, radius * config.radius, neighbors)
            xyz, is_there = rows_of(xyz, balls.centers), balls.is_token
            features = pooled(mlp, balls, features)  # type: ignore[arg-type]
            found.append(SceneTokens(features, xyz, is_there))
        above = found[3]
        for mlp, below in zip(self.ups, (found[2], found[1]), strict=True):
            rows = torch.cat([interpolated(above, below), below.tokens], dim=-1)[below.is_token]
            tokens = mlp(rows)
            laid = tokens.new_zeros(*below.is_token.shape, tokens.shape[-1])
            laid[below.is_token] = tokens
            above = below._replace(tokens=laid)
        return above


def interpolated(above: SceneTokens, below: SceneTokens) -> Float[Tensor, "b m d"]:
    """Give tokens below the features of their three nearest above, by inverse distance."""
    distance = squared_distances(below.xyz.float(), above.xyz.float()).sqrt()
    distance = distance.masked_fill(~above.is_token[:, None], torch.inf)
    near, index = distance.topk(min(3, distance.shape[2]), dim=2, largest=False)
    weights = 1 / (near + CLOSE)
    weights = weights / weights.sum(-1, keepdim=True)
    return (rows_of(above.tokens, index) * weights[..., None]).sum(2)
