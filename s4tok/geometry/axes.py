"""Which way is up."""

import torch
from torch import Tensor

from s4tok.shapes import Float64


def upright(axis: str) -> Float64[Tensor, "3 3"]:
    """Give the rotation that turns a cloud whose `axis` is up into one whose +Y is up, keeping it right-handed."""
    order = {"x": (2, 0, 1), "y": (0, 1, 2), "z": (0, 2, 1)}[axis]
    turn = torch.eye(3, dtype=torch.float64)[list(order)]
    if torch.det(turn) < 0:
        turn[2] *= -1
    return turn
