"""DINOv2: tokens of patches and the class token. It was trained without texts, and has no text encoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from s4tok.dependencies import first_line, load
from s4tok.errors import InputError, UsageError, did_you_mean
from s4tok.shapes import Float
from s4tok.vision.network import Network, sha256_of_file, sha256_of_weights, unit
from s4tok.vision.vision_model import Capability, ImageFeatures
from s4tok.vision.weights import hub_file

ARCHITECTURES: Mapping[str, str] = {
    "dinov2-small": "vit_small_patch14_dinov2",
    "dinov2-base": "vit_base_patch14_dinov2",
    "dinov2-large": "vit_large_patch14_dinov2",
}
SIZE = 224  # pixels, as views are drawn: 16 x 16 patches. Its own 518 pixels have five times as many.
FILES = ("model.safetensors", "pytorch_model.bin")  # of a model on the hub, in the order in which they are preferred


@dataclass(frozen=True)
class Dinov2(Network):
    """A frozen DINOv2 of timm's."""

    can: ClassVar[frozenset[Capability]] = frozenset({"dense", "whole"})
    usual: ClassVar[str] = "lvd142m"

    @classmethod
    def load(cls, name: str, pretrained: str | None = None, device: str = "cpu", *, seed: int = 0) -> "Dinov2":
        """Load a model: a row of the table or a name of timm's, with a tag, a file or a folder of the hub's.

        Raises:
            MissingError: When its weights are not here and cannot be fetched, within seconds.
            InputError: When its file is not what the architecture expects.
            UsageError: When it is unknown.
        """
        timm = load("timm")
        architecture = ARCHITECTURES.get(name, name.removeprefix("dinov2:"))
        if not timm.is_model(architecture):
            raise UsageError(
                f"timm knows no model {architecture!r}.",
                did_you_mean(architecture, timm.list_models("*dinov2*")) or f"there are: {', '.join(ARCHITECTURES)}.",
            )
        file = _file(name, architecture, cls.usual if pretrained is None else pretrained)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = timm.create_model(architecture, pretrained=False, num_classes=0, img_size=SIZE)
        if file is not None:
            _fill(model, file, architecture)
        about = model.pretrained_cfg
        return cls(
            model=model.eval().requires_grad_(False).to(device),
            name=name,
            sha256=sha256_of_file(file) if file else sha256_of_weights(model),
            size=SIZE,
            mean=tuple(about["mean"]),
            std=tuple(about["std"]),
            interpolation=str(about["interpolation"]),
        )

    @property
    def width(self) -> int:
        """Give the length of its vectors."""
        return int(self.model.num_features)  # type: ignore[arg-type]

    @torch.inference_mode()
    def encode(self, images: Float[Tensor, "b c h w"]) -> ImageFeatures:
        """Compute a feature of each image, and of each patch."""
        model: Any = self.model
        tokens = model.forward_features(self.prepare(images))
        patches = tokens[:, model.num_prefix_tokens :].unflatten(1, model.patch_embed.grid_size)
        return ImageFeatures(unit(tokens[:, 0]), unit(patches))


def _file(name: str, architecture: str, pretrained: str) -> Path | None:
    """Find the weights: a file, a folder of the hub's, or a tag; None for random ones."""
    if not pretrained:
        return None
    path = Path(pretrained)
    if path.is_dir():
        found = [path / each for each in FILES if (path / each).is_file()]
        if not found:
            raise InputError(f"{path} has no weights: no {' or '.join(FILES)}.")
        return found[0]
    return path if path.is_file() else hub_file(f"timm/{architecture}.{pretrained}", FILES, name, pretrained)


def _fill(model: Any, file: Path, architecture: str) -> None:
    """Load weights, and fit the table of positions to the size of the views."""
    try:
        if file.suffix == ".safetensors":
            state = load("safetensors.torch").load_file(file)
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
        model.load_state_dict(load("timm.models.vision_transformer").checkpoint_filter_fn(state, model))
    except Exception as error:  # a foreign file may trip it anywhere
        raise InputError(
            f"{file} cannot be loaded as {architecture}: {first_line(error)}.",
            "name the model the weights belong to with --model.",
        ) from error
