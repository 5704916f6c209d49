import numpy as np
import pytest

from s4tok.geometry import farthest_points
from s4tok.shapes import Array


def textbook(points: Array, m: int, start: int) -> list[int]:
    picked, distance = [start], np.full(len(points), np.inf)
    while len(picked) < m:
        offsets = points.astype(np.float64) - points[picked[-1]].astype(np.float64)
        x, y, z = offsets.T
        distance = np.minimum(distance, x * x + y * y + z * z)
        picked.append(int(distance.argmax()))
    return picked


def sphere(n: int) -> Array:
    points = np.random.default_rng(0).normal(size=(n, 3))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def clusters() -> Array:
    """A hundred tight heaps far apart: more than the first picks can visit."""
    rng = np.random.default_rng(1)
    return (rng.uniform(-1, 1, (100, 1, 3)) + 1e-4 * rng.normal(size=(100, 60, 3))).reshape(-1, 3)


CLOUDS = {
    "sphere": sphere(6000),
    "uneven": sphere(3000) * np.random.default_rng(2).uniform(0, 1, (3000, 1)) ** 3,
    "clusters": clusters(),
    "lattice": np.stack(np.meshgrid(*[np.arange(14.0)] * 3), axis=-1).reshape(-1, 3),  # ties everywhere
    "line": np.linspace(0, 1, 2000)[:, None] * np.array([[1.0, 2.0, 3.0]]),
    "float32": sphere(2000).astype(np.float32),
}


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("start", [0, 1234])
def test_picks_are_those_of_the_textbook_loop(name: str, start: int) -> None:
    points = CLOUDS[name]
    m = len(points) // 3
    assert farthest_points(points, m, start).tolist() == textbook(points, m, start)


def test_picks_do_not_depend_on_how_many_candidates_a_round_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = farthest_points(CLOUDS["sphere"], 2000)
    monkeypatch.setattr("s4tok.geometry.sampling.CANDIDATES", 50)
    np.testing.assert_array_equal(farthest_points(CLOUDS["sphere"], 2000), whole)


def test_fewer_picks_are_the_beginning_of_more() -> None:
    np.testing.assert_array_equal(farthest_points(CLOUDS["uneven"], 70), farthest_points(CLOUDS["uneven"], 900)[:70])


@pytest.mark.parametrize("copies", [2, 40])
def test_where_points_coincide_every_place_is_picked_before_any_twice(copies: int) -> None:
    places = sphere(100)
    picked = farthest_points(np.tile(places, (copies, 1)), 150)
    assert len(set((picked[:100] % 100).tolist())) == 100
    assert len(set(picked.tolist())) == 150


def test_more_picks_than_points_are_all_points() -> None:
    assert sorted(farthest_points(sphere(5), 9).tolist()) == [0, 1, 2, 3, 4]
    assert farthest_points(np.zeros((4, 3)), 3, start=2).tolist() == [2, 0, 1]
