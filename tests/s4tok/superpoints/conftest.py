from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from s4tok.shapes import Array


class Labelled(NamedTuple):
    points: Array
    parts: Array


def _box(low: list[float], high: list[float], n: int, rng: np.random.Generator) -> Array:
    """Sample the six faces of a box, evenly."""
    lower, upper = np.array(low), np.array(high)
    x, y, z = upper - lower
    areas = np.array([y * z, y * z, x * z, x * z, x * y, x * y])
    face = rng.choice(6, n, p=areas / areas.sum())
    points: Array = rng.uniform(lower, upper, (n, 3))
    points[np.arange(n), face // 2] = np.where(face % 2, upper[face // 2], lower[face // 2])
    return points


def _tube(path: Array, radius: float, n: int, rng: np.random.Generator) -> Array:
    """Sample a round pipe of a path in the xz plane."""
    where = rng.uniform(0, len(path) - 1.001, n)
    step = where.astype(int)
    middle = path[step] + (where - step)[:, None] * (path[step + 1] - path[step])
    along = path[step + 1] - path[step]
    side = np.stack([-along[:, 2], np.zeros(n), along[:, 0]], axis=1)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    turn = rng.uniform(0, 2 * np.pi, n)
    across: Array = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.array([0.0, 1.0, 0.0])
    return np.asarray(middle + radius * across)


def mug(n: int, seed: int) -> Labelled:
    """Make a round wall, a bottom and a handle: two curved parts and a flat one."""
    rng = np.random.default_rng(seed)
    turn, wall = rng.uniform(0, 2 * np.pi, n // 2), np.empty((n // 2, 3))
    wall[:, 0], wall[:, 1], wall[:, 2] = np.cos(turn), np.sin(turn), rng.uniform(-1.2, 1.2, n // 2)
    turn, far = rng.uniform(0, 2 * np.pi, n // 5), np.sqrt(rng.uniform(0, 1, n // 5))
    bottom = np.stack([far * np.cos(turn), far * np.sin(turn), np.full(n // 5, -1.2)], axis=1)
    bow = np.linspace(-np.pi / 2, np.pi / 2, 40)
    path = np.stack([1.0 + 0.7 * np.cos(bow), np.zeros(40), 0.7 * np.sin(bow)], axis=1)
    handle = _tube(path, 0.12, n - n // 2 - n // 5, rng)
    parts = [wall, bottom, handle]
    return Labelled(np.concatenate(parts), np.repeat(np.arange(3), [len(part) for part in parts]))


def table(n: int, seed: int) -> Labelled:
    """Make a top and four legs."""
    rng = np.random.default_rng(seed)
    parts = [_box([-1, -0.6, 0], [1, 0.6, 0.08], n * 6 // 10, rng)]
    parts += [_box([x, y, -0.8], [x + 0.1, y + 0.1, 0], n // 10, rng) for x in (-0.95, 0.85) for y in (-0.55, 0.45)]
    return Labelled(np.concatenate(parts), np.repeat([0, 1, 1, 1, 1], [len(part) for part in parts]))


def room(n: int, seed: int) -> Labelled:
    """Make a noisy room in metres: a floor with nothing under the furniture, four walls, six boxes and a ball."""
    rng = np.random.default_rng(seed)
    shell = _box([0, 0, 0], [5, 4, 2.5], n // 2, rng)
    shell = shell[shell[:, 2] < 2.5]
    parts = [np.where(shell[:, 2] == 0, 0, 1)]
    clouds = [shell]
    for each in range(6):
        low = np.array([0.4 + 1.6 * (each % 3), 0.5 + 1.9 * (each // 3), 0.0]) + [*rng.uniform(0, 0.3, 2), 0]
        high = low + rng.uniform(0.4, 1.0, 3)
        box = _box(low.tolist(), high.tolist(), n // 16, rng)
        box = box[box[:, 2] > 0]
        under = (clouds[0][:, 2] == 0) & ((clouds[0] > low - 0.01) & (clouds[0] < high + 0.01))[:, :2].all(axis=1)
        clouds[0], parts[0] = clouds[0][~under], parts[0][~under]
        clouds.append(box)
        parts.append(np.full(len(box), 2 + each))
    ball = rng.normal(size=(n // 16, 3))
    clouds.append(0.4 * ball / np.linalg.norm(ball, axis=1, keepdims=True) + [2.5, 2.0, 1.9])
    parts.append(np.full(len(ball), 8))
    points = np.concatenate(clouds)
    return Labelled(points + rng.normal(0, 0.004, points.shape), np.concatenate(parts))


SHAPES: dict[str, Callable[[int, int], Labelled]] = {"mug": mug, "table": table, "room": room}


@pytest.fixture(scope="session")
def shape() -> Callable[..., Labelled]:
    """Make a labelled cloud: `shape("mug", 4000)`."""

    def make(name: str, n: int, seed: int = 0) -> Labelled:
        return SHAPES[name](n, seed)

    return make
