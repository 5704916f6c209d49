import numpy as np
import pytest

from s4tok.geometry import estimate_normals, neighbor_graph, normals_of, orient, outer_products, second_moments
from s4tok.shapes import Array


def sphere(n: int, seed: int = 0) -> Array:
    points = np.random.default_rng(seed).normal(size=(n, 3))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_both_ways_to_a_normal_agree_with_the_surface_and_with_each_other(unit: float) -> None:
    truth = sphere(4000)
    points = truth * unit
    ours = normals_of(second_moments(points, points, 30))
    theirs = estimate_normals(points)
    for one, other in ((ours, theirs), (ours, truth), (theirs, truth)):
        angle = np.degrees(np.arccos(np.abs(np.einsum("ni,ni->n", one, other)).clip(max=1)))
        assert np.mean(angle < 5) >= 0.99


def test_the_outer_product_forgets_the_sign_and_keeps_the_angle() -> None:
    one, other = sphere(100), sphere(100, seed=1)
    np.testing.assert_array_equal(outer_products(one), outer_products(-one))
    between = np.linalg.norm(outer_products(one) - outer_products(other), axis=1)
    matrices = one[:, :, None] * one[:, None] - other[:, :, None] * other[:, None]
    np.testing.assert_allclose(between, np.linalg.norm(matrices, axis=(1, 2)))
    np.testing.assert_allclose(np.linalg.norm(outer_products(one), axis=1), 1)


def test_oriented_normals_of_a_ball_all_point_out_or_all_point_in() -> None:
    points = sphere(1500)
    flips = np.random.default_rng(2).choice([-1.0, 1.0], (1500, 1))
    turned = orient(points * flips, neighbor_graph(points, 8))
    outward = np.einsum("ni,ni->n", turned, points) > 0
    assert outward.all() or not outward.any()


def test_each_island_is_oriented_within_itself() -> None:
    points = np.concatenate([sphere(300), sphere(300, seed=1) + [10, 0, 0]])
    true_normals = np.concatenate([points[:300], points[300:] - [10, 0, 0]])
    flips = np.random.default_rng(2).choice([-1.0, 1.0], (600, 1))
    turned = orient(true_normals * flips, neighbor_graph(points, 8))
    agree = np.einsum("ni,ni->n", turned, true_normals) > 0
    for island in (agree[:300], agree[300:]):
        assert island.all() or not island.any()
