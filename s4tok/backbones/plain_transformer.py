"""A plain transformer over tokens, all of whose weights are trained."""

from torch import Tensor, nn

from s4tok.config import BackboneConfig
from s4tok.errors import UsageError
from s4tok.shapes import Bool, Float


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
        hidden_keys = ~is_token  # torch's masks are True where there is nothing
        hidden_keys[:, 0] &= is_token.any(1)  # without any token there would be nothing to sum over
        for layer in self.layers:
            tokens = layer(tokens, hidden_keys)
        result: Tensor = self.norm(tokens)
        return result


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
