"""A cloud, encoded window by window: tokens of a sample of each, and what these say of all its points."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from s4tok.models.labelling_model import LabellingModel
from s4tok.models.model import Model
from s4tok.shapes import Array, Float, Float32, Float64, Int
from s4tok.superpoints.samples import Sample, sample, to_y_up
from s4tok.zero_shot.windows import Window, proposals, windows

Encoder: TypeAlias = Model | LabellingModel  # the features of the latter are probabilities of classes
POINTS_AT_ONCE = 2**15  # whose features are held in memory together


class Looking(NamedTuple):
    """How a cloud is cut into windows, and how many points of each are sampled."""

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


class EncodedWindow(NamedTuple):
    """A window, and the tokens of a sample of its points."""

    which: Int[Array, " k"]  # of the cloud's points
    weight: Float64[Array, " k"]  # in the mean over windows
    points: Float32[Array, "k 3"]  # as `to_y_up` turns the window
    superpoints: Int[Array, " k"]  # of the sample
    found: Any  # of the sample, a batch of one: `CloudFeatures`, or what a head reads


def encode_windows(
    model: Encoder,
    xyz: Float[Array, "n 3"],
    superpoints: Int[Array, " n"],
    looking: Looking,
    *,
    seed: int,
    up: str = "y",
    features: Float32[Array, "n e"] | None = None,
) -> Iterator[EncodedWindow]:
    """Sample points of each window and encode them; `features` are the points' colours and normals."""
    for number, window in enumerate(looking.windows_of(xyz, superpoints, up)):
        part, labels = xyz[window.which], superpoints[window.which]
        drawn = sample(part, labels, looking.n_points, seed ^ number, up)
        found = model(
            _batch(drawn.points, model),
            _batch(drawn.superpoints, model),
            features=None if features is None else _batch(features[window.which][drawn.index], model),
            seeds=torch.tensor([seed ^ number], device=model.device),
        )
        home = superpoints_in_sample(labels, drawn)
        yield EncodedWindow(window.which, window.weight, to_y_up(part, up), home, found)


def mean_over_windows(
    model: Encoder,
    n_points: int,
    encoded: Iterable[EncodedWindow],
    values: Callable[[Float[Tensor, "k d"]], Float[Tensor, "k c"]],
    width: int,
) -> Float32[Array, "n c"]:
    """Give each point the mean, over its windows, of a function of its feature there.

    What a window's tokens say reaches all its points through their superpoints (eq. 4). It weighs less towards the
    window's border, so that neighbours pass into one another.

    Args:
        model: It encoded the windows.
        n_points: Of the whole cloud.
        encoded: Its windows, which hold every point.
        values: Of features, for example their cosines with some texts.
        width: How many values a point has.
    """
    total = np.zeros((n_points, width), np.float32)
    weights = np.zeros(n_points)
    for window in encoded:
        for start in range(0, len(window.which), POINTS_AT_ONCE):
            run = slice(start, start + POINTS_AT_ONCE)
            points, home = _batch(window.points[run], model), _batch(window.superpoints[run], model)
            of_points = values(model.of_points(window.found, points, home)[0].float()).cpu().numpy()
            total[window.which[run]] += window.weight[run, None].astype(np.float32) * of_points
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


def _batch(array: Array, model: Encoder) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(model.device)[None]
