"""What every 2D teacher offers: it looks at pictures and knows what it is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from s4tok.shapes import Float
from s4tok.vision.frozen_clip import ImageFeatures


class Teacher(ABC):
    """A frozen network whose features of pictures are lifted onto points."""

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """Give all that changes its features, as plain values: two teachers of one identity see the same."""

    @property
    @abstractmethod
    def grid(self) -> tuple[int, int]:
        """Give how many rows and columns of patches it sees."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Give the length of its vectors."""

    @abstractmethod
    def see(self, images: Float[Tensor, "b c h w"]) -> ImageFeatures:
        """Look at square pictures of 0 .. 1, grey or coloured."""

    @abstractmethod
    def read(self, prompts: Sequence[str]) -> Float[Tensor, "t d"]:
        """Turn each prompt into a vector of unit length, in the space of the features."""
