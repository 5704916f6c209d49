"""A tokenizer in front of a transformer: clouds in, vectors out, for the whole and for each point.

They lie in CLIP's space, behind a head in the space of another vision model that was distilled, or behind a plain
transformer in one of its own.
"""

from copy import copy
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from s4tok.backbones.clip_tower import FrozenEncoder, within_reach
from s4tok.backbones.plain_transformer import PlainEncoder
from s4tok.config import EncoderConfig, Scene, TokenizerConfig, VisionConfig
from s4tok.heads.read import Read
from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers import Tokenizer, Tokens, build_tokenizer
from s4tok.tokenizers.propagation import propagate
from s4tok.vision.frozen_clip import FrozenClip

Transformer: TypeAlias = FrozenEncoder | PlainEncoder


class CloudFeatures(NamedTuple):
    """Features of a batch of clouds, in the space of the targets; lengths are not 1."""

    whole: Float[Tensor, "b c"]
    tokens: Float[Tensor, "b m c"]
    read: Tokens  # where each token stands, and which are none


class Model(nn.Module):
    """A tokenizer, trained or not, and the transformer that reads its tokens: a CLIP's, or a plain one.

    `attend` limits a token's attention to tokens so many grouping radii away; 0 does not. `head` takes CLIP's space to
    that of the targets, where these are another vision model's.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        clip: FrozenClip | None,
        attend: float = EncoderConfig.attend,
        head: nn.Linear | None = None,
        encoder: Transformer | None = None,
    ) -> None:
        """Put the parts together; `encoder` is the CLIP's tower, unless it was fine-tuned too or there is no CLIP."""
        super().__init__()
        self.tokenizer, self.clip, self.attend = tokenizer, clip, attend  # clip has the texts too
        self.head = head
        if encoder is None:
            assert clip is not None
            encoder = FrozenEncoder(clip.model.visual)  # type: ignore[arg-type]
        self.encoder = encoder

    @property
    def device(self) -> torch.device:
        """Say where it computes."""
        return next(self.tokenizer.parameters()).device

    def of_scene(self, scene: Scene) -> "Model":
        """Give the same model for clouds of a kind of scene, if its tokenizer tells rooms from objects."""
        tokenizer = copy(self.tokenizer)
        tokenizer.scene = scene
        return Model(tokenizer, self.clip, self.attend, self.head, self.encoder).train(self.training)

    def forward(
        self,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"] | None = None,
        *,
        features: Float[Tensor, "b n extra"] | None = None,
        is_point: Bool[Tensor, "b n"] | None = None,
        seeds: Int[Tensor, " b"] | None = None,
    ) -> CloudFeatures:
        """Encode clouds; arguments as of `Tokenizer.group`."""
        read = self.tokenizer(points, superpoints, features=features, is_point=is_point, seeds=seeds)
        encoded = self.encoder(read.tokens, read.is_token, within_reach(read.xyz, read.radius, self.attend))
        whole, tokens = encoded.whole, self.encoder.project(encoded.hidden)
        if self.head is not None:
            whole, tokens = self.head(whole), self.head(tokens)
        return CloudFeatures(whole, tokens, read)

    def read(
        self,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"] | None = None,
        *,
        features: Float[Tensor, "b n extra"] | None = None,
        is_point: Bool[Tensor, "b n"] | None = None,
        seeds: Int[Tensor, " b"] | None = None,
    ) -> Read:
        """Read clouds for a head: their tokens at several depths; arguments as of `Tokenizer.group`."""
        tokens: Tokens = self.tokenizer(points, superpoints, features=features, is_point=is_point, seeds=seeds)
        near = within_reach(tokens.xyz, tokens.radius, self.attend)
        layers = self.encoder.layers(tokens.tokens, tokens.is_token, near)
        return Read(layers.hidden, layers.whole, tokens)

    def projection(self) -> Float[Tensor, "d c"]:
        """Give what takes the transformer's tokens to the space of the targets, which is linear."""
        unit = torch.eye(self.tokenizer.width, device=self.device)
        projected = self.encoder.project(unit)
        return projected if self.head is None else self.head(projected)

    def of_points(
        self, found: CloudFeatures, points: Real[Tensor, "b n 3"], superpoints: Int[Tensor, "b n"]
    ) -> Float[Tensor, "b n c"]:
        """Give every point the features of its superpoint's tokens; points may be more than the tokens were made of."""
        return propagate(found.tokens, found.read, points, superpoints).features


def target_head(width: int, target_width: int, wanted: Literal["none", "linear"] = "none") -> nn.Linear | None:
    """Make the head between CLIP's space and that of the targets; where widths agree only if it is wanted.

    It has no bias: the mean of projected tokens is the projection of their mean, and zero stays zero.
    """
    if width == target_width and wanted == "none":
        return None
    head = nn.Linear(width, target_width, bias=False)
    if width == target_width:
        nn.init.eye_(head.weight)
    return head


def build_model(
    clip: str = VisionConfig.model,
    pretrained: str = "",
    *,
    tokenizer: str = TokenizerConfig.tokenizer,
    n_features: int = 0,
    attend: float = EncoderConfig.attend,
    device: str = "cpu",
    **settings: Any,
) -> Model:
    """Put a new tokenizer in front of a frozen CLIP: "mini", an open_clip name with a tag or file, or a folder.

    Without `pretrained` an open_clip name has random weights. Settings are those of TokenizerConfig.
    """
    frozen = FrozenClip.load(clip, pretrained, device)
    width = FrozenEncoder(frozen.model.visual).width  # type: ignore[arg-type]
    made = build_tokenizer(tokenizer, width=width, n_features=n_features, **settings)
    return Model(made.to(torch.device(device)), frozen, attend)
