"""The Chamfer distance between sets of points: what Point-MAE compares masked patches with their prediction by."""

from torch import Tensor

from s4tok.collective import mean
from s4tok.shapes import Bool, Float


def chamfer_loss(
    predicted: Float[Tensor, "b p k 3"],
    points: Float[Tensor, "b p q 3"],
    is_point: Bool[Tensor, "b p q"],
    is_patch: Bool[Tensor, "b p"],
) -> Float[Tensor, ""]:
    """Average, over patches, the mean squared distance from each side's points to the nearest of the other."""
    square = (predicted[:, :, :, None] - points[:, :, None]).square().sum(4)
    square = square.masked_fill(~is_point[:, :, None], float("inf"))
    count = is_point.sum(2)
    to_points = square.amin(3).masked_fill(count[..., None] == 0, 0).mean(2)
    to_predicted = square.amin(2).masked_fill(~is_point, 0).sum(2) / count.clamp_min(1)
    return mean(((to_points + to_predicted) * is_patch).sum(), is_patch.sum())
