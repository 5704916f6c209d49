"""SigLIP: each patch through the head that pools them all, in the space of its texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from s4tok.dependencies import load
from s4tok.errors import UsageError
from s4tok.shapes import Float
from s4tok.vision.network import unit
from s4tok.vision.open_clip_network import OpenClipNetwork
from s4tok.vision.vision_model import ImageFeatures

ARCHITECTURES: Mapping[str, str] = {
    "siglip-base": "ViT-B-16-SigLIP",
    "siglip-large": "ViT-L-16-SigLIP-256",
    "siglip-so400m": "ViT-SO400M-14-SigLIP",
}


@dataclass(frozen=True)
class Siglip(OpenClipNetwork):
    """A SigLIP, which has no class token: a learnt query pools its patches by attention."""

    usual: ClassVar[str] = "webli"

    @classmethod
    def architecture(cls, name: str) -> str:
        """Give what open_clip calls it."""
        return ARCHITECTURES.get(name, name.removeprefix("siglip:"))

    @classmethod
    def require_fitting(cls, name: str, visual: Any) -> None:
        """Refuse image towers that pool otherwise."""
        if getattr(getattr(visual, "trunk", None), "attn_pool", None) is None:
            raise UsageError(
                f"{name} is no SigLIP: its image tower does not pool patches by attention.",
                f"there are: {', '.join(ARCHITECTURES)}, and open_clip's models with SigLIP in their names.",
            )

    @property
    def _trunk(self) -> Any:
        return self.model.visual.trunk  # type: ignore[union-attr]

    @property
    def width(self) -> int:
        """Give the length of its vectors."""
        return int(self._trunk.num_features)

    @torch.inference_mode()
    def encode(self, images: Float[Tensor, "b c h w"]) -> ImageFeatures:
        """Compute a feature of each image, and of each patch.

        A patch's feature is what the head makes of that patch alone: the query then attends to nothing else, as in
        MaskCLIP's value path.
        """
        trunk = self._trunk
        tokens = trunk.forward_features(self.prepare(images).to(trunk.patch_embed.proj.weight.dtype))
        patches = tokens[:, trunk.num_prefix_tokens :]
        alone = trunk.forward_head(patches.flatten(0, 1)[:, None]).unflatten(0, patches.shape[:2])
        return ImageFeatures(unit(trunk.forward_head(tokens)), unit(alone.unflatten(1, trunk.patch_embed.grid_size)))

    def _tokenize(self, prompts: list[str]) -> Tensor:
        """Split prompts into tokens; random weights know no words, and take CLIP's, which need no hub."""
        if not self.is_random:
            return super()._tokenize(prompts)
        model: Any = self.model
        tokenizer = load("open_clip").SimpleTokenizer(context_length=model.context_length)
        tokens: Tensor = tokenizer(prompts) % model.text.vocab_size
        return tokens
