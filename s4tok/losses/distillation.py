"""The distillation losses: what CLIP saw of a superpoint (eq. 8) and of the whole cloud (eq. 9)."""

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.collective import mean, total
from s4tok.shapes import Bool, Float


def local_loss(
    features: Float[Tensor, "b s d"],
    targets: Float[Tensor, "b s d"],
    is_seen: Bool[Tensor, "b s"],
    *,
    center: bool = False,
) -> Float[Tensor, ""]:
    r"""Average :math:`1 - \cos(g_s, \hat g_s)` over a cloud's superpoints that were seen, then over clouds.

    A cloud of which nothing was seen is left out. `center` takes the batch's mean target off both sides first:
    CLIP's features lie in a narrow cone, and a cosine around its axis is small before anything is told apart.
    """
    if center:
        middle = total((targets * is_seen[..., None]).sum((0, 1))) / total(is_seen.sum()).clamp_min(1)
        features, targets = features - middle, targets - middle
    loss = torch.where(is_seen, 1 - functional.cosine_similarity(features, targets, dim=2), 0)
    count = is_seen.sum(1)
    return mean((loss.sum(1) / count.clamp_min(1)).sum(), (count > 0).sum())


def global_loss(
    features: Float[Tensor, "b d"], targets: Float[Tensor, "b d"], *, center: bool = False
) -> Float[Tensor, ""]:
    r"""Average :math:`1 - \cos(g_{cls}, \hat g_{cls})` over clouds; `center` as above."""
    n_clouds = torch.tensor(len(features), device=features.device)
    if center:
        middle = total(targets.sum(0)) / total(n_clouds)
        features, targets = features - middle, targets - middle
    return mean((1 - functional.cosine_similarity(features, targets, dim=1)).sum(), n_clouds)
