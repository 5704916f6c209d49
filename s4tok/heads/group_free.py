"""GroupFree3D's decoder: queries stand on things, and the box of each is its place in the next layer."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from s4tok.backbones.attention_layers import DecoderLayer, RowsMlp, hidden_keys, xavier
from s4tok.backbones.scene_tokens import SceneTokens
from s4tok.backbones.set_abstraction import rows_of
from s4tok.config import DetectorConfig
from s4tok.heads.detection import Scores, farthest, to_yaw
from s4tok.shapes import Bool, Float, Int, Real


class StagedPredictions(NamedTuple):
    """What each query has found before the decoder's first layer and after each of them: l stages."""

    objectness: Float[Tensor, "l b q"]  # logits: that the query lies on a thing
    logits: Float[Tensor, "l b q c"]  # of the classes
    centers: Float[Tensor, "l b q 3"]  # metres
    size_logits: Float[Tensor, "l b q s"]  # of the typical sizes
    excesses: Float[Tensor, "l b q s 3"]  # over each typical size, in units of it
    angle_logits: Float[Tensor, "l b q a"]  # of the parts of the circle
    angle_residuals: Float[Tensor, "l b q a"]  # from the middle of each part, in units of half of it
    typical: Float[Tensor, "s 3"]  # metres
    at: Real[Tensor, "b q 3"]  # where queries stand
    is_query: Bool[Tensor, "b q"]  # False where a scene has fewer tokens than queries
    token_logits: Float[Tensor, "b m"] | None  # that a query should stand there; None where farthest tokens are taken
    token_xyz: Real[Tensor, "b m 3"]
    is_token: Bool[Tensor, "b m"]

    def boxes(self) -> Float[Tensor, "l b q 7"]:
        """Give the boxes as `s4tok.geometry.boxes` has them, by the likeliest part of the circle and typical size."""
        part = self.angle_logits.argmax(-1, keepdim=True)
        yaw = to_yaw(part, self.angle_residuals.gather(-1, part), self.angle_logits.shape[-1])
        sizes = likeliest_sizes(self.size_logits, self.excesses, self.typical)
        return torch.cat([self.centers, sizes, yaw], dim=-1)

    def scores(self) -> Scores:
        """Give how sure each query is."""
        return Scores(self.objectness.sigmoid(), self.logits.softmax(-1))


