import numpy as np
import pytest

from s4tok.geometry import eigenvalues, farthest_points, normals_of, second_moments, shape_features
from s4tok.shapes import Array


def cloud_of(n: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(n, 3)) * [1.0, 0.6, 0.1]


def features_of(points: Array, k: int = 30, sqrt: bool = False) -> Array:
    return np.stack(shape_features(eigenvalues(second_moments(points, points, k)), sqrt), axis=1)


def rotation(seed: int = 0) -> Array:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return np.asarray(q * np.sign(np.diag(r)))


def test_features_are_those_of_a_slow_twin_in_float64() -> None:
    points = cloud_of(400).astype(np.float32)
    anchors = points[farthest_points(points, 150)]
    fast = np.stack(shape_features(eigenvalues(second_moments(anchors, points, 30))), axis=1)
    for i, point in enumerate(points.astype(np.float64)):
        around = sorted(anchors.astype(np.float64), key=lambda q: float(np.sum((q - point) ** 2)))[:30]
        matrix = sum(np.outer(q - point, q - point) for q in around) / 30
        one, two, three = sorted(np.linalg.eig(matrix)[0].real, reverse=True)
        slow = [(one - two) / one, (two - three) / one, three / one]
        np.testing.assert_allclose(fast[i], slow, atol=1e-5)


def test_a_line_a_plane_and_a_ball_are_what_they_are() -> None:
    rng = np.random.default_rng(0)
    line = np.linspace(0, 1, 50)[:, None] * [[1.0, 1.0, 0.0]]
    plane = np.stack([*np.meshgrid(np.arange(21.0), np.arange(21.0)), np.zeros((21, 21))], axis=-1).reshape(-1, 3)
    ball = rng.normal(size=(20000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    middle = np.stack(shape_features(eigenvalues(second_moments(ball, np.zeros((1, 3)), len(ball)))), axis=1)
    np.testing.assert_allclose(features_of(line)[25], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(features_of(plane, k=25)[220], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(middle[0], [0, 0, 1], atol=0.05)


@pytest.mark.parametrize("sqrt", [False, True])
def test_features_sum_to_one_and_know_neither_unit_nor_axes(sqrt: bool) -> None:
    points = cloud_of(300)
    features = features_of(points, sqrt=sqrt)
    np.testing.assert_allclose(features.sum(axis=1), 1)
    for moved in (points * 1e-6, points * 1e6, points @ rotation().T):
        np.testing.assert_allclose(features_of(moved, sqrt=sqrt), features, atol=1e-7)


def test_square_roots_are_a_switch_of_their_own() -> None:
    values = np.array([[4.0, 1.0, 0.0]])
    assert [float(v[0]) for v in shape_features(values)] == [0.75, 0.25, 0.0]
    assert [float(v[0]) for v in shape_features(values, sqrt=True)] == [0.5, 0.5, 0.0]


def test_coinciding_points_are_neither_line_nor_plane_nor_ball() -> None:
    np.testing.assert_array_equal(features_of(np.ones((5, 3))), np.zeros((5, 3)))


def test_the_thinnest_direction_of_a_tilted_plane_is_its_normal() -> None:
    plane = np.random.default_rng(0).uniform(-1, 1, (200, 3)) * [1, 1, 0]
    turn = rotation(3)
    normals = normals_of(second_moments(plane @ turn.T, plane @ turn.T, 20))
    np.testing.assert_allclose(np.abs(normals @ turn[:, 2]), 1)
