"""What 2D models that are a PyTorch network share: preprocessing, and an identity by the hash of the weights."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.shapes import Float
from s4tok.vision.vision_model import VisionModel


@dataclass(frozen=True)
class Network(VisionModel):
    """A network that nothing changes any more, and what its images have to be like."""

    model: nn.Module
    name: str  # without the folder it came from
    sha256: str  # of the file of its weights, or of the weights
    size: int  # pixels, square
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str

    @property
    def device(self) -> torch.device:
        """Say where it computes."""
        return next(self.model.parameters()).device

    @property
    def identity(self) -> dict[str, Any]:
        """Give what a cache made with it has to remember."""
        return {
            self.key: self.name, "weights": self.sha256, "size": self.size,
            "mean": list(self.mean), "std": list(self.std), "interpolation": self.interpolation,
        }  # fmt: skip

    def prepare(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 size size"]:
        """Turn square images of 0 .. 1, grey or coloured, into what the model was trained on."""
        images = images.to(self.device, torch.float32)
        if images.shape[-2:] != (self.size, self.size):
            mode = self.interpolation if self.interpolation in ("bicubic", "bilinear") else "bicubic"
            images = functional.interpolate(
                images, (self.size, self.size), mode=mode, align_corners=False, antialias=True
            ).clamp(0, 1)
        mean, std = (images.new_tensor(three).view(1, 3, 1, 1) for three in (self.mean, self.std))
        return (images.expand(-1, 3, -1, -1) - mean) / std


def unit(vectors: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
    """Give vectors of unit length, in single precision."""
    return functional.normalize(vectors.float(), dim=-1)


def sha256_of_file(file: Path) -> str:
    """Hash a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_weights(model: nn.Module) -> str:
    """Hash a module's parameters and buffers, by name, kind and value."""
    state = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        state.update(tensor.cpu().contiguous().view(torch.uint8).numpy().data if tensor.ndim else b"")
    return state.hexdigest()
