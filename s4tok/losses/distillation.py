"""The distillation losses: of a superpoint's 2D feature (eq. 8), of what sets it apart, and of the cloud's (eq. 9)."""

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


def difference_loss(
    features: Float[Tensor, "b s d"], targets: Float[Tensor, "b s d"], is_seen: Bool[Tensor, "b s"]
) -> Float[Tensor, ""]:
    r"""Average :math:`1 - \cos(\Delta g, \Delta\hat g)` over clouds, of unit features less their mean :math:`\Delta g`.

    All superpoints of a cloud resemble each other: of CLIP's features on the synthetic shapes, 94 % is the cloud's
    mean, and eq. 8 is nearly content with that. Names of parts hang on the rest. The paper has no such term. A cloud
    of which less than two superpoints were seen is left out.
    """
    count = is_seen.sum(1)

    def differences(of: Float[Tensor, "b s d"]) -> Float[Tensor, "b sd"]:
        unit = functional.normalize(of, dim=2) * is_seen[..., None]
        middle = unit.sum(1, keepdim=True) / count.clamp_min(1)[:, None, None]
        return ((unit - middle) * is_seen[..., None]).flatten(1)

    loss = 1 - functional.cosine_similarity(differences(features), differences(targets), dim=1)
    return mean(torch.where(count > 1, loss, 0).sum(), (count > 1).sum())


def global_loss(
    features: Float[Tensor, "b d"], targets: Float[Tensor, "b d"], *, center: bool = False
) -> Float[Tensor, ""]:
    r"""Average :math:`1 - \cos(g_{cls}, \hat g_{cls})` over clouds that have a target, which is not zero.

    `center` as above.
    """
    has_target = targets.any(1)
    n_clouds = has_target.sum()
    if center:
        middle = total(targets.sum(0)) / total(n_clouds).clamp_min(1)
        features, targets = features - middle, targets - middle
    loss = 1 - functional.cosine_similarity(features, targets, dim=1)
    return mean(torch.where(has_target, loss, 0).sum(), n_clouds)
