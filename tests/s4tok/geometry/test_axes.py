import numpy as np

from s4tok.geometry.axes import upright


def test_upright_puts_the_named_axis_up_and_keeps_the_cloud_right_handed() -> None:
    for number, axis in enumerate("xyz"):
        turn = upright(axis)
        assert (turn @ np.eye(3)[number]).tolist() == [0, 1, 0]
        assert np.linalg.det(turn) == 1
