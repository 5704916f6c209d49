"""Values of points in the rows of their file: an organised cloud has rows that are no points."""

import numpy as np

from s4tok.shapes import Array, Bool


def in_file_rows(values: Array, present: Bool[Array, " r"] | None, hole: float = -1) -> Array:
    """Put each point's values where its row is; rows without a point get `hole`."""
    if present is None:
        return values
    rows = np.full((len(present), *values.shape[1:]), hole, values.dtype)
    rows[present] = values
    return rows


def out_of_file_rows(values: Array, present: Bool[Array, " r"] | None) -> Array:
    """Take points' values out of those of all rows; what has as many as there are points stays as it is."""
    return values if present is None or len(values) != len(present) else values[present]
