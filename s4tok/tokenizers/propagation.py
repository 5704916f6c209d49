"""From tokens back to points, and on to superpoints (Sec. 3.3, eq. 4)."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.compiled import is_compiling
from s4tok.config import PropagationConfig
from s4tok.errors import InputError
from s4tok.shapes import Bool, Float, Float32, Int, Real
from s4tok.tokenizers.distances import squared_distances
from s4tok.tokenizers.tokens import Counts, Patches, Tokens, centers_of_superpoints, where

PAIRS_AT_ONCE = 2**22  # pairs of point and centre held in memory together
SMALLEST_OF_LOOP = 2**22  # points times tokens


class Propagated(NamedTuple):
    """Features of points, and whose they are."""

    features: Float[Tensor, "b n d"]
    has_own: Bool[Tensor, "b n"]  # False where the superpoint holds no centre and the nearest ones spoke for it


class Pooling(NamedTuple):
    """How features of tokens average into features of superpoints: `pool` is one matrix product."""

    weights: Float32[Tensor, "b s m"]  # rows sum to 1, or to 0 where the superpoint has no points
    has_points: Bool[Tensor, "b s"]
    has_own: Bool[Tensor, "b n"]

    def pool(self, features: Float[Tensor, "b m d"]) -> Float[Tensor, "b s d"]:
        """Average the propagated features of each superpoint's points."""
        return torch.bmm(self.weights.to(features.dtype), features)


def propagate(
    features: Float[Tensor, "b m d"],
    tokens: Tokens | Patches,
    points: Real[Tensor, "b n 3"],
    superpoints: Int[Tensor, "b n"] | None,
    is_point: Bool[Tensor, "b n"] | None = None,
    config: PropagationConfig | None = None,
) -> Propagated:
    r"""Give each point the features of the centres in its superpoint, by inverse distance, eq. (4).

    .. math:: f_i = \sum_t w_{it} \bar f_t, \quad w_{it} \propto m_{it} / (|p_i - p_t| + \epsilon r)

    `points` may be others than those the tokens were made of, the cloud at full resolution for instance, in the same
    frame. Memory grows with the points alone. Where a superpoint holds no centre, the nearest centres stand in; without
    superpoints they do for every point, the interpolation from three neighbours of PointNet++.
    """
    n_clouds, n_tokens, width = features.shape
    if superpoints is None:  # every point is in one that no centre is in
        superpoints = tokens.superpoints.max().expand(points.shape[:2]) + 1
    config = config or PropagationConfig()
    if _is_for_loop(features, points, config):
        from s4tok.tokenizers.propagation_cpu import carry

        shown = torch.ones_like(superpoints, dtype=torch.bool) if is_point is None else is_point
        labels = superpoints.masked_fill(~shown, 0)
        if labels.min() < 0:  # the loop would count from the end
            raise InputError("a point's superpoint is negative; they are counted from 0 on.")
        order, starts, counts = _sorted_centers(tokens, 1 + max(int(labels.max()), int(tokens.superpoints.max())))
        n_nearest = min(config.fallback_centers, n_tokens)
        return Propagated(
            *carry(features, tokens, points, labels, shown, (order, starts, counts), config.epsilon, n_nearest)
        )
    table = features.flatten(0, 1)
    first = torch.arange(n_clouds, device=features.device)[:, None, None] * n_tokens
    made, own = [], []
    for part in _parts(tokens, points, superpoints, is_point, config):
        bags = (part.centers + first).flatten(0, 1)
        weights = part.weights.to(features.dtype).flatten(0, 1)
        made.append(functional.embedding_bag(bags, table, per_sample_weights=weights, mode="sum"))
        own.append(part.has_own)
    rows = [part.view(n_clouds, -1, width) for part in made]
    return Propagated(torch.cat(rows, dim=1), torch.cat(own, dim=1))


@torch.no_grad()
def pooling(
    tokens: Tokens | Patches,
    points: Real[Tensor, "b n 3"],
    superpoints: Int[Tensor, "b n"],
    n_superpoints: int,
    is_point: Bool[Tensor, "b n"] | None = None,
    config: PropagationConfig | None = None,
    counts: Counts | None = None,
) -> Pooling:
    """Prepare the mean, over each superpoint, of what `propagate` would give its points.

    Both steps are linear and neither depends on the features, so their product is made once, from distances alone:
    training never holds a feature a point. `counts` are of patches made of these very points.
    """
    n_clouds, n_tokens = tokens.is_token.shape
    total = torch.zeros(n_clouds, n_superpoints * n_tokens, device=points.device)
    own, start = [], 0
    for part in _parts(tokens, points, superpoints, is_point, config or PropagationConfig(), n_superpoints, counts):
        stop = start + part.weights.shape[1]
        cells = superpoints[:, start:stop, None] * n_tokens + part.centers
        total.scatter_add_(1, torch.where(part.weights > 0, cells, 0).flatten(1), part.weights.flatten(1))
        own.append(part.has_own)
        start = stop
    shown = torch.ones_like(superpoints, dtype=torch.bool) if is_point is None else is_point
    sizes = torch.zeros(n_clouds, n_superpoints, device=points.device)
    sizes.scatter_add_(1, superpoints.masked_fill(~shown, 0), shown.float())
    weights = total.view(n_clouds, n_superpoints, n_tokens) / sizes.clamp_min(1)[..., None]
    return Pooling(weights, sizes > 0, torch.cat(own, dim=1))


class _Weights(NamedTuple):
    """A run of points, the centres each listens to, and how much."""

    centers: Int[Tensor, "b p q"]
    weights: Float32[Tensor, "b p q"]
    has_own: Bool[Tensor, "b p"]


