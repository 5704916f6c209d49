"""The layers of 3DETR's encoder and decoder: attention and an MLP, each behind a norm and beside a residual."""

from itertools import pairwise

from torch import Tensor, nn

from s4tok.shapes import Bool, Float
from s4tok.tokenizers.normalization import normalize


class EncoderLayer(nn.Module):
    """Tokens attend to each other."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.mlp = _mlp(width, hidden, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: Float[Tensor, "b m d"],
        is_hidden: Bool[Tensor, "b m"],
        is_far: Bool[Tensor, "b m m"] | None = None,
    ) -> Float[Tensor, "b m d"]:
        """Let tokens attend to those that are not hidden, and not far where that is said; each attends to itself."""
        normed = self.attention_norm(tokens)
        if is_far is None:
            read, _ = self.attention(normed, normed, normed, key_padding_mask=is_hidden, need_weights=False)
        else:
            blocked = is_far | is_hidden[:, None]
            blocked.diagonal(dim1=1, dim2=2).fill_(False)
            blocked = blocked.repeat_interleave(self.attention.num_heads, dim=0)
            read, _ = self.attention(normed, normed, normed, attn_mask=blocked, need_weights=False)
        tokens = tokens + self.dropout(read)
        result: Tensor = tokens + self.mlp(tokens)
        return result


class DecoderLayer(nn.Module):
    """Queries attend to each other, then to tokens; places are added to queries and keys, and never to values."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.query_norm, self.token_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.among = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.across = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.mlp = _mlp(width, hidden, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        queries: Float[Tensor, "b q d"],
        query_places: Float[Tensor, "b q d"],
        tokens: Float[Tensor, "b m d"],
        token_places: Float[Tensor, "b m d"],
        is_hidden: tuple[Bool[Tensor, "b q"], Bool[Tensor, "b m"]],
    ) -> Float[Tensor, "b q d"]:
        """Let queries attend to queries and tokens that are not hidden."""
        normed = self.query_norm(queries)
        placed = normed + query_places
        read, _ = self.among(placed, placed, normed, key_padding_mask=is_hidden[0], need_weights=False)
        queries = queries + self.dropout(read)
        placed = self.token_norm(queries) + query_places
        read, _ = self.across(placed, tokens + token_places, tokens, key_padding_mask=is_hidden[1], need_weights=False)
        queries = queries + self.dropout(read)
        result: Tensor = queries + self.mlp(queries)
        return result


def hidden_keys(is_there: Bool[Tensor, "b m"]) -> Bool[Tensor, "b m"]:
    """Say what nothing attends to, as PyTorch's masks do; the first of a cloud's is never hidden, or all might be."""
    hidden = ~is_there
    hidden[:, 0] &= is_there.any(1)
    return hidden


def xavier(module: nn.Module) -> None:
    """Draw all matrices as Glorot and Bengio do."""
    for weight in module.parameters():
        if weight.ndim > 1:
            nn.init.xavier_uniform_(weight)


def _mlp(width: int, hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width),
        nn.Dropout(dropout),
    )  # fmt: skip


class RowsMlp(nn.Module):
    """Layers over rows, each behind a batch norm, a ReLU and dropout; with `out` a last layer that has none."""

    def __init__(self, widths: tuple[int, ...], out: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.layers = nn.ModuleList(nn.Linear(wide, next_wide, bias=False) for wide, next_wide in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm1d(wide) for _, wide in pairs)
        self.dropout = nn.Dropout(dropout)
        self.last = None if out is None else nn.Linear(widths[-1], out)

    def forward(self, rows: Float[Tensor, "r d"]) -> Float[Tensor, "r x"]:
        """Compute rows, by the statistics of their whole batch."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            rows = self.dropout(normalize(norm, layer(rows)).relu())
        result: Tensor = rows if self.last is None else self.last(rows)
        return result
