import numpy as np
import pytest

from s4tok.shapes import Array
from s4tok.synthetic.lighting import Light, Lighting

LAMP = Lighting((Light((0.0, 0.0, 2.0), 0.8, 1.0, (1.0, 0.8, 0.6)),), ambient=0.3, exposure=1.0)
UP, DOWN, SIDE = (np.array([axis], float) for axis in ([0, 0, 1], [0, 0, -1], [1, 0, 0]))
WHITE = np.ones((1, 3))


def brightness(x: float, normal: Array) -> float:
    return float(LAMP.shade(WHITE, np.array([[x, 0.0, 0.0]]), normal).mean())


def test_light_falls_with_distance_and_with_turning_away() -> None:
    assert brightness(0, UP) > brightness(1, UP) > brightness(3, UP) > 0.3
    assert brightness(0, UP) > brightness(0, SIDE) > brightness(0, DOWN)


def test_a_surface_right_before_a_lamp_gets_its_strength_in_its_colour() -> None:
    place = np.array([[0.0, 0.0, 1.0]])  # one reach away: a quarter
    gain = LAMP.shade(WHITE, place, UP) - Lighting((), 0.3, 1.0).shade(WHITE, place, UP)
    np.testing.assert_allclose(gain[0], 0.2 * np.array([1.0, 0.8, 0.6]))
    assert Lighting((), 0.3, 2.0).shade(WHITE / 2, place, SIDE).mean() == pytest.approx(0.3)
