"""What distillation trains on: clouds with the 2D feature of each superpoint, one by one and padded to a batch."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from s4tok.augmentations.points import Cloud, stretched
from s4tok.config import PretrainConfig, Scene
from s4tok.shapes import Array, Bool, Float, Float32, Int, Real
from s4tok.tokenizers import Patches, PointFeatures, Tokenizer

NO_TEXT = -1  # of a superpoint without label or name


class TrainingCloud(NamedTuple):
    """A cloud of the training data."""

    points: Float32[Array, "n 3"]
    superpoints: Int[Array, " n"]  # 0 .. s-1
    targets: Float[Array, "s c"]  # the 2D feature of each superpoint; zeros for one that no view has seen
    whole: Float32[Array, " c"]  # of the whole cloud, zeros where there is none
    scene: Scene
    seed: int  # of cloud and epoch
    features: Float32[Array, "n extra"] | None = None  # of points, if the tokenizer reads any
    labels: Int[Array, "s v"] | None = None  # the texts of each superpoint's class and name, -1 for none


class Batch(NamedTuple):
    """Clouds of a batch, padded to one size, with the 2D features of each."""

    points: Real[Tensor, "b n 3"]
    superpoints: Int[Tensor, "b n"]  # 0 .. s-1
    is_point: Bool[Tensor, "b n"]
    local_targets: Float[Tensor, "b s c"]  # the 2D feature of each superpoint
    is_seen: Bool[Tensor, "b s"]  # False where it is visible in no view
    global_targets: Float[Tensor, "b c"]  # the 2D feature of the whole cloud, mean of its views; zeros: there is none
    seeds: Int[Tensor, " b"]  # of each cloud and epoch: centres, patches, masks and augmentation follow it
    is_room: Bool[Tensor, " b"] | None = None  # objects where None
    features: Float[Tensor, "b n extra"] | None = None  # of points, if the tokenizer reads any
    labels: Int[Tensor, "b s v"] | None = None  # the texts of each superpoint's class and name, -1 for none

    @property
    def known_labels(self) -> Int[Tensor, "b s v"]:
        """Give the texts of each superpoint, all -1 where no cloud here has labels."""
        return self.labels if self.labels is not None else self.superpoints.new_full((*self.is_seen.shape, 1), NO_TEXT)

    def to(self, device: torch.device | str) -> "Batch":
        """Move everything to a device."""
        return self._each(lambda field: field.to(device, non_blocking=True))

    def pinned(self) -> "Batch":
        """Put everything where a GPU can fetch it from while others work."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        changed: dict[str, Any] = {}
        for name, field in self._asdict().items():
            changed[name] = None if field is None else change(field)
        return Batch(**changed)


def padded(entries: Sequence[TrainingCloud]) -> Batch:
    """Pad clouds to one size."""
    n_points, n_superpoints = max(len(each.points) for each in entries), max(len(each.targets) for each in entries)
    points = np.zeros((len(entries), n_points, 3), np.float32)
    superpoints, is_point = np.zeros((len(entries), n_points), np.int64), np.zeros((len(entries), n_points), np.bool_)
    targets = np.zeros((len(entries), n_superpoints, entries[0].targets.shape[1]), np.float32)
    known = [each.features for each in entries if each.features is not None]
    features = np.zeros((len(known), n_points, known[0].shape[1]), np.float32) if known else None
    n_texts = max((each.labels.shape[1] for each in entries if each.labels is not None), default=0)
    labels = np.full((len(entries), n_superpoints, n_texts), NO_TEXT, np.int64)
    for place, each in enumerate(entries):
        points[place, : len(each.points)], superpoints[place, : len(each.points)] = each.points, each.superpoints
        is_point[place, : len(each.points)] = True
        targets[place, : len(each.targets)] = each.targets
        if features is not None:
            features[place, : len(each.points)] = each.features
        if each.labels is not None:
            labels[place, : len(each.labels), : each.labels.shape[1]] = each.labels
    return Batch(
        points=torch.from_numpy(points),
        superpoints=torch.from_numpy(superpoints),
        is_point=torch.from_numpy(is_point),
        local_targets=torch.from_numpy(targets),
        is_seen=torch.from_numpy(_any_differs(targets)),
        global_targets=torch.from_numpy(np.stack([each.whole for each in entries])),
        is_room=torch.tensor([each.scene == "room" for each in entries]),
        seeds=torch.tensor([each.seed for each in entries]),
        features=None if features is None else torch.from_numpy(features),
        labels=torch.from_numpy(labels) if n_texts else None,
    )


def _any_differs(targets: Float32[Array, "b s c"]) -> Bool[Array, "b s"]:
    """Say which features are no zeros; most tell by their first number."""
    is_seen: Array = targets[..., 0] != 0
    is_seen[~is_seen] = targets[~is_seen].any(axis=1)
    return is_seen


def augment(batch: Batch, config: PretrainConfig, read: PointFeatures) -> Batch:
    """Stretch each cloud along its axes and shift it, by its own seed; PCP-MAE's."""
    cloud = stretched(Cloud(batch.points, batch.features, read), batch.seeds, config.scale_range, config.shift)
    return batch._replace(points=cloud.points, features=cloud.features)


def group(tokenizer: Tokenizer, batch: Batch) -> Patches:
    """Choose the patches of a batch."""
    return tokenizer.group(
        batch.points,
        batch.superpoints,
        features=batch.features,
        is_point=batch.is_point,
        seeds=batch.seeds,
        n_superpoints=batch.is_seen.shape[1],
        is_room=batch.is_room,
    )
