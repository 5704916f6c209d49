"""Tensors in a file, which those may read whom the user's umask lets."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from s4tok.dependencies import load


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors by their names; safetensors' own way leaves the file to its owner alone."""
    plain = {name: each.detach().cpu().contiguous() for name, each in tensors.items()}
    path.write_bytes(load("safetensors.torch").save(plain))
