"""Where the pictures are taken from: PointCLIP V2's ten directions, orthographic."""

from math import cos, pi, sin

import torch
from torch import Tensor

from s4tok.shapes import Float, Float64

# Rotations about x, y and z, applied one after another: what places the camera, then two small tilts.
_UPRIGHT = [(k * pi / 2, 0.0, pi / 2) for k in range(4)]
_TEN = (
    *((base, (pi / 4, 0.0, 0.0), (0.0, pi / 9, 0.0)) for base in _UPRIGHT),  # 20 degrees up, at 45, 135, ...
    *((base, (0.0, 0.0, 0.0), (0.0, pi / 9, 0.0)) for base in _UPRIGHT),  # 20 degrees up, at 0, 90, ...
    ((0.0, -pi / 2, pi / 2), (pi / 15, 0.0, 0.0), (0.0, pi / 15, 0.0)),  # from below
    ((0.0, pi / 2, pi / 2), (pi / 15, 0.0, 0.0), (0.0, pi / 15, 0.0)),  # from above
)


def ten_views() -> Float64[Tensor, "v 3 3"]:
    """Give the ten views of PointCLIP V2's part segmentation, for objects whose +Y is up.

    The rows of each matrix are axes of the image in the object's frame: down (rows grow along it), right (columns
    grow along it), and towards the camera. They are orthonormal; down x right points towards the camera.
    """
    views = []
    for rotations in _TEN:
        view = torch.eye(3, dtype=torch.float64)
        for angles in rotations:
            view = _rotation(*angles) @ view
        views.append(view)
    return torch.stack(views)


def look(points: Float[Tensor, "*b n 3"], views: Float64[Tensor, "v 3 3"]) -> Float[Tensor, "*b v n 3"]:
    """Express points in each view's axes: down, right, towards the camera."""
    return torch.einsum("vij,...nj->...vni", views.to(points), points)


def _rotation(about_x: float, about_y: float, about_z: float) -> Float64[Tensor, "3 3"]:
    turn = torch.eye(3, dtype=torch.float64)
    for angle, (first, second) in ((about_z, (0, 1)), (about_y, (2, 0)), (about_x, (1, 2))):
        step = torch.eye(3, dtype=torch.float64)
        step[first, first] = step[second, second] = cos(angle)
        step[first, second], step[second, first] = -sin(angle), sin(angle)
        turn = step @ turn
    return turn