class GroupFreeHead(nn.Module):
    """Every stage has a head of its own. Layers are 3DETR's, each behind its norm, where GroupFree3D has them before.

    A place is a learned encoding: of a query the centre and the size of its latest box, of a token where it stands.
    """

    typical: Tensor  # mean sizes of the classes of the training data, or one metre

    def __init__(self, config: DetectorConfig, token_width: int, n_classes: int) -> None:
        """Build it for tokens of this width."""
        super().__init__()
        self.config, width = config, config.width
        n_sizes = n_classes if config.sizes == "classes" else 1
        self.register_buffer("typical", torch.ones(n_sizes, 3))
        chooses = config.query_points == "objectness"
        self.choice = RowsMlp((token_width, token_width, token_width), 1) if chooses else None
        self.decoder = _Decoder(config, token_width)
        self.outs = {
            "objectness": 1, "classes": n_classes, "center": 3, "size": n_sizes, "excess": 3 * n_sizes,
            "angle": config.angles, "residual": config.angles,
        }  # fmt: skip
        self.stages = nn.ModuleList(
            RowsMlp((width, width, width), sum(self.outs.values())) for _ in range(config.decoder_layers + 1)
        )
        xavier(self)

    def forward(self, scene: SceneTokens, low: Float[Tensor, "b 3"], extent: Float[Tensor, "b 3"]) -> StagedPredictions:
        """Find boxes, given the tokens of scenes and the bounds of their points."""
        logits = (
            None if self.choice is None else laid(self.choice(scene.tokens[scene.is_token]), scene.is_token)[..., 0]
        )
        chosen, is_query = self._chosen(scene, logits)
        at = rows_of(scene.xyz, chosen).float()
        queries, keys = self.decoder.query(rows_of(scene.tokens, chosen)), self.decoder.key(scene.tokens)
        is_hidden = hidden_keys(is_query), hidden_keys(scene.is_token)
        found = [self._read(0, queries, is_query)]
        for number in range(self.config.decoder_layers):
            box = self._latest(found[-1], at, low)
            places = self.decoder.places(number, box, is_query, scene.xyz.float() - low[:, None], scene.is_token)
            queries = self.decoder.layers[number](queries, places[0], keys, places[1], is_hidden)
            found.append(self._read(number + 1, self.decoder.norms[number](queries), is_query))
        read = {name: torch.stack([each[name] for each in found]) for name in self.outs}
        return StagedPredictions(
            objectness=read["objectness"][..., 0],
            logits=read["classes"],
            centers=at + read["center"],
            size_logits=read["size"],
            excesses=in_threes(read["excess"]),
            angle_logits=read["angle"],
            angle_residuals=read["residual"],
            typical=self.typical,
            at=at,
            is_query=is_query,
            token_logits=logits,
            token_xyz=scene.xyz,
            is_token=scene.is_token,
        )

    def _chosen(
        self, scene: SceneTokens, logits: Float[Tensor, "b m"] | None
    ) -> tuple[Int[Tensor, "b q"], Bool[Tensor, "b q"]]:
        """Choose the tokens that queries stand at; False where there are no more."""
        if logits is None:
            return farthest(scene, self.config.queries)
        order = logits.masked_fill(~scene.is_token, -torch.inf).argsort(dim=1, descending=True, stable=True)
        chosen = order[:, : self.config.queries]
        return chosen, scene.is_token.gather(1, chosen)

    def _read(
        self, stage: int, queries: Float[Tensor, "b q d"], is_query: Bool[Tensor, "b q"]
    ) -> dict[str, Float[Tensor, "b q _"]]:
        values = laid(self.stages[stage](queries[is_query]).float(), is_query)
        return dict(zip(self.outs, torch.split(values, list(self.outs.values()), dim=-1), strict=True))

    def _latest(
        self, found: dict[str, Float[Tensor, "b q _"]], at: Float[Tensor, "b q 3"], low: Float[Tensor, "b 3"]
    ) -> Float[Tensor, "b q 6"]:
        """Give centre and size of the boxes of a stage, which learn nothing from the next."""
        sizes = likeliest_sizes(found["size"], in_threes(found["excess"]), self.typical)
        return torch.cat([at - low[:, None] + found["center"], sizes], dim=-1).detach()


class _Decoder(nn.Module):
    """What is trained at a rate of its own: layers, and what enters them."""

    def __init__(self, config: DetectorConfig, token_width: int) -> None:
        super().__init__()
        width, count = config.width, config.decoder_layers
        self.query, self.key = nn.Linear(token_width, width), nn.Linear(token_width, width)
        self.layers = nn.ModuleList(
            DecoderLayer(width, config.heads, config.decoder_hidden, config.dropout) for _ in range(count)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(count))
        self.boxes = nn.ModuleList(RowsMlp((6, width), width) for _ in range(count))
        self.points = nn.ModuleList(RowsMlp((3, width), width) for _ in range(count))

    def places(
        self,
        layer: int,
        boxes: Float[Tensor, "b q 6"],
        is_query: Bool[Tensor, "b q"],
        xyz: Float[Tensor, "b m 3"],
        is_token: Bool[Tensor, "b m"],
    ) -> tuple[Float[Tensor, "b q d"], Float[Tensor, "b m d"]]:
        """Encode the places of queries and tokens for a layer."""
        of_queries, of_tokens = self.boxes[layer](boxes[is_query]), self.points[layer](xyz[is_token])
        return laid(of_queries, is_query), laid(of_tokens, is_token)


def likeliest_sizes(
    logits: Float[Tensor, "*b q s"], excesses: Float[Tensor, "*b q s 3"], typical: Float[Tensor, "s 3"]
) -> Float[Tensor, "*b q 3"]:
    """Give the sizes that the likeliest typical one and what is predicted over it make; none is below 0."""
    which = logits.argmax(-1)
    excess = excesses.gather(-2, which[..., None, None].expand(*which.shape, 1, 3)).squeeze(-2)
    return (typical[which] * (1 + excess)).clamp_min(0)


def in_threes(values: Float[Tensor, "*b q x"]) -> Float[Tensor, "*b q s 3"]:
    """Take numbers as three for each typical size."""
    return values.view(*values.shape[:-1], -1, 3)


def laid(rows: Float[Tensor, "r d"], is_there: Bool[Tensor, "b q"]) -> Float[Tensor, "b q d"]:
    """Lay rows out where something is, and zeros elsewhere."""
    table = rows.new_zeros(*is_there.shape, rows.shape[-1])
    table[is_there] = rows
    return table
