"""Which points a token sees: the nearest, or some of those in a ball, anywhere or in the centre's superpoint."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from s4tok.compiled import is_worth_compiling
from s4tok.device import answers_at_once
from s4tok.shapes import Bool, Float32, Int
from s4tok.tokenizers.distances import INDEX_BITS, squared_distances
from s4tok.tokenizers.noise import noise
from s4tok.tokenizers.order import SortedClouds

Pick: TypeAlias = Literal["nearest", "ball", "any"]

# Pairs of centre and point held in memory together, about 40 bytes each. On a CPU a part should stay in its cache:
# 2**22 took twice the time of 2**18. A GPU wants few and large kernels.
PAIRS_AT_ONCE = {"cpu": 2**18, "cuda": 2**24}
SMALLEST_OF_LOOP = 2**20  # points times centres of a batch, for which Numba is worth its import
_NEVER = torch.iinfo(torch.int64).max


def group_points(
    clouds: SortedClouds,
    centers: Int[Tensor, "b m"],
    radius: Float32[Tensor, " b"],
    seeds: Int[Tensor, " b"],
    *,
    pick: Pick,
    in_superpoint: bool,
    patch_size: int,
) -> tuple[Int[Tensor, "b m k"], Bool[Tensor, "b m k"]]:
    """Give each centre its patch: the centre first, then up to k - 1 others, then the centre again, marked False.

    `nearest` takes the k nearest. `ball` takes those within the radius, and of more than k a random k; `any` takes
    a random k at whatever distance. Random choices follow the seed and each candidate's rank by distance, so they
    survive a change of scale and of the points' order. With `in_superpoint` only the centre's superpoint is searched,
    which is also faster: its points stand together.
    """
    starts, lengths = _windows(clouds, centers, in_superpoint)
    if centers.is_cpu and is_worth_compiling(centers.numel() * clouds.xyz.shape[1], SMALLEST_OF_LOOP):
        from s4tok.tokenizers.grouping_cpu import group

        limits = radius.square() if pick == "ball" else torch.full_like(radius, torch.inf)
        return group(clouds, centers, (starts, lengths), limits, seeds, patch_size, takes_nearest=pick == "nearest")
    # Long windows first: tokens that are handled together then have windows of about one length.
    lengths, tokens = lengths.sort(dim=1, descending=True, stable=True)
    members = centers[:, :, None].repeat(1, 1, patch_size)
    is_member = torch.zeros_like(members, dtype=torch.bool)
    rows = torch.arange(len(centers), device=centers.device)[:, None]
    longest = lengths.amax(0).tolist() if in_superpoint else [clouds.xyz.shape[1]] * lengths.shape[1]
    for part, width in _parts(longest, len(centers), PAIRS_AT_ONCE.get(centers.device.type, PAIRS_AT_ONCE["cuda"])):
        which = tokens[:, part]
        here = centers.gather(1, which)
        index, distance = _candidates(clouds, here, starts.gather(1, which), width, in_superpoint)
        among = torch.arange(width, device=centers.device) < lengths[:, part, None]
        distance.masked_fill_(index == here[:, :, None], -1.0)  # before whatever shares its place
        count = lengths[:, part]
        if pick == "ball":
            among &= distance <= radius.square()[:, None, None]
            count = among.sum(2)
        keys = torch.where(among, _sortable(distance, index), _NEVER)
        # Of candidates that are drawn from, how many are ranked. Where asking means to wait, a superpoint's window is
        # short enough to rank all of it.
        reach = patch_size
        if pick != "nearest":
            is_asked = pick == "ball" and (answers_at_once(count) or not in_superpoint)
            reach = max(patch_size, int(count.max()) if is_asked else width)
        chosen, count = _choose(keys, count, seeds, which, patch_size, reach)
        filled = torch.arange(chosen.shape[2], device=centers.device) < count[:, :, None]
        slots = slice(chosen.shape[2])
        members[rows, which, slots] = torch.where(filled, chosen, here[:, :, None])
        is_member[rows, which, slots] = filled
    return members, is_member


def _windows(
    clouds: SortedClouds, centers: Int[Tensor, "b m"], in_superpoint: bool
) -> tuple[Int[Tensor, "b m"], Int[Tensor, "b m"]]:
    """Give the run of points each centre chooses from: its superpoint's, or all."""
    if in_superpoint:
        labels = clouds.superpoints.gather(1, centers)
        return clouds.starts.gather(1, labels), clouds.sizes.gather(1, labels)
    return torch.zeros_like(centers), clouds.is_point.sum(1, keepdim=True).expand_as(centers)


def _parts(longest: list[int], n_clouds: int, pairs: int) -> Iterator[tuple[slice, int]]:
    """Divide tokens, longest windows first, so that no part of several holds more than so many pairs."""
    start = 0
    while start < len(longest):
        width = max(1, longest[start])
        stop = start + max(1, pairs // (n_clouds * width))
        yield slice(start, stop), width
        start = stop


def _candidates(
    clouds: SortedClouds, centers: Int[Tensor, "b p"], starts: Int[Tensor, "b p"], width: int, in_superpoint: bool
) -> tuple[Int[Tensor, "b p w"], Float32[Tensor, "b p w"]]:
    """Give the index and squared distance of every point in each centre's window."""
    n_clouds, n_centers = centers.shape
    n_points = clouds.xyz.shape[1]
    places = torch.arange(width, device=centers.device)
    at = clouds.xyz.gather(1, centers[..., None].expand(-1, -1, 3))
    if not in_superpoint:
        return places.expand(n_clouds, n_centers, width), squared_distances(at, clouds.xyz[:, :width])
    index = (starts[..., None] + places).clamp_max_(n_points - 1)
    distance = torch.zeros(index.shape, device=centers.device)
    for axis in range(3):
        there = clouds.xyz[..., axis].gather(1, index.flatten(1)).view(index.shape)
        distance += there.sub_(at[:, :, None, axis]).square_()
    return index, distance


def _sortable(distance: Float32[Tensor, "b p w"], index: Int[Tensor, "b p w"]) -> Int[Tensor, "b p w"]:
    """Put distance above index in one integer, so that no two keys tie; floats sort as their bits do.

    `topk` breaks ties as it likes, and differently from one row length to another.
    """
    bits = distance.contiguous().view(torch.int32).to(torch.int64)
    return (bits << INDEX_BITS) | index


def _choose(
    keys: Int[Tensor, "b p w"],
    count: Int[Tensor, "b p"],
    seeds: Int[Tensor, " b"],
    tokens: Int[Tensor, "b p"],
    patch_size: int,
    reach: int,
) -> tuple[Int[Tensor, "b p k"], Int[Tensor, "b p"]]:
    """Choose the first k candidates by key, or k at random of those within a longer reach; the centre has the first."""
    ranked = keys.topk(min(reach, keys.shape[2]), largest=False, sorted=True).values
    if ranked.shape[2] > patch_size:
        ranks = torch.arange(ranked.shape[2], device=keys.device)
        draw = noise(seeds[:, None, None], tokens[:, :, None], ranks)
        draw[:, :, 0] = -1  # the centre itself
        draw = draw.masked_fill_(ranks >= count[:, :, None], 2.0)
        order = draw.argsort(dim=2, stable=True)[:, :, :patch_size]
        ranked = ranked.gather(2, order.sort(dim=2).values)
    return ranked & ((1 << INDEX_BITS) - 1), count.clamp_max(patch_size)
