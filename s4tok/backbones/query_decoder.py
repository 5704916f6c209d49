"""The query decoder: features of masked tokens, asked of the visible ones (eq. 5)."""

import torch
from torch import Tensor, nn

from s4tok.shapes import Bool, Float


class QueryDecoder(nn.Module):
    """One learned query at each masked place attends to the visible features, layer after layer.

    Masked tokens do not look at each other. The paper prints attention alone; residuals, norms and the MLP of a
    transformer's layer are understood.
    """

    def __init__(self, width: int, heads: int, n_layers: int, mlp_ratio: int = 4) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(width) * 0.02)
        self.layers = nn.ModuleList([_Layer(width, heads, mlp_ratio) for _ in range(n_layers)])
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        encodings: Float[Tensor, "b p d"],
        visible: Float[Tensor, "b v d"],
        is_visible: Bool[Tensor, "b v"],
    ) -> Float[Tensor, "b p d"]:
        """Predict the encoder's hidden features at masked places, given the encoding of each place."""
        asked = self.query + encodings
        for layer in self.layers:
            asked = layer(asked, visible, is_visible)
        result: Tensor = self.norm(asked)
        return result


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        hidden = mlp_ratio * width
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(
        self, asked: Float[Tensor, "b p d"], visible: Float[Tensor, "b v d"], is_visible: Bool[Tensor, "b v"]
    ) -> Float[Tensor, "b p d"]:
        hidden_keys = ~is_visible  # torch's masks are True where there is nothing
        asked = (
            asked
            + self.attention(
                self.attention_norm(asked), visible, visible, key_padding_mask=hidden_keys, need_weights=False
            )[0]
        )
        result: Tensor = asked + self.mlp(self.mlp_norm(asked))
        return result
