import torch

from s4tok.rendering.cameras import look, ten_views

# Axes of the ten views as worked out from the published rotations: towards the camera, down, right.
TABLE = [
    ((0.664, 0.342, 0.664), (0.242, -0.940, 0.242), (0.707, 0, -0.707)),
    ((0.664, 0.342, -0.664), (0.242, -0.940, -0.242), (-0.707, 0, -0.707)),
    ((-0.664, 0.342, -0.664), (-0.242, -0.940, -0.242), (-0.707, 0, 0.707)),
    ((-0.664, 0.342, 0.664), (-0.242, -0.940, 0.242), (0.707, 0, 0.707)),
    ((0, 0.342, 0.940), (0, -0.940, 0.342), (1, 0, 0)),
    ((0.940, 0.342, 0), (0.342, -0.940, 0), (0, 0, -1)),
    ((0, 0.342, -0.940), (0, -0.940, -0.342), (-1, 0, 0)),
    ((-0.940, 0.342, 0), (-0.342, -0.940, 0), (0, 0, 1)),
    ((0.203, -0.957, 0.208), (0.043, -0.203, -0.978), (0.978, 0.208, 0)),
    ((0.203, 0.957, -0.208), (0.043, 0.203, 0.978), (0.978, -0.208, 0)),
]


def test_the_ten_views_are_those_of_the_release() -> None:
    for view, (towards, down, right) in zip(ten_views(), TABLE, strict=True):
        expected = torch.tensor([down, right, towards], dtype=torch.float64)
        torch.testing.assert_close(view, expected, atol=6e-4, rtol=0)


def test_each_view_is_a_rotation() -> None:
    views = ten_views()
    torch.testing.assert_close(views @ views.mT, torch.eye(3, dtype=torch.float64).expand(10, 3, 3))
    torch.testing.assert_close(torch.det(views), torch.ones(10, dtype=torch.float64))


def test_a_point_higher_up_is_drawn_further_up() -> None:
    top, bottom = look(torch.tensor([[0.0, 1, 0], [0, -1, 0]]), ten_views()[:8])[..., 0].unbind(-1)
    assert (top < bottom).all()
