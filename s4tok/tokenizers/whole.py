"""Features of whole clouds from those of their tokens."""

from torch import Tensor

from s4tok.shapes import Bool, Float


def mean_of_tokens(
    features: Float[Tensor, "b m d"], is_token: Bool[Tensor, "b m"] | None = None
) -> Float[Tensor, "b d"]:
    """Average the features of a cloud's tokens."""
    if is_token is None:
        return features.mean(1)
    shown = is_token[..., None].to(features.dtype)
    return (features * shown).sum(1) / shown.sum(1).clamp_min(1)
