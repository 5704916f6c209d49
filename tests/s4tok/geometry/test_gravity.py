import numpy as np
import pytest

from s4tok.geometry.gravity import DIRECTIONS, measured, up_cues, up_odds
from s4tok.shapes import Array


def table(rng: np.random.Generator) -> Array:
    """A plate on four legs, z up."""
    top = rng.uniform([-1, -0.5, 0.70], [1, 0.5, 0.74], (3000, 3))
    legs = rng.uniform([-0.03, -0.03, 0], [0.03, 0.03, 0.7], (1600, 3))
    legs[:, :2] += np.array([[x, y] for x in (-0.95, 0.95) for y in (-0.45, 0.45)])[np.arange(1600) % 4]
    both: Array = np.concatenate([top, legs])
    return both


def test_a_table_stands_on_its_legs_whichever_axis_they_are_along() -> None:
    xyz = table(np.random.default_rng(0))
    for number, axis in ((2, [0, 1, 2]), (1, [0, 2, 1]), (0, [2, 1, 0])):
        odds = up_odds(measured(xyz[:, axis]))
        assert odds.argmax() == number == DIRECTIONS.index((number, 1))
        assert np.exp(odds).sum() == pytest.approx(1)
        assert up_odds(measured(-xyz[:, axis])).argmax() == 3 + number


def test_cues_know_no_unit_and_no_place() -> None:
    xyz = table(np.random.default_rng(1))
    here, there = up_cues(measured(xyz)), up_cues(measured(xyz * 1000 + [4e5, 5e6, 90]))
    np.testing.assert_allclose(here, there, atol=1e-6)


@pytest.mark.parametrize(
    "xyz",
    [
        np.zeros((2, 3)),
        np.eye(3),
        np.tile([1.0, 2.0, 3.0], (50, 1)),
        np.outer(np.arange(60.0), [1, 0, 0]),
        np.c_[np.random.default_rng(0).random((90, 2)), np.zeros(90)],
    ],
    ids=["two points in one place", "three points", "one place", "a line", "a plane"],
)
def test_what_has_no_shape_has_odds_too(xyz: Array) -> None:
    assert np.isfinite(up_odds(measured(xyz))).all()
