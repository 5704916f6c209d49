"""What a tokenizer reads of each point beside its place: colours and normals of clouds, standardised.

Of each kind a point has three values and whether they are known, 1 or 0. What is not known is 0 in all four.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import PointKind
from s4tok.geometry.axes import upright
from s4tok.shapes import Array, Float, Float32

IN_WORDS: Mapping[PointKind, str] = {"rgb": "colours", "normals": "normals"}
VALUES = 3  # of each kind; one more channel says whether they are known
SMALLEST_DEVIATION = 1e-3  # values that differ less are all alike but for their rounding, and are centred alone


@dataclass(frozen=True)
class PointFeatures:
    """Kinds of features in the order of their channels, and what standardises their values."""

    kinds: tuple[PointKind, ...] = ()
    mean: tuple[float, ...] = ()  # of the known values of training clouds, three a kind; none before they are measured
    deviation: tuple[float, ...] = ()

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> "PointFeatures":
        """Read what a checkpoint's card says.

        Raises:
            ValueError: For a kind that this version does not know, and for numbers that standardise nothing.
        """
        if odd := set(card["kinds"]) - IN_WORDS.keys():
            raise ValueError(f"it reads {sorted(odd)[0]!r} of each point, which this version of s4tok does not know")
        found = cls(tuple(card["kinds"]), *(tuple(map(float, card[name])) for name in ("mean", "deviation")))
        n_values = VALUES * len(found.kinds)
        if not len(found.mean) == len(found.deviation) == n_values or not all(each > 0 for each in found.deviation):
            raise ValueError("its point features have no mean and deviation for each value")
        return found

    @property
    def width(self) -> int:
        """Count the channels of a point."""
        return (VALUES + 1) * len(self.kinds)

    def columns(self, kind: PointKind) -> slice | None:
        """Say which channels hold the values of a kind; None where it is not read."""
        if kind not in self.kinds:
            return None
        first = (VALUES + 1) * self.kinds.index(kind)
        return slice(first, first + VALUES)

    def read(self, cloud: PointCloud, up: str = "y") -> Float32[Array, "n c"]:
        """Give what a cloud knows of each point, normals turned so that +y is up."""
        features = np.zeros((len(cloud), len(self.kinds), VALUES + 1), np.float32)
        for place, kind in enumerate(self.kinds):
            values = cloud.color if kind == "rgb" else cloud.normals
            if values is None:
                continue
            is_known = np.ones(len(cloud), bool) if kind == "rgb" else values.any(axis=1)
            features[:, place, :VALUES] = values if kind == "rgb" else values @ upright(up).T
            features[:, place, VALUES] = is_known
        return features.reshape(len(cloud), self.width)

    def lacking(self, features: Float[Array, "... c"]) -> list[PointKind]:
        """Name the kinds that are known of no point of a cloud."""
        is_known = features.reshape(-1, len(self.kinds), VALUES + 1)[..., VALUES].any(axis=0)
        return [kind for kind, is_there in zip(self.kinds, is_known, strict=True) if not is_there]

    def measured(self, clouds: Iterable[Float[Array, "... c"]]) -> "PointFeatures":
        """Take mean and deviation from the features of clouds, in which each known point counts once."""
        count, total, squares = np.zeros((len(self.kinds), 1)), *np.zeros((2, len(self.kinds), VALUES))
        for features in clouds:
            rows = features.reshape(-1, len(self.kinds), VALUES + 1).astype(np.float64)
            count += rows[..., VALUES:].sum(axis=0)
            total += rows[..., :VALUES].sum(axis=0)
            squares += np.square(rows[..., :VALUES]).sum(axis=0)
        mean = total / count.clip(1)
        deviation = np.sqrt((squares / count.clip(1) - np.square(mean)).clip(0))
        deviation[deviation < SMALLEST_DEVIATION] = 1
        return replace(self, mean=tuple(mean.ravel().tolist()), deviation=tuple(deviation.ravel().tolist()))

    def standardized(self, features: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Subtract the mean and divide by the deviation; what is not known stays 0."""
        if not self.mean:
            return features
        rows = features.reshape(*features.shape[:2], len(self.kinds), VALUES + 1)
        is_known = rows[..., VALUES:]
        mean, deviation = (rows.new_tensor(each).view(-1, VALUES) for each in (self.mean, self.deviation))
        values = (rows[..., :VALUES] - mean) / deviation
        return torch.cat([values * is_known, is_known], dim=-1).flatten(-2)


NO_FEATURES = PointFeatures()


def in_words(kinds: Sequence[PointKind], join: str = "and") -> str:
    """Write kinds of features as people call them."""
    return f" {join} ".join(IN_WORDS[kind] for kind in kinds)