def _parts(
    tokens: Tokens | Patches,
    points: Real[Tensor, "b n 3"],
    superpoints: Int[Tensor, "b n"],
    is_point: Bool[Tensor, "b n"] | None,
    config: PropagationConfig,
    n_superpoints: int | None = None,
    known: Counts | None = None,
) -> Iterator[_Weights]:
    """Weigh centres for all points, so many points at a time as memory allows.

    A GPU is waited for once to learn how many superpoints there are, and once to learn how many centres one has at most
    and whether any has none, where these are not known.
    """
    shown = torch.ones_like(superpoints, dtype=torch.bool) if is_point is None else is_point
    labels = superpoints.masked_fill(~shown, 0)
    n_clouds, n_tokens = tokens.is_token.shape
    n_labels = n_superpoints or 1 + max(torch.stack([labels.max(), tokens.superpoints.max()]).tolist())
    labels = labels.clamp_max(n_labels)  # one that is too high is told below
    order, starts, counts = _sorted_centers(tokens, n_labels)
    if known is None:
        without = ((counts.gather(1, labels) == 0) & shown).sum()
        n_without, most, highest = torch.stack([without, counts[:, :-1].max(), superpoints.max()]).tolist()
        if n_superpoints is not None and highest >= n_superpoints:
            raise InputError(f"a point is in superpoint {highest}, and there are {n_superpoints}, from 0 on.")
    else:
        n_without, most = known.points_without_center, known.most_centers
    n_slots = max(most, min(config.fallback_centers, n_tokens))
    step = max(1, PAIRS_AT_ONCE // (n_clouds * max(n_slots, n_tokens)))
    for start in range(0, points.shape[1], step):
        run = slice(start, start + step)
        here, home = points[:, run], labels[:, run]
        slots = torch.arange(n_slots, device=points.device)
        count = counts.gather(1, home)
        places = (starts.gather(1, home)[..., None] + slots).clamp_max_(n_tokens - 1)
        centers = order.gather(1, places.flatten(1)).view(places.shape)
        weights = _inverse(_distances(here, tokens.xyz, centers), tokens.radius, config.epsilon)
        weights = weights * (slots < count[..., None])
        without_center = (count == 0) & shown[:, run]
        if n_without:
            count_here = n_without if here.shape[1] == points.shape[1] else int(without_center.sum())
            centers, weights = _fall_back(here, tokens, without_center, count_here, centers, weights, config)
        weights = weights / weights.sum(2, keepdim=True)
        weights = torch.where(shown[:, run, None], weights, 0)  # padding may hold anything, NaN too
        yield _Weights(centers, weights, ~without_center)


def _is_for_loop(features: Float[Tensor, "b m d"], points: Real[Tensor, "b n 3"], config: PropagationConfig) -> bool:
    """Say whether a compiled loop does it: on a CPU, where nothing is trained and Numba is worth its import."""
    is_trained = torch.is_grad_enabled() and features.requires_grad
    if not features.is_cpu or features.dtype != torch.float32 or is_trained or config.epsilon <= 0:
        return False
    return points.shape[:2].numel() * features.shape[1] >= SMALLEST_OF_LOOP and is_compiling()


def _sorted_centers(
    tokens: Tokens | Patches, n_labels: int
) -> tuple[Int[Tensor, "b m"], Int[Tensor, "b s"], Int[Tensor, "b s"]]:
    """Sort centres by superpoint; of each, which is its first and how many it has, of padding too."""
    order = tokens.superpoints.masked_fill(~tokens.is_token, n_labels).clamp_max(n_labels).argsort(dim=1, stable=True)
    counts = centers_of_superpoints(tokens.superpoints, tokens.is_token, n_labels)
    return order, counts.cumsum(1) - counts, counts


def _distances(
    points: Real[Tensor, "b p 3"], xyz: Real[Tensor, "b m 3"], centers: Int[Tensor, "b p q"]
) -> Float32[Tensor, "b p q"]:
    square = torch.zeros(centers.shape, dtype=points.dtype, device=points.device)
    for axis in range(3):
        there = xyz[..., axis].gather(1, centers.flatten(1)).view(centers.shape)
        square += (there - points[..., axis, None]).square_()
    return square.sqrt_().float()


def _inverse(
    distance: Float32[Tensor, "b ..."], radius: Float32[Tensor, " b"], epsilon: float
) -> Float32[Tensor, "b ..."]:
    """Weigh by inverse distance, in radii so that no unit of length can overflow."""
    return 1 / (distance / radius.view(-1, *[1] * (distance.ndim - 1)) + epsilon)


def _fall_back(
    points: Real[Tensor, "b p 3"],
    tokens: Tokens | Patches,
    without_center: Bool[Tensor, "b p"],
    count: int,
    centers: Int[Tensor, "b p q"],
    weights: Float32[Tensor, "b p q"],
    config: PropagationConfig,
) -> tuple[Int[Tensor, "b p q"], Float32[Tensor, "b p q"]]:
    """Let the nearest centres, of whatever superpoint, speak for points that have none of their own."""
    n_nearest = min(config.fallback_centers, tokens.is_token.shape[1])
    places = where(without_center, count)
    cloud, point = places // points.shape[1], places % points.shape[1]
    square = squared_distances(points[cloud, point][:, None], tokens.xyz[cloud])[:, 0]
    square = square.masked_fill_(~tokens.is_token[cloud], torch.inf)
    nearest = square.topk(n_nearest, dim=1, largest=False)
    found = _inverse(nearest.values.sqrt().float(), tokens.radius[cloud], config.epsilon)
    spare = (0, weights.shape[2] - n_nearest)
    # Others' centres do not count; `centers` and `weights` are this run's own, and are used nowhere else.
    centers[cloud, point] = functional.pad(nearest.indices, spare)
    weights[cloud, point] = functional.pad(found, spare)
    return centers, weights
