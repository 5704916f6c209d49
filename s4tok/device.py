"""The device that PyTorch computes on."""

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
    if index and int(index) >= torch.cuda.device_count():
        raise UsageError(f"there is no {name}; this machine has {torch.cuda.device_count()} GPUs, counted from 0.")
    return name


def answers_at_once(tensor: "Tensor") -> bool:
    """Say whether a number of it can be read for nothing; a GPU works behind, and whoever reads waits for it."""
    return tensor.device.type == "cpu"
