"""A tokenizer in front of a plain transformer, both trained: clouds in, features of tokens and points out; no texts."""

from torch import Tensor, nn

from s4tok.backbones.plain_transformer import PlainEncoder, PlainTransformer
from s4tok.config import BackboneConfig, TokenizerConfig
from s4tok.models.model import CloudFeatures, Model
from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers import NO_FEATURES, Patches, PointFeatures, Tokenizer, Tokens
from s4tok.tokenizers.propagation import propagate
from s4tok.tokenizers.whole import mean_of_tokens


class PointEncoder(nn.Module):
    """What both stages of the SAM-guided system train, and what is fine-tuned after them."""

    def __init__(
        self, tokenizer: TokenizerConfig, backbone: BackboneConfig, point_features: PointFeatures = NO_FEATURES
    ) -> None:
        super().__init__()
        self.tokenizer = Tokenizer(tokenizer, width=backbone.width, point_features=point_features)
        self.backbone = PlainTransformer(backbone)

    @property
    def model(self) -> Model:
        """Give the same tokenizer and transformer as a model, which heads read."""
        return Model(self.tokenizer, None, encoder=PlainEncoder(self.backbone))

    def forward(
        self,
        points: Real[Tensor, "b n 3"],
        superpoints: Int[Tensor, "b n"] | None = None,
        *,
        features: Float[Tensor, "b n extra"] | None = None,
        is_point: Bool[Tensor, "b n"] | None = None,
        seeds: Int[Tensor, " b"] | None = None,
    ) -> CloudFeatures:
        """Encode clouds; arguments as of `Tokenizer.group`. The feature of a whole cloud is the mean of its tokens'."""
        read = self.tokenizer(points, superpoints, features=features, is_point=is_point, seeds=seeds)
        hidden = self.encode(read)
        return CloudFeatures(mean_of_tokens(hidden, read.is_token), hidden, read)

    def encode(self, read: Tokens) -> Float[Tensor, "b m d"]:
        """Let tokens attend to each other."""
        hidden: Tensor = self.backbone(read.tokens, read.is_token)
        return hidden

    def of_patches(self, patches: Patches) -> Float[Tensor, "b m d"]:
        """Give the features of patches that were grouped before."""
        return self.encode(self.tokenizer.embed(patches))

    def of_points(
        self, found: CloudFeatures, points: Real[Tensor, "b n 3"], superpoints: Int[Tensor, "b n"]
    ) -> Float[Tensor, "b n d"]:
        """Give every point the features of its superpoint's tokens; points may be more than the tokens were made of."""
        return propagate(found.tokens, found.read, points, superpoints).features
