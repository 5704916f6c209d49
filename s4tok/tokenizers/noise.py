"""Random numbers that are functions of a seed and a place, the same on every machine and in every batch."""

import torch
from torch import Tensor

from s4tok.shapes import Float32, Int

STEP = 0x9E3779B9  # between keys, or 0 would be the hash of 0
_LOW_32_BITS = 0xFFFFFFFF


def noise(*keys: Int[Tensor, "..."]) -> Float32[Tensor, "..."]:
    """Hash broadcast integer keys into uniform numbers in [0, 1).

    A generator's draws depend on what was drawn before; these depend on the keys alone, so a cloud's tokens
    do not change with its neighbours in the batch, and CPU and GPU agree.
    """
    state = torch.zeros((), dtype=torch.int64, device=keys[0].device)
    for key in keys:
        wide = key.to(torch.int64)
        state = mix(state ^ mix((wide ^ (wide >> 32)) + STEP))
    return (state >> 8).to(torch.float32) / 2**24


def mix(value: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Scatter 32 bits held in an int64 (the finalizer "lowbias32" of Wellons' hash prospector)."""
    value = value & _LOW_32_BITS
    value = ((value ^ (value >> 16)) * 0x7FEB352D) & _LOW_32_BITS
    value = ((value ^ (value >> 15)) * 0x846CA68B) & _LOW_32_BITS
    return value ^ (value >> 16)
