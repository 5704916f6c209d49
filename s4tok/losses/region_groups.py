r"""Groups of alike regions, and what each group weighs, so that the many do not drown the few (poster of system 2).

The paper weighs a group of :math:`n_i` regions by :math:`w_i = \tau_i / \sum_j \tau_j`, :math:`\tau_i = 1 - k_i`,
:math:`k_i = (n_i - n_{min}) / n_{max}`. With groups of 1,000, 100 and 10 that is .005, .474 and .521: the largest is
almost left out, and all groups far below it weigh alike. Neither the number of groups nor which features are grouped
is printed; here those of the 2D model are.
"""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from s4tok.shapes import Float, Int
from s4tok.tokenizers.noise import noise

Balance: TypeAlias = Literal["none", "paper", "inverse", "effective"]
BETA = 0.999  # of the effective number of samples (Cui et al., 2019)


def group_weights(sizes: Int[Tensor, " g"], balance: Balance) -> Float[Tensor, " g"]:
    """Weigh groups so that the mean over those that have regions is 1; a group without any has the weight 0.

    `inverse` weighs by 1 / n, `effective` by 1 / (1 - beta^n); `none` weighs alike. One group weighs 1 in any case.
    The printed weights sum to 1, which would make the loss smaller by the number of groups.
    """
    is_used = sizes > 0
    if not is_used.any():
        return torch.zeros(len(sizes))
    n = sizes[is_used].double()
    if balance == "paper":
        raw = 1 - (n - n.min()) / n.max()
    elif balance == "inverse":
        raw = 1 / n
    elif balance == "effective":
        raw = 1 / (1 - BETA**n)
    else:
        raw = torch.ones_like(n)
    weights = torch.zeros(len(sizes), dtype=torch.float64)
    weights[is_used] = raw / raw.mean()
    return weights.float()


def find_groups(
    features: Float[Tensor, "n d"], n_groups: int, seed: int = 0, iterations: int = 50
) -> tuple[Float[Tensor, "g d"], Int[Tensor, " g"]]:
    """Divide features into groups by K-means, and give the centre and the size of each.

    The first centre is drawn, each further one by its squared distance to those before (k-means++). A group that loses
    all its features keeps its centre and has the size 0; where fewer features differ than there are groups, so have the
    groups that are left over.
    """
    centers = _spread(features, n_groups, seed)
    sizes = torch.zeros(n_groups, dtype=torch.int64)
    group = torch.full((len(features),), -1)
    for _ in range(iterations):
        latest = nearest_group(features, centers)
        if torch.equal(latest, group):
            break
        group = latest
        sizes = torch.bincount(group, minlength=n_groups)
        total = torch.zeros_like(centers).index_add_(0, group, features)
        centers = torch.where(sizes[:, None] > 0, total / sizes.clamp_min(1)[:, None], centers)
    return centers, sizes


def nearest_group(features: Float[Tensor, "*b d"], centers: Float[Tensor, "g d"]) -> Int[Tensor, "*b"]:
    """Give each feature the group whose centre is nearest, the first of equals."""
    distance = centers.square().sum(1) - 2 * features @ centers.mT
    return distance.argmin(-1)


def _spread(features: Float[Tensor, "n d"], n_groups: int, seed: int) -> Float[Tensor, "g d"]:
    draws = noise(torch.tensor([seed]), torch.arange(n_groups)).double()
    chosen = [int(draws[0] * len(features))]
    distance = (features - features[chosen[0]]).square().sum(1).double()
    for draw in draws[1:]:
        shares = distance.cumsum(0)
        chosen.append(int(torch.searchsorted(shares, draw * shares[-1], right=True).clamp_max(len(features) - 1)))
        distance = torch.minimum(distance, (features - features[chosen[-1]]).square().sum(1).double())
    return features[chosen].clone()
