"""CLIP: the patches of its last layer, in the space of its texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from s4tok.errors import UsageError
from s4tok.shapes import Float
from s4tok.vision.network import unit
from s4tok.vision.open_clip_network import OpenClipNetwork
from s4tok.vision.vision_model import ImageFeatures

Dense = Literal["last", "maskclip"]


@dataclass(frozen=True)
class FrozenClip(OpenClipNetwork):
    """A CLIP whose image tower is a plain vision transformer."""

    dense_by: Dense = "last"

    usual: ClassVar[str] = "openai"
    key: ClassVar[str] = "clip"

    @classmethod
    def require_fitting(cls, name: str, visual: Any) -> None:
        """Refuse image towers without features of patches in the space of the texts."""
        if not hasattr(visual, "ln_post") or getattr(visual, "attn_pool", None) is not None:
            raise UsageError(
                f"{name} is no plain vision transformer, and has no features of patches in the space of its texts.",
                "the models called ViT-* without SigLIP are.",
            )

    @property
    def stamp(self) -> Mapping[str, Any]:
        """Give its identity and the kind of its features, under the keys that caches have had from the first."""
        return {"teacher": "clip", **self.identity, "dense": self.dense_by}

    @property
    def width(self) -> int:
        """Give the length d of its vectors."""
        return int(self.model.visual.proj.shape[1])  # type: ignore[union-attr, index]

    @torch.inference_mode()
    def encode(self, images: Float[Tensor, "b c h w"]) -> ImageFeatures:
        """Compute a feature of each image, and of each patch.

        `last` takes the tokens the last layer puts out, as PointCLIP V2 does; `maskclip` lets every token of the
        last layer attend to itself alone, so that it says what is there and not what is important elsewhere.
        """
        visual: Any = self.model.visual
        tokens = visual._embeds(self.prepare(images).to(visual.conv1.weight.dtype))
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            tokens = block(tokens)
        read = last(tokens)
        whole, _ = visual._pool(read)
        if self.dense_by == "maskclip":
            length = tokens.shape[1]
            alone = torch.full((length, length), -torch.inf, device=tokens.device).fill_diagonal_(0)
            read = last(tokens, attn_mask=alone)
        patches = visual.ln_post(read[:, 1:]) @ visual.proj
        patches = patches.unflatten(1, visual.grid_size)
        return ImageFeatures(unit(whole @ visual.proj), unit(patches))
