"""The tightest upright box around points."""

import numpy as np

from s4tok.shapes import Array, Float, Float64

TURNS = np.radians(np.arange(0, 90, 1.5))  # that are tried
TRIED_WITH = 2000  # points


def fitted_box(points: Float[Array, "n 3"]) -> Float64[Array, "7"]:
    """Give centre, size and yaw of the upright box of least ground around points, where z is up.

    The yaw lies in 0 .. 90 degrees, and is one of a few that are tried.
    """
    xyz = points.astype(np.float64)
    some = xyz[:: -(-len(xyz) // TRIED_WITH), :2]
    along = some @ np.array([np.cos(TURNS), np.sin(TURNS)])
    across = some @ np.array([-np.sin(TURNS), np.cos(TURNS)])
    yaw = float(TURNS[(np.ptp(along, axis=0) * np.ptp(across, axis=0)).argmin()])
    cosine, sine = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    own = xyz @ turn.T
    low, high = own.min(axis=0), own.max(axis=0)
    return np.concatenate([(low + high) / 2 @ turn, high - low, [yaw]])
