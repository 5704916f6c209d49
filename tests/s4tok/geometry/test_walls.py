import time

import numpy as np
import pytest

from s4tok.geometry.walls import MOST_POINTS, turn_of_walls, turned_about
from s4tok.shapes import Array, Float


def room(n: int = 4000, up: str = "z") -> Float[Array, "n 3"]:
    """Sample a floor of 5 x 4 m and two walls, and things that lie anyhow."""
    rng = np.random.default_rng(0)
    floor, walls = rng.uniform(0, [5, 4, 0], (n, 3)), rng.uniform(0, [5, 4, 2.5], (2, n, 3))
    walls[0, :, 0], walls[1, :, 1] = 0, 4
    points: Array = np.concatenate([floor, *walls, rng.uniform(1, 2, (n // 2, 3))]) + rng.normal(
        0, 0.01, (3 * n + n // 2, 3)
    )
    found: Array = points[:, [0, 2, 1]] if up == "y" else points
    return found


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("degrees", [3, 30, 44, -20, 110])
def test_walls_are_turned_back_onto_the_axes(degrees: float, up: str) -> None:
    given = turned_about(room(up=up), np.radians(degrees), up)
    found = np.degrees(turn_of_walls(given, up))
    assert (found + degrees + 45) % 90 - 45 == pytest.approx(0, abs=1)
    assert abs(found) <= 45


def test_a_room_that_lies_along_the_axes_stays_as_it_is() -> None:
    assert turn_of_walls(room(), "z") == 0
    assert turn_of_walls(room(n=MOST_POINTS), "z") == 0
    assert turn_of_walls(np.zeros((1, 3)), "z") == 0
    corner = np.random.default_rng(0).normal(size=(3000, 3))  # that has no walls
    assert abs(np.degrees(turn_of_walls(corner, "z"))) <= 45


def test_turning_keeps_heights_and_distances() -> None:
    points = room()
    found = turned_about(points, 0.5, "z")
    np.testing.assert_array_equal(found[:, 2], points[:, 2])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.linalg.norm(points, axis=1))
    np.testing.assert_allclose(turned_about(np.array([[1.0, 0, 0]]), np.pi / 2, "z"), [[0, 1, 0]], atol=1e-12)


def test_a_stray_point_far_away_costs_no_time_and_changes_nothing() -> None:
    given = turned_about(room(), np.radians(30), "z")
    far = np.concatenate([given, [[5e6, 4e6, 0]]])
    started = time.process_time()
    found = np.degrees(turn_of_walls(far, "z"))
    assert time.process_time() - started < 5
    assert (found + 30 + 45) % 90 - 45 == pytest.approx(0, abs=1)
