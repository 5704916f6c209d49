"""Patches as one compiled loop over centres, each of which searches its own window of points."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from s4tok.compiled import compiled
from s4tok.shapes import Array, Bool, Float32, Int
from s4tok.tokenizers.distances import INDEX_BITS
from s4tok.tokenizers.noise import STEP, mix
from s4tok.tokenizers.order import SortedClouds

_INDEX = 2**INDEX_BITS - 1


def group(
    clouds: SortedClouds,
    centers: Int[Tensor, "b m"],
    windows: tuple[Int[Tensor, "b m"], Int[Tensor, "b m"]],
    limits: Float32[Tensor, " b"],
    seeds: Int[Tensor, " b"],
    patch_size: int,
    *,
    takes_nearest: bool,
) -> tuple[Int[Tensor, "b m k"], Bool[Tensor, "b m k"]]:
    """Do what `group_points` does, to the bit, given each window's first point, its number of points and its limit.

    A limit is the largest squared distance of a point from its centre. Of more points than a patch holds the nearest
    are taken, or some at random.
    """
    members = centers[:, :, None].repeat(1, 1, patch_size)
    is_member = torch.zeros_like(members, dtype=torch.bool)
    given: list[Any] = [each.contiguous().numpy() for each in (centers, *windows, limits, seeds)]
    axes = np.ascontiguousarray(clouds.xyz.permute(2, 0, 1).numpy())
    _group(*[axes, *given, takes_nearest, members.numpy(), is_member.numpy()])
    return members, is_member


@compiled
def _group(
    axes: Float32[Array, "3 b n"],
    centers: Int[Array, "b m"],
    starts: Int[Array, "b m"],
    lengths: Int[Array, "b m"],
    limits: Float32[Array, " b"],
    seeds: Int[Array, " b"],
    takes_nearest: bool,
    members: Int[Array, "b m k"],
    is_member: Bool[Array, "b m k"],
) -> None:
    patch_size = members.shape[2]
    distances, keys = np.empty(axes.shape[2], np.float32), np.empty(axes.shape[2], np.int64)
    bits = distances.view(np.int32)  # floats that are not negative sort as their bits do
    for cloud in range(len(centers)):
        for token in range(centers.shape[1]):
            center, start, length = centers[cloud, token], starts[cloud, token], lengths[cloud, token]
            x, y, z = axes[0, cloud, start:], axes[1, cloud, start:], axes[2, cloud, start:]
            here_x, here_y, here_z = axes[0, cloud, center], axes[1, cloud, center], axes[2, cloud, center]
            for place in range(length):  # apart from the next loop, so that several points are taken at once
                from_x, from_y, from_z = here_x - x[place], here_y - y[place], here_z - z[place]
                distances[place] = from_x * from_x + from_y * from_y + from_z * from_z
            distances[center - start] = -1  # before whatever shares its place
            count = 0
            for place in range(length):
                if distances[place] <= limits[cloud]:
                    keys[count] = np.int64(bits[place]) << INDEX_BITS | (start + place)
                    count += 1
            is_drawn = count > patch_size and not takes_nearest
            _smallest(keys[:count], count if is_drawn else min(count, patch_size))
            if is_drawn:
                ranks = _drawn(seeds[cloud], token, count, patch_size)
                for slot in range(patch_size):
                    keys[slot] = keys[ranks[slot]]  # no rank is lower than its slot
            for slot in range(min(count, patch_size)):
                members[cloud, token, slot] = keys[slot] & _INDEX
                is_member[cloud, token, slot] = True


@compiled
def _drawn(seed: int, token: int, count: int, wanted: int) -> Int[Array, " k"]:
    """Draw so many of the ranks, in order; the first is the centre and always among them."""
    state = _hash(_hash(0, seed), token)
    keys = np.empty(count, np.int64)
    for rank in range(count):
        draw = _hash(state, rank) >> 8 if rank else -1  # what `noise` divides
        keys[rank] = draw << INDEX_BITS | rank
    _smallest(keys, wanted)
    for slot in range(wanted):
        keys[slot] &= _INDEX
    _smallest(keys[:wanted], wanted)
    return keys


@compiled
def _smallest(keys: Int[Array, " n"], wanted: int) -> None:
    """Put the smallest keys first, in order: a heap of so many takes in the others, and is then sorted."""
    for root in range(wanted // 2 - 1, -1, -1):
        _sift(keys, root, wanted)
    for place in range(wanted, len(keys)):
        if keys[place] < keys[0]:
            keys[0], keys[place] = keys[place], keys[0]
            _sift(keys, 0, wanted)
    for last in range(wanted - 1, 0, -1):
        keys[0], keys[last] = keys[last], keys[0]
        _sift(keys, 0, last)


@compiled
def _sift(keys: Int[Array, " n"], root: int, size: int) -> None:
    """Let a key sink until none below it is larger."""
    while 2 * root + 1 < size:
        below = 2 * root + 1
        if below + 1 < size and keys[below + 1] > keys[below]:
            below += 1
        if keys[root] >= keys[below]:
            break
        keys[root], keys[below] = keys[below], keys[root]
        root = below


@compiled
def _hash(state: int, key: int) -> int:
    hashed: int = _mix(state ^ _mix((key ^ (key >> 32)) + STEP))
    return hashed


_mix: Any = compiled(mix)
