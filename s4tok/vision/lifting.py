"""Features of pictures, carried to the points that the pictures show and from there to superpoints.

A feature is read between the centres of the four patches around a point's pixel, bilinearly, as PointCLIP V2 reads
its logits. A point's feature is the mean over the views that see it; a superpoint's is the mean over its points, each
weighted by how many views see it. Together that is the plain mean over all pairs of a point and a view that sees it,
and so it is computed: as sums that can be taken view by view, and one division at the end.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.shapes import Bool, Float, Int

ROWS_AT_ONCE = 2**14  # features of points in memory together, where the largest are taken


class Lifted(NamedTuple):
    """Sums over the pairs of a point and a view that sees it; those of more views can be added."""

    total: Float[Tensor, "s d"]
    pairs: Int[Tensor, " s"]

    def plus(self, other: "Lifted") -> "Lifted":
        """Add the sums of other views."""
        return Lifted(self.total + other.total, self.pairs + other.pairs)

    def feature(self) -> Float[Tensor, "s d"]:
        """Give the mean feature as a vector of unit length, or zero where no view sees anything."""
        return functional.normalize(self.total, dim=-1)


class Highest(NamedTuple):
    """The largest of each number over pairs of a point and a view that sees it; those of more views can be added."""

    values: Float[Tensor, "s d"]  # minus infinity where there is no pair
    pairs: Int[Tensor, " s"]

    def plus(self, other: "Highest") -> "Highest":
        """Take those of other views in."""
        return Highest(torch.maximum(self.values, other.values), self.pairs + other.pairs)

    def feature(self) -> Float[Tensor, "s d"]:
        """Give the largest numbers as a vector of unit length, or zero where no view sees anything."""
        return functional.normalize(self.values.where(self.pairs[:, None] > 0, 0), dim=-1)


def lift(
    patches: Float[Tensor, "v gh gw d"],
    pixels: Int[Tensor, "v n 2"],
    visible: Bool[Tensor, "v n"],
    labels: Int[Tensor, " n"],
    n_superpoints: int,
    size: int,
) -> Lifted:
    """Sum the features of each superpoint's points over the views that see them.

    `pixels` are rows and columns in pictures `size` pixels square. With `labels` 0 .. n-1 every point is a superpoint
    of its own.
    """
    view, point = visible.nonzero(as_tuple=True)
    of = labels[point]
    v, gh, gw, _ = patches.shape
    places, weights = [], []
    for row, row_weight in _neighbours(pixels[view, point, 0], size, gh):
        for column, column_weight in _neighbours(pixels[view, point, 1], size, gw):
            places.append(torch.stack([of, (view * gh + row) * gw + column]))
            weights.append(row_weight * column_weight)
    # Many points of a superpoint share a patch: the weights are added up first, and features multiplied once.
    shares = torch.sparse_coo_tensor(
        torch.cat(places, dim=1), torch.cat(weights).to(patches), (n_superpoints, v * gh * gw), check_invariants=False
    )
    total = torch.sparse.mm(shares.coalesce(), patches.flatten(0, 2))
    return Lifted(total, torch.bincount(of, minlength=n_superpoints))


def lift_highest(
    patches: Float[Tensor, "v gh gw d"],
    pixels: Int[Tensor, "v n 2"],
    visible: Bool[Tensor, "v n"],
    labels: Int[Tensor, " n"],
    n_superpoints: int,
    size: int,
) -> Highest:
    """Take the largest of each number over the points of each superpoint and the views; arguments as of `lift`."""
    view, point = visible.nonzero(as_tuple=True)
    of, (_, gh, gw, d) = labels[point], patches.shape
    values = patches.new_full((n_superpoints, d), -torch.inf)
    for run in torch.split(torch.arange(len(point), device=point.device), ROWS_AT_ONCE):
        rows = patches.new_zeros(len(run), d)
        for row, row_weight in _neighbours(pixels[view[run], point[run], 0], size, gh):
            for column, column_weight in _neighbours(pixels[view[run], point[run], 1], size, gw):
                rows += (row_weight * column_weight).to(patches)[:, None] * patches[view[run], row, column]
        values.scatter_reduce_(0, of[run, None].expand(-1, d), rows, "amax")
    return Highest(values, torch.bincount(of, minlength=n_superpoints))


def _neighbours(pixel: Int[Tensor, " p"], size: int, grid: int) -> list[tuple[Tensor, Tensor]]:
    """Give the two patches around each pixel along one axis, and their weights; at the border it is one patch."""
    place = ((pixel + 0.5) * (grid / size) - 0.5).clamp(0, grid - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=grid - 1)
    return [(low, 1 - (place - low)), (high, place - low)]


def points_at_pixels(
    pixels: Int[Tensor, "v n 2"],
    visible: Bool[Tensor, "v n"],
    nearness: Float[Tensor, "v n"],
    size: int,
) -> Int[Tensor, "v size size"]:
    """Say which visible point lies at each pixel, the nearest of several (the first of equals), -1 where none does."""
    drawn = []
    for view in range(len(pixels)):
        points = visible[view].nonzero()[:, 0]
        order = points[nearness[view, points].argsort(descending=True, stable=True)]
        place = pixels[view, order, 0] * size + pixels[view, order, 1]
        first = torch.full((size * size,), len(order), device=pixels.device)
        first.scatter_reduce_(0, place, torch.arange(len(order), device=pixels.device), "amin")
        found = torch.cat([order, order.new_tensor([-1])])[first]
        drawn.append(found.view(size, size))
    return torch.stack(drawn)
