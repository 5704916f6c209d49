"""Where tokens stand: weighted farthest point sampling (Sec. 3.2), and how far apart they are."""

from typing import Literal

import torch
from torch import Tensor

from s4tok.compiled import is_compiling_for_gpu, is_worth_compiling
from s4tok.shapes import Bool, Float, Float32, Int
from s4tok.tokenizers.distances import squared_distances
from s4tok.tokenizers.noise import noise
from s4tok.tokenizers.order import SortedClouds

LARGEST_OF_KERNEL = 2**14  # points of a cloud, which one multiprocessor of a GPU holds in its registers
SMALLEST_OF_LOOP = 2**20  # points times samples of a batch, for which Numba is worth its import


def sample_centers(
    clouds: SortedClouds,
    n_tokens: int,
    seeds: Int[Tensor, " b"],
    *,
    gamma: float,
    sign: Literal["text", "paper"] = "text",
    smallest: int = 1,
) -> tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"]]:
    r"""Choose centres by :math:`i_t = \arg\max_i D_i w_i^{\gamma}`, :math:`w_i \propto 1 / n_{l_i}`, eq. (2).

    The printed exponent, `sign="paper"`, is -gamma: it favours large superpoints, against the paper's own text and
    figure. Superpoints of fewer than `smallest` points supply no centres, unless a cloud has no larger one.
    A cloud with fewer distinct points than tokens fills up with its first centre, marked False.
    """
    size = clouds.size_of_points()
    allowed = clouds.is_point & (size >= smallest)
    allowed = torch.where(allowed.any(1, keepdim=True), allowed, clouds.is_point)
    first = _first_centers(torch.where(allowed, 1 / size.double(), 0), seeds)
    exponent = gamma if sign == "paper" else -gamma  # of the superpoint's size, the inverse of w
    return weighted_farthest_points(clouds.xyz, size.float().pow(exponent) * allowed, first, n_tokens)


def one_a_superpoint(
    clouds: SortedClouds,
    n_tokens: int,
    seeds: Int[Tensor, " b"],
    *,
    gamma: float,
    sign: Literal["text", "paper"] = "text",
    smallest: int = 1,
) -> tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"]]:
    """Choose the largest superpoints, each by its point nearest to its mean; the arguments are `sample_centers`'.

    Nothing is drawn. Of superpoints of one size the lower label comes first, and those of fewer than `smallest` points
    are left out, unless a cloud has no larger one. A cloud of fewer superpoints than tokens fills up with its first
    centre, marked False.
    """
    sizes = clouds.sizes[:, :-1]
    allowed = torch.where((sizes >= smallest).any(1, keepdim=True), sizes >= smallest, sizes > 0)
    order = torch.where(allowed, sizes, -1).argsort(dim=1, descending=True, stable=True)
    chosen = order[:, torch.arange(n_tokens, device=order.device).clamp_max(order.shape[1] - 1)]
    is_token = allowed.gather(1, chosen)
    is_token[:, order.shape[1] :] = False
    of_points = superpoint_means(clouds).gather(1, clouds.superpoints[..., None].expand(-1, -1, 3))
    distance = (clouds.xyz - of_points).square().sum(2)
    nearest = distance.argsort(dim=1, stable=True)
    nearest = nearest.gather(1, clouds.superpoints.gather(1, nearest).argsort(dim=1, stable=True))
    centers = nearest.gather(1, clouds.starts.gather(1, chosen).clamp_max(nearest.shape[1] - 1))
    return torch.where(is_token, centers, centers[:, :1]), is_token


def superpoint_means(clouds: SortedClouds) -> Float32[Tensor, "b s 3"]:
    """Average the points of each superpoint; the last entry is the padding's."""
    total = clouds.xyz.new_zeros(*clouds.sizes.shape, 3)
    total.scatter_add_(1, clouds.superpoints[..., None].expand_as(clouds.xyz), clouds.xyz)
    return total / clouds.sizes.clamp_min(1)[..., None]


def _first_centers(weights: Float[Tensor, "b n"], seeds: Int[Tensor, " b"]) -> Int[Tensor, " b"]:
    """Draw each cloud's first centre, Multinomial(w), by its own seed."""
    shares = weights.cumsum(1)
    draw = noise(seeds).double()[:, None] * shares[:, -1:]
    return torch.searchsorted(shares, draw, right=True)[:, 0].clamp_max(weights.shape[1] - 1)


def weighted_farthest_points(
    xyz: Float32[Tensor, "b n 3"], weights: Float32[Tensor, "b n"], first: Int[Tensor, " b"], n_samples: int
) -> tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"]]:
    """Choose again and again the point whose squared distance to the chosen ones, times its weight, is largest.

    Ties go to the lowest index. A point of weight 0 is never chosen, and neither is a place that has been chosen
    before: when nothing else is left the first sample is repeated, marked False.
    """
    choose = _farthest
    if xyz.is_cuda and xyz.shape[1] <= LARGEST_OF_KERNEL and is_compiling_for_gpu():
        from s4tok.tokenizers.farthest_gpu import farthest as choose  # Triton, which is not everywhere
    elif xyz.is_cpu and is_worth_compiling(weights.numel() * n_samples, SMALLEST_OF_LOOP):
        from s4tok.tokenizers.farthest_cpu import farthest as choose
    chosen, is_chosen = choose(xyz, weights, first, n_samples)
    return torch.where(is_chosen, chosen, chosen[:, :1]), is_chosen


def _farthest(
    xyz: Float32[Tensor, "b n 3"], weights: Float32[Tensor, "b n"], first: Int[Tensor, " b"], n_samples: int
) -> tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"]]:
    rows = torch.arange(len(xyz), device=xyz.device)
    x, y, z = xyz.unbind(2)
    x, y, z = x.contiguous(), y.contiguous(), z.contiguous()
    distance = torch.full_like(x, torch.inf)
    chosen = first.new_empty(n_samples, len(xyz))
    is_chosen = torch.ones(n_samples, len(xyz), dtype=torch.bool, device=xyz.device)
    step, square = torch.empty_like(x), torch.empty_like(x)  # reused: allocating them cost a third of the time
    latest = first
    for sample in range(n_samples):
        if sample:
            best, latest = torch.mul(distance, weights, out=step).max(1)
            is_chosen[sample] = best > 0
        chosen[sample] = latest
        torch.sub(x, x[rows, latest][:, None], out=square).square_()
        for axis in (y, z):
            square.add_(torch.sub(axis, axis[rows, latest][:, None], out=step).square_())
        torch.minimum(distance, square, out=distance)
    return chosen.T.contiguous(), is_chosen.T.contiguous()


def mean_spacing(centers: Float32[Tensor, "b m 3"], is_center: Bool[Tensor, "b m"]) -> Float32[Tensor, " b"]:
    """Average the distance from each centre to the nearest other one; 0 where a cloud has only one."""
    pairs = squared_distances(centers, centers).masked_fill_(~is_center[:, None, :], torch.inf)
    nearest = pairs.diagonal_scatter(pairs.new_full(centers.shape[:2], torch.inf), dim1=1, dim2=2).amin(2).sqrt()
    measured = is_center & nearest.isfinite()
    return nearest.masked_fill(~measured, 0).sum(1) / measured.sum(1).clamp_min(1)
