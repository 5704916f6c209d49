import numpy as np
import pytest

from s4tok.synthetic.objects import areas, crossed
from s4tok.synthetic.outlines import curve, rounded_path, rounded_rectangle, superellipse
from s4tok.synthetic.solids import (
    Solid,
    bowl,
    box,
    cylinder,
    ellipsoid,
    joined,
    laid,
    plate,
    revolve,
    rod,
    sheet,
    standing,
    tube,
)


def volume(solid: Solid) -> float:
    a, b, c = (solid.vertices[solid.faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def flat_sheet(thickness: float) -> Solid:
    x, z = np.meshgrid(np.linspace(0, 2, 5), np.linspace(3, 0, 7), indexing="ij")
    return sheet(np.stack([x, 0 * x, z], -1), thickness)


@pytest.mark.parametrize(
    ("solid", "expected", "tolerance"),
    [
        (box((1, 2, 3)), 6.0, 1e-9),
        (box((1, 2, 3), (5, 5, 5), soft=0.01), 6.0, 0.01),
        (standing(1, 2, 3), 6.0, 1e-9),
        (box((2, 2, 2), soft=1.0), 4 / 3 * np.pi, 0.15),  # nothing is left but the rounding: a ball
        (ellipsoid((2, 4, 6)), 4 / 3 * np.pi * 6, 0.03),
        (cylinder(1, 2), 2 * np.pi, 0.01),
        (cylinder(1, 3, top=1e-6), np.pi, 0.01),  # a cone
        (revolve([(0, 0), (1, 0), (1, 1), (0, 1)]), np.pi, 0.01),
        (revolve([(2, 0), (3, 0), (3, 1), (2, 1), (2, 0)], open_ended=True), 5 * np.pi, 0.01),  # a pipe
        (bowl(np.array([[1.0, 0], [1, 0.5], [1, 1]]), 0.2, 0.2), np.pi * (1 - 0.64 * 0.8), 0.02),
        (rod((0, 0, 0), (0, 3, 4), 0.2), np.pi * 0.01 * 5, 0.06),
        (tube(curve([(0, 0, 0), (1, 0.0, 0), (2, 0, 0)]), 0.2), np.pi * 0.01 * 2, 0.06),
        (plate(rounded_rectangle(2, 3, 0.0), 0.5), 3.0, 1e-6),
        (plate(rounded_rectangle(2, 3, 0.2), 0.5, soft=0.05), 3.0, 0.05),
        (plate(superellipse(64), 0.5, bow=0.3), np.pi * 0.5, 0.02),  # bending shears, and keeps the volume
        (flat_sheet(0.1), 0.6, 1e-9),
    ],
)
def test_a_solid_is_closed_looks_outward_and_has_the_volume_its_measures_say(
    solid: Solid, expected: float, tolerance: float
) -> None:
    assert volume(solid) == pytest.approx(expected, rel=tolerance)
    assert np.abs(crossed(solid.vertices, solid.faces).sum(0)).max() < 1e-9 * areas(solid.vertices, solid.faces).sum()


def test_moving_turning_and_mirroring_keep_a_solid_whole() -> None:
    solid = cylinder(0.3, 1.0, soft=0.05)
    for other in (
        solid.moved(1, 2, 3),
        solid.turned("x", 0.7),
        solid.turned("z", 2.0, (1, 1, 1)),
        solid.stretched(x=-1),
        solid.stretched(z=2, x=0.5),
    ):
        assert volume(other) == pytest.approx(volume(solid), rel=1e-9)


def test_turns_are_right_handed() -> None:
    solid = Solid(np.eye(3), np.array([[0, 1, 2]]))
    np.testing.assert_allclose(solid.turned("x", np.pi / 2).vertices, [[1, 0, 0], [0, 0, 1], [0, -1, 0]], atol=1e-12)
    np.testing.assert_allclose(solid.turned("y", np.pi / 2).vertices, [[0, 0, -1], [0, 1, 0], [1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(solid.turned("z", np.pi / 2).vertices, [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], atol=1e-12)


def test_a_curve_meets_its_knots_and_a_rounded_path_its_ends() -> None:
    knots = np.array([(0.0, 0), (1, 2), (3, 1), (4, 4)])
    np.testing.assert_allclose(curve(knots, 7)[::2], knots, atol=1e-12)
    assert len(curve(knots, 12, closed=True)) == 12
    path = rounded_path([(0, 0, 0), (1, 0, 0), (1, 1, 0)])
    np.testing.assert_array_equal(path[[0, -1]], [(0, 0, 0), (1, 1, 0)])
    assert path[:, 0].max() < 1 + 1e-12


def test_an_object_laid_down_rests_on_the_floor_over_the_origin() -> None:
    whole = joined(
        [solid for _, solid in laid([("a", box((1, 2, 3), (4, 5, 6))), ("b", rod((0, 0, 0), (1, 1, 1), 0.1))], "x", 1)]
    )
    low, high = whole.vertices.min(0), whole.vertices.max(0)
    assert low[1] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose((low + high)[[0, 2]], 0, atol=1e-12)
