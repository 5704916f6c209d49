"""The device that PyTorch computes on."""

import os
from typing import TYPE_CHECKING

from s4tok.errors import MissingError, UsageError, choose

if TYPE_CHECKING:
    from torch import Tensor


def pick_device(name: str) -> str:
    """Choose where tensors live: `auto` takes the GPU where there is one, `cpu` and `cuda` are taken at their word."""
    choose("device", name.partition(":")[0], {"auto": 0, "cpu": 1, "cuda": 2})
    if name == "cpu":
        return name
    import torch

    found = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if found else "cpu"
    if not found:
        raise MissingError("no CUDA device is visible to PyTorch.", "pass --device cpu, or see `s4tok doctor`.")
    index = name.partition(":")[2]
    if index and not (index.isdecimal() and int(index) < torch.cuda.device_count()):
        raise UsageError(f"there is no {name}; this machine has {torch.cuda.device_count()} GPUs, counted from 0.")
    return name


def pick_devices(names: str) -> tuple[str, ...]:
    """Choose one device, or several whose names are joined by commas."""
    return tuple(map(pick_device, names.split(",")))


def visible(name: str) -> str:
    """Name a GPU as CUDA_VISIBLE_DEVICES does, for a process that is to see no other."""
    number = int(name.partition(":")[2] or 0)
    known = os.environ.get("CUDA_VISIBLE_DEVICES")
    return known.split(",")[number].strip() if known else str(number)


def answers_at_once(tensor: "Tensor") -> bool:
    """Say whether a number of it can be read for nothing; a GPU works behind, and whoever reads waits for it."""
    return tensor.device.type == "cpu"
