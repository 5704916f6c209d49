import torch

from s4tok.geometry.axes import upright


def test_upright_puts_the_named_axis_up_and_keeps_the_cloud_right_handed() -> None:
    for number, axis in enumerate("xyz"):
        turn = upright(axis)
        up = torch.eye(3, dtype=torch.float64)[number]
        assert (turn @ up).tolist() == [0, 1, 0]
        assert torch.det(turn) == 1
