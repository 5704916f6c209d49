"""Distances between batches of points, in plain arithmetic that gives the same bits whatever the batch's shape."""

from torch import Tensor

from s4tok.shapes import Float

INDEX_BITS = 32  # of an integer that orders points: the bits of a distance above those of an index


def squared_distances(one: Float[Tensor, "b p 3"], other: Float[Tensor, "b q 3"]) -> Float[Tensor, "b p q"]:
    """Measure every pair.

    Differences are squared, never |a|^2 - 2ab + |b|^2, which loses the small distances of a cloud far from zero;
    `torch.cdist` rounds differently from one shape to another, and a tie would then depend on the batch.
    """
    total = (one[:, :, None, 0] - other[:, None, :, 0]).square_()
    for axis in (1, 2):
        total += (one[:, :, None, axis] - other[:, None, :, axis]).square_()
    return total
