"""A plain transformer over tokens, all of whose weights are trained."""

from collections.abc import Iterator

from torch import Tensor, nn

from s4tok.backbones.clip_tower import Encoded, Layers, thirds
from s4tok.config import BackboneConfig
from s4tok.errors import UsageError
from s4tok.shapes import Bool, Float
from s4tok.tokenizers.whole import mean_of_tokens


class PlainTransformer(nn.Module):
    """Pre-norm layers of attention and an MLP, and a norm behind them.

    Tokens carry the encoding of their place already; it is added once, in pre-training and behind it. Bridge3D's
    release adds it before every layer in pre-training and once downstream.
    """

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        if config.width % config.heads:
            raise UsageError(f"a width of {config.width} cannot be shared by {config.heads} attention heads.")
        self.config = config
        self.layers = nn.ModuleList([_Layer(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.width)

    def forward(self, tokens: Float[Tensor, "b m d"], is_token: Bool[Tensor, "b m"]) -> Float[Tensor, "b m d"]:
        """Let tokens attend to each other; what is no token is attended to by none, and its feature means nothing."""
        return self.after_each(tokens, is_token)[-1]

    def after_each(self, tokens: Float[Tensor, "b m d"], is_token: Bool[Tensor, "b m"]) -> list[Float[Tensor, "b m d"]]:
        """Give the tokens after each layer; after the last one the norm follows."""
        hidden_keys = ~is_token  # torch's masks are True where there is nothing
        hidden_keys[:, 0] &= is_token.any(1)  # without any token there would be nothing to sum over
        found = []
        for layer in self.layers:
            tokens = layer(tokens, hidden_keys)
            found.append(tokens)
        return [*found[:-1], self.norm(tokens)]


class PlainEncoder(nn.Module):
    """A plain transformer that stands where a `FrozenEncoder` does.

    It has no class token: the feature of a whole cloud is the mean of its tokens'. There is nothing to project to.
    """

    def __init__(self, transformer: PlainTransformer) -> None:
        super().__init__()
        self.transformer = transformer

    @property
    def width(self) -> int:
        """Give the length d of a token."""
        return self.transformer.config.width

    def forward(
        self,
        tokens: Float[Tensor, "b m d"],
        is_token: Bool[Tensor, "b m"],
        is_near: Bool[Tensor, "b m m"] | None = None,
    ) -> Encoded:
        """Encode tokens."""
        found = self.layers(tokens, is_token, is_near)
        return Encoded(found.whole, found.hidden[-1])

    def layers(
        self,
        tokens: Float[Tensor, "b m d"],
        is_token: Bool[Tensor, "b m"],
        is_near: Bool[Tensor, "b m m"] | None = None,
    ) -> Layers:
        """Encode tokens, and keep them after a third and two thirds of the layers.

        Raises:
            UsageError: Where a token may not attend to all.
        """
        if is_near is not None:
            raise UsageError("in a plain transformer all tokens attend to each other.", "leave --attend out.")
        found = self.transformer.after_each(tokens, is_token)
        hidden = tuple(found[after - 1] for after in thirds(len(found)))
        return Layers(mean_of_tokens(hidden[-1], is_token), hidden)

    def project(self, hidden: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Leave vectors as they are."""
        return hidden

    def trainable(self) -> Iterator[nn.Parameter]:
        """Give the weights that are trained where the transformer is."""
        return self.transformer.parameters()


class _Layer(nn.Module):
    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        width, hidden = config.width, config.mlp_ratio * config.width
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, config.heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, tokens: Float[Tensor, "b m d"], hidden_keys: Bool[Tensor, "b m"]) -> Float[Tensor, "b m d"]:
        normed = self.attention_norm(tokens)
        tokens = tokens + self.attention(normed, normed, normed, key_padding_mask=hidden_keys, need_weights=False)[0]
        result: Tensor = tokens + self.mlp(self.mlp_norm(tokens))
        return result
