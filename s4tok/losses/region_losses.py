"""The losses of the SAM-guided system: of region features (stage 1), and of what a student predicts (stage 2)."""

from torch import Tensor

from s4tok.collective import mean
from s4tok.shapes import Bool, Float


def region_loss(
    features: Float[Tensor, "b s d"],
    targets: Float[Tensor, "b s d"],
    is_seen: Bool[Tensor, "b s"],
    weights: Float[Tensor, "b s"],
) -> Float[Tensor, ""]:
    r"""Average :math:`w_{g(i)} |f_i - \hat f_i|_1` over a cloud's regions that were seen, then over clouds.

    The norm is a mean over the feature's numbers, so that the loss does not grow with their count. A cloud of which
    nothing was seen is left out. The mean is over regions and not over the sum of their weights, as printed.
    """
    loss = weights * (features - targets).abs().mean(2) * is_seen
    count = is_seen.sum(1)
    return mean((loss.sum(1) / count.clamp_min(1)).sum(), (count > 0).sum())


def masked_loss(
    predicted: Float[Tensor, "b p d"], targets: Float[Tensor, "b p d"], is_masked: Bool[Tensor, "b p"]
) -> Float[Tensor, ""]:
    """Average the squared difference over the masked tokens of all clouds."""
    loss = (predicted - targets).square().mean(2) * is_masked
    return mean(loss.sum(), is_masked.sum())


def instance_loss(predicted: Float[Tensor, "b d"], targets: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """Average the squared difference of what a student and its teacher make of whole clouds."""
    loss = (predicted - targets).square().mean(1)
    return mean(loss.sum(), loss.new_tensor(len(loss)))
