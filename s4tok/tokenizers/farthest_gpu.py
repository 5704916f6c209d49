"""Farthest point sampling as one kernel of a GPU: a thousand small ones took half of the time of a training step."""

from inspect import unwrap

import torch
import triton
import triton.language as tl
from torch import Tensor

from s4tok.shapes import Bool, Float32, Int


def farthest(
    xyz: Float32[Tensor, "b n 3"], weights: Float32[Tensor, "b n"], first: Int[Tensor, " b"], n_samples: int
) -> tuple[Int[Tensor, "b m"], Bool[Tensor, "b m"]]:
    """Do what the loop of `weighted_farthest_points` does, to the bit; what is marked False is anything."""
    n_clouds, n_points, _ = xyz.shape
    chosen = torch.empty(n_clouds, n_samples, dtype=torch.int64, device=xyz.device)
    is_chosen = torch.empty(n_clouds, n_samples, dtype=torch.bool, device=xyz.device)
    block = triton.next_power_of_2(n_points)
    _kernel[(n_clouds,)](
        xyz.permute(2, 0, 1).contiguous(), weights.contiguous(), first.contiguous(), chosen, is_chosen,
        n_clouds * n_points, n_points, n_samples, block,
        num_warps=min(32, max(4, block // 256)), enable_fp_fusion=False,
    )  # fmt: skip
    return chosen, is_chosen


# Triton knows no annotations but its own.
def _farthest(  # type: ignore[no-untyped-def]
    xyz,
    weights,
    first,
    chosen,
    is_chosen,
    axis,
    n_points,
    n_samples,
    BLOCK: tl.constexpr,  # noqa: N803
):
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, BLOCK)
    is_point = place < n_points
    here = xyz + row * n_points
    x = tl.load(here + place, is_point, 0.0)
    y = tl.load(here + axis + place, is_point, 0.0)
    z = tl.load(here + 2 * axis + place, is_point, 0.0)
    weight = tl.load(weights + row * n_points + place, is_point, 0.0)
    distance = tl.full((BLOCK,), float("inf"), tl.float32)
    latest = tl.load(first + row)
    best = 1.0
    for sample in range(n_samples):
        tl.store(chosen + row * n_samples + sample, latest)
        tl.store(is_chosen + row * n_samples + sample, best > 0)
        from_x = x - tl.load(here + latest)
        from_y = y - tl.load(here + axis + latest)
        from_z = z - tl.load(here + 2 * axis + latest)
        distance = tl.minimum(distance, from_x * from_x + from_y * from_y + from_z * from_z)
        score = tl.where(is_point, distance * weight, -1.0)
        best = tl.cast(tl.max(score, 0), tl.float32)
        latest = tl.cast(tl.min(tl.where(score == best, place, BLOCK), 0), tl.int64)


_kernel = triton.jit(unwrap(_farthest))  # the tests wrap a function to check shapes
