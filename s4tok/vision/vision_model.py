"""What every 2D model offers: it says by name what it can do, and does it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias, TypeVar

from torch import Tensor

from s4tok.errors import UsageError
from s4tok.shapes import Array, Float, Float32, Float64, Int32, UInt8
from s4tok.vision.known_words import KnownWords

CLIP_FACTOR = 100.0  # of the cosines of features and texts; CLIP's own training ends with it
Kind = TypeVar("Kind", bound="VisionModel")
Capability: TypeAlias = Literal["dense", "whole", "text", "masks"]
MEANING: Mapping[Capability, str] = {
    "dense": "features of patches",
    "whole": "a feature of the whole image",
    "text": "text encoder",
    "masks": "masks of regions",
}


class ImageFeatures(NamedTuple):
    """Features of images, in one space; all vectors have unit length, or are zero where a model has none."""

    whole: Float[Tensor, "b d"]
    patches: Float[Tensor, "b gh gw d"]


class DepthImage(NamedTuple):
    """One RGB-D image, its colours brought to the pixels of its depth."""

    color: UInt8[Array, "h w 3"]
    depth: Float32[Array, "h w"]  # metres along the optical axis; 0 where nothing was measured
    intrinsics: Float64[Array, "3 3"]  # pixels; whole numbers are the middles of pixels


class VisionModel(ABC):
    """A frozen 2D model whose features of images are lifted onto points.

    A row of the table is a class: what its models can do is known before any weights are.
    """

    can: ClassVar[frozenset[Capability]]
    key: ClassVar[str] = "model"  # of the name in the identity
    usual: ClassVar[str] = ""  # weights, where the user names none
    name: str  # as results carry it
    known_words: KnownWords | None = None  # what its texts were trained on; None for a model that is asked anything

    @classmethod
    @abstractmethod
    def load(cls: type[Kind], name: str, pretrained: str | None = None, device: str = "cpu") -> Kind:
        """Load a model by its name.

        Args:
            name: Its row in the table, or what stands behind "ROW:".
            pretrained: A tag or a file; "" for random weights, None for the usual ones.
            device: Where it computes.
        """

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """Give all that changes its features, as plain values: the name under `key`, and "weights", a hash."""

    @property
    def stamp(self) -> Mapping[str, Any]:
        """Give what the stamp of its features says of it: its identity, and how the features are taken."""
        return self.identity

    @property
    def width(self) -> int:
        """Give the length of its vectors."""
        raise lacking(self.name, "dense")

    def encode(self, images: Float[Tensor, "b c h w"]) -> ImageFeatures:
        """Compute `whole` and `dense` in one pass, of square images of 0 .. 1, grey or coloured."""
        raise lacking(self.name, "dense")

    def dense(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b gh gw d"]:
        """Give a feature of each patch."""
        return self.encode(images).patches

    def whole(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Give a feature of each image."""
        return self.encode(images).whole

    def text(self, prompts: Sequence[str]) -> Float[Tensor, "t d"]:
        """Turn each prompt into a vector of unit length, in the space of the features."""
        raise lacking(self.name, "text")

    def masks(self, image: DepthImage) -> Int32[Array, "h w"]:
        """Give the mask that each pixel lies in, 1 .. r, or 0 where it lies in none."""
        raise lacking(self.name, "masks")


def lacking(name: str, capability: Capability) -> UsageError:
    """Say that a model cannot do what it was asked for."""
    return UsageError(f"{name} has no {MEANING[capability]}.")
