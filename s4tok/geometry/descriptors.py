"""The shape of a neighbourhood: second moments of its offsets, their eigenvalues, and what these say (App. A.1)."""

from typing import TypeVar

import numpy as np

from s4tok.geometry.neighbors import nearest_in_chunks
from s4tok.shapes import Array, Float, Float64

Values = TypeVar("Values")  # NumPy's arrays or PyTorch's tensors: the formula is the same


def second_moments(
    anchors: Float[Array, "m 3"], queries: Float[Array, "n 3"], k: int, threads: int = 1
) -> Float64[Array, "n 3 3"]:
    r"""Give the second moments of the offsets from each query to its k nearest anchors, Eq. (10).

    .. math:: \bar M = \frac{1}{K} M M^T, \quad M = [q_1 - p, \dots, q_K - p]

    The paper prints :math:`M^T M`, which is K by K with the same non-zero eigenvalues. The offsets are taken from the
    query and not from the neighbours' mean, as printed.
    """
    points = anchors.astype(np.float64)
    moments = np.empty((len(queries), 3, 3))
    for rows, found in nearest_in_chunks(points, queries, k, threads):
        offsets = points[found.indices] - queries[rows, None].astype(np.float64)
        moments[rows] = offsets.swapaxes(1, 2) @ offsets / offsets.shape[1]
    return moments


def eigenvalues(moments: Float64[Array, "n 3 3"]) -> Float64[Array, "n 3"]:
    """Give the eigenvalues of symmetric matrices, largest first; rounding never makes one negative."""
    values: Array = np.linalg.eigvalsh(moments)[:, ::-1]
    return values.clip(min=0)


def normals_of(moments: Float64[Array, "n 3 3"]) -> Float64[Array, "n 3"]:
    """Give the direction in which each neighbourhood is thinnest, of either sign."""
    vectors: Array = np.linalg.eigh(moments)[1]
    return vectors[:, :, 0]


def shape_features(values: Values, sqrt: bool = False) -> tuple[Values, Values, Values]:
    r"""Say how much a neighbourhood is a line, a plane and a ball, Eq. (11).

    .. math:: \left(\frac{\lambda_1 - \lambda_2}{\lambda_1}, \frac{\lambda_2 - \lambda_3}{\lambda_1},
              \frac{\lambda_3}{\lambda_1}\right)

    With `sqrt` the square roots of the eigenvalues take their place, the convention of superpoint graphs. A
    neighbourhood of coinciding points is none of the three; the paper leaves this open.
    """
    first, second, third = (values[..., i] ** (0.5 if sqrt else 1) for i in range(3))  # type: ignore[index]
    whole = first + (first == 0)
    return (first - second) / whole, (second - third) / whole, third / whole
