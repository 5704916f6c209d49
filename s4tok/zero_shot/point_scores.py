"""Words for every point of a cloud: from tokens of a sample back to all points, window by window."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from s4tok.errors import InputError
from s4tok.models.model import Model
from s4tok.shapes import Array, Bool, Float, Float32, Int
from s4tok.superpoints.samples import Sample, sample, to_y_up
from s4tok.zero_shot import classifier as zero_shot
from s4tok.zero_shot.windows import Window, proposals, windows

POINTS_AT_ONCE = 2**15  # whose features are held in memory together


class Looking(NamedTuple):
    """How a cloud is encoded."""

    n_points: int  # sampled of each window
    window: float  # side of a window in the cloud's unit; 0 for the cloud as a whole
    overlap: float
    smallest: int  # points of a window at least
    windows: Literal["columns", "superpoints"] = "columns"
    gap: float = 0.0  # of windows from superpoints, as of `proposals`
    large: float = 0.0  # as above

    def windows_of(self, xyz: Float[Array, "n 3"], superpoints: Int[Array, " n"], up: str) -> Iterator[Window]:
        """Cut a cloud into windows."""
        if self.windows == "superpoints":
            return proposals(xyz, superpoints, self.gap, self.large, self.smallest)
        return windows(xyz, up, self.window, self.overlap, self.smallest)


@torch.inference_mode()
def score_points(
    model: Model,
    xyz: Float[Array, "n 3"],
    superpoints: Int[Array, " n"],
    classes: Float[Tensor, "t d"],
    looking: Looking,
    *,
    seed: int,
    up: str = "y",
    features: Float32[Array, "n e"] | None = None,
) -> Float32[Array, "n t"]:
    """Say of every point how near it is to each class: the cosine, averaged where windows overlap.

    Of each window some points are sampled and become tokens; what these say reaches all its points through their
    superpoints (eq. 4). A window's word weighs less towards its border, so that neighbours pass into one another.
    The mean cosine ranks classes as the cosine of the mean of unit features would, and no feature has to be kept.
    `features` are colours and normals of the points, for a model that reads them.
    """
    total = np.zeros((len(xyz), len(classes)), np.float32)
    weights = np.zeros(len(xyz))
    for number, window in enumerate(looking.windows_of(xyz, superpoints, up)):
        part, labels = xyz[window.which], superpoints[window.which]
        drawn = sample(part, labels, looking.n_points, seed ^ number, up)
        home = superpoints_in_sample(labels, drawn)
        points = to_y_up(part, up)
        found = model(
            _batch(drawn.points, model),
            _batch(drawn.superpoints, model),
            features=None if features is None else _batch(features[window.which][drawn.index], model),
            seeds=torch.tensor([seed ^ number], device=model.clip.device),
        )
        for start in range(0, len(points), POINTS_AT_ONCE):
            run = slice(start, start + POINTS_AT_ONCE)
            vectors = model.of_points(found, _batch(points[run], model), _batch(home[run], model))[0]
            cosines = zero_shot.cosines(vectors.float(), classes).cpu().numpy()
            total[window.which[run]] += window.weight[run, None].astype(np.float32) * cosines
        weights[window.which] += window.weight
    total /= weights[:, None].astype(np.float32)
    return total


def superpoints_in_sample(labels: Int[Array, " n"], drawn: Sample) -> Int[Array, " n"]:
    """Give every point its superpoint of the sample; one that no sampled point is of gets a number of its own.

    Where a superpoint of the sample holds no token, or there is none, the nearest tokens speak for its points.
    """
    table = np.full(int(labels.max()) + 1, -1)
    table[drawn.original] = drawn.superpoints
    unsampled = np.flatnonzero(table < 0)
    table[unsampled] = int(drawn.superpoints.max()) + 1 + np.arange(len(unsampled))
    of_points: Array = table[labels]
    return of_points


def vision_scores(
    features: Float[Array, "s d"],
    is_seen: Bool[Array, " s"],
    xyz: Float[Array, "n 3"],
    superpoints: Int[Array, " n"],
    classes: Float[Tensor, "t d"],
) -> Float32[Array, "n t"]:
    """Score points by the 2D features of their superpoints; for one that no view has seen, the nearest that has one."""
    if not is_seen.any():
        raise InputError("no view has seen any of its superpoints.", "draw other views: s4tok render-views.")
    sizes = np.bincount(superpoints, minlength=len(features))
    sums = np.stack([np.bincount(superpoints, axis, len(features)) for axis in xyz.T], axis=1)
    middles = sums / np.maximum(sizes, 1)[:, None]
    seen = np.flatnonzero(is_seen)
    speaker = seen[KDTree(middles[seen]).query(middles)[1]]
    speaker[seen] = seen
    table = torch.from_numpy(features.astype(np.float32)).to(classes.device)
    scores: Array = zero_shot.cosines(table, classes).cpu().numpy()[speaker][superpoints]
    return scores


def _batch(array: Array, model: Model) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(model.clip.device)[None]
