"""Superpoints by a grid of cubes: no geometry, no native code; what every better way has to beat."""

import numpy as np

from s4tok.config import SuperpointConfig
from s4tok.geometry import Graph, neighbor_graph
from s4tok.shapes import Array, Float, Float64, Int, Int32
from s4tok.superpoints.labels import connected, dense

HALVINGS = 40


def cut(xyz: Float64[Array, "n 3"], config: SuperpointConfig, threads: int = 1) -> Int32[Array, " n"]:
    """Cut points, no two of them the same, along a grid of about `config.grid_cells` occupied cubes."""
    if len(xyz) == 1:
        return np.zeros(1, np.int32)
    graph: Graph = neighbor_graph(xyz, config.adjacency, threads)
    return connected(grid_of(xyz, config.grid_cells), graph)


def grid_of(xyz: Float[Array, "n 3"], cells: int) -> Int32[Array, " n"]:
    """Give each point its cube, of the finest grid with at most so many occupied."""
    points = xyz - xyz.min(axis=0)
    extent = float(points.max()) or 1.0
    low, high = extent / 1024, 2 * extent  # the edge of a cube; the larger holds everything
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        if len(np.unique(_cubes(points, middle))) > cells:
            low = middle
        else:
            high = middle
    return dense(_cubes(points, high))


def _cubes(points: Float[Array, "n 3"], edge: float) -> Int[Array, " n"]:
    x, y, z = np.floor(points / edge).astype(np.int64).T
    cubes: Array = (x * 2048 + y) * 2048 + z
    return cubes
