"""Clouds as a Python user has them: arrays or tensors, one or several, checked as a file would be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias, TypedDict, TypeVar

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from s4tok.clouds import PointCloud
from s4tok.config import Scene
from s4tok.errors import InputError, choose
from s4tok.geometry.placement import Said
from s4tok.inference.results import to_kind
from s4tok.shapes import Array, Int32
from s4tok.superpoints.labels import validated

Points: TypeAlias = Array | Tensor | PointCloud  # (n, 3)
PerPoint: TypeAlias = ArrayLike | Tensor  # one row a point
Result = TypeVar("Result")


class Given(TypedDict, total=False):
    """What may be said of clouds beside their points; of several clouds, lists where there is something a point."""

    superpoints: PerPoint | Sequence[PerPoint | None] | None  # (n,) whole numbers of any value; cut where None
    color: PerPoint | Sequence[PerPoint | None] | None  # (n, 3), for checkpoints that read colours
    normals: PerPoint | Sequence[PerPoint | None] | None  # (n, 3), for checkpoints that read normals
    up: str | None  # the axis that points up, "x", "y" or "z"; by the cloud's shape where None or "auto"
    unit: str | None  # "m", "cm", "mm" or "inch"; by the size where None or "auto"
    scene: Scene | None  # "object" or "room"; by shape and size where None


class Cloud(NamedTuple):
    """A checked cloud as it came, and what is known of it."""

    cloud: PointCloud
    superpoints: Int32[Array, " n"] | None
    said: Said
    device: torch.device | None  # of its points, where they were a tensor


def is_several(points: object) -> bool:
    """Tell a list of clouds from one cloud; rows of numbers are one."""
    if not isinstance(points, list | tuple):
        return False
    return any(isinstance(each, PointCloud) or getattr(each, "ndim", 1) > 1 for each in points)


def for_each(points: Any, given: Given, one: Callable[[Cloud], Result]) -> Result | list[Result]:
    """Apply a function to a cloud, or to each of several, which are all checked before the first is touched."""
    for name in given:
        choose("argument", name, Given.__annotations__)
    clouds = list(_clouds(points, given))
    results: list[Result] = [to_kind(one(cloud), cloud.device) for cloud in clouds]
    return results if is_several(points) else results[0]


def _clouds(points: Any, given: Given) -> Iterator[Cloud]:
    said = Said.of(given.get("up"), given.get("unit"), given.get("scene"))
    if not is_several(points):
        row = [given.get(name) for name in ("superpoints", "color", "normals")]
        yield _cloud(points, "points", row, said)
        return
    columns = [_column(given.get(name), name, len(points)) for name in ("superpoints", "color", "normals")]
    for number, (each, *row) in enumerate(zip(points, *columns, strict=True)):
        yield _cloud(each, f"points[{number}]", row, said)


def _cloud(points: Any, name: str, per_point: Sequence[Any], said: Said) -> Cloud:
    superpoints, color, normals = map(_array, per_point)
    if isinstance(points, PointCloud):
        if color is not None or normals is not None:
            raise InputError(f"{name}: colours and normals of a PointCloud are its own.", "leave them out.")
        cloud = points.source or points
    else:
        # Messages call it by its place; what is drawn of it must not depend on that.
        named = PointCloud.of(_array(points), name=name, color=color, normals=normals)
        cloud = replace(named, name=PointCloud.name)
    labels = None if superpoints is None else validated(superpoints, len(cloud), name)
    return Cloud(cloud, labels, said, points.device if isinstance(points, Tensor) else None)


def _column(values: Any, name: str, count: int) -> Sequence[Any]:
    if values is None:
        return [None] * count
    if not isinstance(values, list | tuple) or len(values) != count:
        raise InputError(f"of {count} clouds, {name} must be a list of {count}.", "None stands for a cloud without.")
    return values


def _array(values: Any) -> Any:
    """Take a tensor's values as an array; bfloat16 has none of its kind."""
    if not isinstance(values, Tensor):
        return values
    values = values.detach().cpu()
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
