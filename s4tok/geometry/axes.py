"""Which way is up."""

import numpy as np

from s4tok.shapes import Array, Float64


def upright(axis: str) -> Float64[Array, "3 3"]:
    """Give the rotation that turns a cloud whose `axis` is up into one whose +Y is up, keeping it right-handed."""
    order = {"x": (2, 0, 1), "y": (0, 1, 2), "z": (0, 2, 1)}[axis]
    turn: Array = np.eye(3)[list(order)]
    if np.linalg.det(turn) < 0:
        turn[2] *= -1
    return turn
