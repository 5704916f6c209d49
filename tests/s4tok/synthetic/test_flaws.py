import numpy as np
import pytest

from s4tok.shapes import Array
from s4tok.synthetic.flaws import lost
from s4tok.synthetic.randomness import Draw

SHAPE = (80, 100)


def missed(distance: float | Array = 2.0, brightness: float = 0.6, slope: float = 0.9, seed: int = 0) -> Array:
    full = np.broadcast_to(np.asarray(distance, float), SHAPE)
    return lost(full, np.full(SHAPE, brightness), np.full(SHAPE, slope), Draw(seed))


def test_a_bright_wall_nearby_is_whole() -> None:
    assert not missed().any()


@pytest.mark.parametrize(
    ("some", "many"),
    [
        (missed(brightness=0.1), missed(brightness=0.02)),
        (missed(slope=0.15), missed(slope=0.02)),
        (missed(4.0), missed(5.5)),
    ],
    ids=["dark", "grazed", "far"],
)
def test_dark_grazed_and_far_surfaces_have_holes(some: Array, many: Array) -> None:
    assert 0 < some.mean() < many.mean() < 1


def test_a_rod_before_a_wall_is_lost_more_often_than_a_board() -> None:
    thin, broad = np.full(SHAPE, 3.0), np.full(SHAPE, 3.0)
    thin[:, 50] = 1.5
    broad[:, 30:70] = 1.5
    assert missed(thin)[:, 50].mean() > 0.3
    assert missed(broad)[:, 40:60].mean() == 0


def test_holes_come_in_patches_and_again() -> None:
    holes = missed(brightness=0.05)
    np.testing.assert_array_equal(holes, missed(brightness=0.05))
    assert (holes != missed(brightness=0.05, seed=1)).any()
    beside = (holes[:, 1:] == holes[:, :-1]).mean()
    share = holes.mean()
    assert beside > share**2 + (1 - share) ** 2 + 0.05  # more alike than pixels that know nothing of each other
