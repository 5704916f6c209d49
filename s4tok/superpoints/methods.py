"""The ways to cut a cloud into superpoints, by name, and the one door to all of them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from numpy.typing import ArrayLike

from s4tok.clouds import PointCloud
from s4tok.config import SuperpointConfig
from s4tok.errors import InputError, choose
from s4tok.plugins import Table
from s4tok.shapes import Array, Float64, Int32
from s4tok.superpoints import cut_pursuit, greedy, grid
from s4tok.superpoints.labels import validated
from s4tok.superpoints.representatives import represent

Cut: TypeAlias = Callable[[Float64[Array, "n 3"], SuperpointConfig, int], Int32[Array, " n"]]

# None stands for labels that somebody else has made, and that the caller hands over.
METHODS: Mapping[str, Cut | None] = Table(
    "s4tok.superpoints",
    {
        "greedy": greedy.cut,
        "cut-pursuit": cut_pursuit.cut,
        "grid": grid.cut,
        "masks": None,
        "scannet-segments": None,
        "labels": None,
    },
)


def partition(
    cloud: PointCloud,
    config: SuperpointConfig | None = None,
    *,
    given: ArrayLike | None = None,
    threads: int = 1,
) -> Int32[Array, " n"]:
    """Cut a cloud into superpoints: give each point a label from 0 .. s-1, none of them missing.

    Points that coincide, or share a voxel where the configuration has one, get one label. Every superpoint that is
    cut here holds together in the graph of each point's `config.adjacency` nearest neighbours.

    Args:
        cloud: Any unit, any offset.
        config: Objects' defaults, unless given.
        given: For the methods that take ready labels, those of this cloud's points.
        threads: Shared out over the neighbour search; they never change the result.

    Raises:
        InputError: Where given labels are missing or do not fit.
    """
    config = config or SuperpointConfig()
    method = choose("superpoint method", config.method, METHODS)
    if method is None:
        if given is None:
            raise InputError(
                f"{cloud.name}: there are no ready superpoints, which --method {config.method} takes.",
                f"cut them with --method {SuperpointConfig.method}.",
            )
        return validated(given, len(cloud), cloud.name)
    stand_ins = represent(cloud.xyz, config.voxel)
    return method(stand_ins.xyz, config, threads)[stand_ins.of]
