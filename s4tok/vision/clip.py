"""CLIP as the teacher: the patches of its last layer, in the space of its texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from s4tok.config import ClipConfig
from s4tok.shapes import Float
from s4tok.vision.frozen_clip import Dense, FrozenClip, ImageFeatures
from s4tok.vision.teacher import Teacher


@dataclass(frozen=True)
class ClipTeacher(Teacher):
    """A frozen CLIP, and how its dense features are taken."""

    clip: FrozenClip
    dense: Dense

    @classmethod
    def load(cls, config: ClipConfig, device: str) -> "ClipTeacher":
        """Load the CLIP that the config names."""
        return cls(FrozenClip.load(config.clip, config.pretrained, device), config.dense)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Give the model, the hash of its weights, its preprocessing and the kind of features."""
        return {**self.clip.identity, "dense": self.dense}

    @property
    def grid(self) -> tuple[int, int]:
        """Give how many rows and columns of patches it sees."""
        rows, columns = self.clip.model.visual.grid_size  # type: ignore[union-attr, misc]
        return int(rows), int(columns)

    @property
    def width(self) -> int:
        """Give the length of its vectors."""
        return self.clip.width

    def see(self, images: Float[Tensor, "b c h w"]) -> ImageFeatures:
        """Look at square pictures of 0 .. 1, grey or coloured."""
        return self.clip.encode_images(images, self.dense)

    def read(self, prompts: Sequence[str]) -> Float[Tensor, "t d"]:
        """Turn each prompt into a vector of unit length."""
        return self.clip.encode_texts(prompts)
