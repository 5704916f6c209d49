"""What the library gives of a cloud: arrays, as tensors where the points were one, that save themselves."""

import json
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.errors import choose
from s4tok.oriented_boxes import OrientedBoxes, box_records
from s4tok.rendering.palette import colors_of_names
from s4tok.rendering.ply import labels_ply
from s4tok.shapes import Array, Float, Int
from s4tok.zero_shot.labelled import UNKNOWN_NAME, superpoint_means


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A label for each point."""

    labels: Int[Array, " n"] | Int[Tensor, " n"]  # index into `names`; -1 for unknown
    names: tuple[str, ...]
    scores: (
        Float[Array, "n t"] | Float[Tensor, "n t"]
    )  # cosines, less what calibration subtracts; of a head probabilities
    superpoints: Int[Array, " n"] | Int[Tensor, " n"]
    cloud: PointCloud
    checkpoint: str  # that was used
    scene: str  # what the cloud was taken for: an object or a room
    up: str  # which of its axes
    unit: str | None  # None for an object of any unit

    @property
    def words(self) -> list[str]:
        """Give each point's label in words."""
        return [self.names[each] if each >= 0 else UNKNOWN_NAME for each in self.labels.tolist()]

    def save(self, path: str | Path) -> None:
        """Write a .ply of coloured points with their labels, or an .npz with labels, names, scores and superpoints."""
        path = Path(path)
        path.write_bytes(choose("kind of file", path.suffix.lower(), {".ply": self._ply, ".npz": self._npz})())

    def _ply(self) -> bytes:
        return labels_ply(self.cloud, _array(self.labels), _array(self.superpoints), colors_of_names(self.names))

    def _npz(self) -> bytes:
        return _npz(
            labels=_array(self.labels).astype(np.int32),
            names=np.array(self.names),
            scores=_array(self.scores).astype(np.float16),
            superpoints=_array(self.superpoints).astype(np.int32),
        )


@dataclass(frozen=True, eq=False)
class Classification:
    """A label for a whole cloud."""

    label: str  # the best of `names`
    names: tuple[str, ...]
    scores: Float[Array, " t"] | Float[Tensor, " t"]  # cosines; of a fine-tuned checkpoint probabilities
    checkpoint: str  # that was used
    up: str  # which of the cloud's axes

    def save(self, path: str | Path) -> None:
        """Write a .json or an .npz with the label, the names and their scores."""
        path = Path(path)
        path.write_bytes(choose("kind of file", path.suffix.lower(), {".json": self._json, ".npz": self._npz})())

    def _json(self) -> bytes:
        scores = dict(zip(self.names, self.scores.tolist(), strict=True))
        about = {"label": self.label, "scores": scores, "checkpoint": self.checkpoint}
        return (json.dumps(about, indent=2) + "\n").encode()

    def _npz(self) -> bytes:
        return _npz(label=np.array(self.label), names=np.array(self.names), scores=_array(self.scores))


@dataclass(frozen=True, eq=False)
class Detection:
    """Boxes of the things in a room, the surest first, in the coordinates, axes and unit of its points."""

    labels: Int[Array, " o"] | Int[Tensor, " o"]  # index into `names`
    names: tuple[str, ...]
    scores: Float[Array, " o"] | Float[Tensor, " o"]  # probabilities
    centers: Float[Array, "o 3"] | Float[Tensor, "o 3"]
    sizes: Float[Array, "o 3"] | Float[Tensor, "o 3"]  # width, depth and height
    yaws: Float[Array, " o"] | Float[Tensor, " o"]  # radians about up, by which the width is turned from +x
    checkpoint: str  # that was used
    up: str  # which of the cloud's axes
    unit: str | None

    @property
    def words(self) -> list[str]:
        """Give each box's label in words."""
        return [self.names[each] for each in self.labels.tolist()]

    def records(self) -> list[dict[str, Any]]:
        """Give each box as plain names and values, as `s4tok detect` writes it."""
        boxes = OrientedBoxes.of(*map(_array, (self.labels, self.centers, self.sizes, self.yaws)))
        return box_records(replace(boxes, scores=_array(self.scores)), self.names)

    def save(self, path: str | Path) -> None:
        """Write a .json with a record for each box."""
        path = Path(path)
        path.write_bytes(choose("kind of file", path.suffix.lower(), {".json": self._json})())

    def _json(self) -> bytes:
        return (json.dumps({"up": self.up, "boxes": self.records()}, indent=2) + "\n").encode()


@dataclass(frozen=True, eq=False)
class Embedding:
    """Features of a cloud's tokens, of its points and of itself, in the space of the checkpoint's texts.

    The product of a point's feature with a text's vector of unit length is the cosine that `segment` compares; of
    the whole, the one that `classify` compares.
    """

    tokens: Float[Array, "m d"] | Float[Tensor, "m d"]  # as the encoder puts them out; lengths are not 1
    centers: Float[Array, "m 3"] | Float[Tensor, "m 3"]  # where each token stands, in the coordinates of the points
    points: Float[Array, "n d"] | Float[Tensor, "n d"]  # unit length, or the mean of such where windows overlap
    superpoints: Int[Array, " n"] | Int[Tensor, " n"]
    whole: Float[Array, " d"] | Float[Tensor, " d"]  # unit length
    checkpoint: str  # that was used
    scene: str  # what the cloud was taken for: an object or a room

    def of_superpoints(self) -> Float[Array, "s d"]:
        """Give the mean feature of each superpoint's points, with which `segment --pool` labels them."""
        return superpoint_means(_array(self.points), _array(self.superpoints))

    def arrays(self, *, each_point: bool = False) -> dict[str, Array]:
        """Give what is kept of it: of points their superpoints' features, and their own where that is asked for.

        A feature of each point takes a kilobyte a point at ViT-B/16's width; superpoints are a hundred times fewer.
        """
        own = {"points": _array(self.points).astype(np.float16)} if each_point else {}
        return {
            "tokens": _array(self.tokens).astype(np.float16),
            "centers": _array(self.centers),
            "features": self.of_superpoints().astype(np.float16),
            "superpoints": _array(self.superpoints).astype(np.int32),
            "whole": _array(self.whole).astype(np.float16),
            **own,
        }

    def save(self, path: str | Path, *, each_point: bool = False) -> None:
        """Write an .npz of `arrays`: `features[superpoints]` has a row for each point."""
        path = Path(path)
        path.write_bytes(choose("kind of file", path.suffix.lower(), {".npz": self.npz})(each_point=each_point))

    def npz(self, *, each_point: bool = False, **more: Array) -> bytes:
        """Give the bytes of that file, with more arrays in it."""
        return _npz(**self.arrays(each_point=each_point), **more)


def to_kind(result: Any, device: torch.device | None) -> Any:
    """Turn an array, or all arrays of a result, into tensors on a device; None leaves them arrays."""
    if device is None:
        return result
    if isinstance(result, np.ndarray):
        return torch.from_numpy(result).to(device)
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    arrays = {name: to_kind(each, device) for name, each in values.items() if isinstance(each, np.ndarray)}
    return replace(result, **arrays)


def _array(values: Array | Tensor) -> Array:
    return values.cpu().numpy() if isinstance(values, Tensor) else values


def _npz(**arrays: Array) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
