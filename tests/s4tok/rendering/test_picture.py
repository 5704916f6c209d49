"""Pictures of clouds: what hides a room from above is left out, and nothing of an object is."""

from typing import Literal

import numpy as np
import pytest

from s4tok.rendering.picture import Lines, draw

FLOOR, CEILING = (0, 200, 0), (200, 0, 0)


@pytest.mark.parametrize(("scene", "on_top"), [("room", FLOOR), ("object", CEILING)])
@pytest.mark.parametrize("up", ["x", "y", "z"])
def test_a_ceiling_hides_an_object_and_no_room(
    scene: Literal["room", "object"], on_top: tuple[int, ...], up: str
) -> None:
    flat = np.random.default_rng(0).uniform(-2, 2, (8000, 2))
    height = np.repeat([0.0, 0.3], 4000)
    x_y_z = np.roll(np.c_[flat, height], {"x": 1, "y": 2, "z": 0}[up], axis=1)
    color = np.repeat(np.array([FLOOR, CEILING], np.uint8), 4000, axis=0)
    picture = draw(x_y_z, color, up, scene, 200)
    middle = picture[90:110, 90:110].reshape(-1, 3).astype(int)
    assert (middle.argmax(1) == int(np.argmax(on_top)))[middle.min(1) < 255].mean() > 0.9


@pytest.mark.parametrize("turn", [0, 20, 200])
def test_the_nearer_walls_of_a_room_are_left_out_and_the_farther_ones_are_not(turn: float) -> None:
    wall, floor = (0, 0, 200), (0, 200, 0)
    flat = np.random.default_rng(0).uniform(-3, 3, (6000, 2))
    upright = np.random.default_rng(1).uniform((-3, 0), (3, 2.5), (3000, 2))
    side = np.c_[upright[:, 0], np.full(3000, 3.0), upright[:, 1]]
    sides = [side[:, [0, 1, 2]] * sign for sign in ([1, 1, 1], [1, -1, 1])] + [
        side[:, [1, 0, 2]] * sign for sign in ([1, 1, 1], [-1, 1, 1])
    ]
    points = np.concatenate([np.c_[flat, np.zeros(6000)], *sides])
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    points[:, :2] @= np.array([[cosine, sine], [-sine, cosine]])
    color = np.repeat(np.array([floor, wall], np.uint8), [6000, 12000], axis=0)
    room, object_ = (draw(points, color, "z", scene, 300).astype(int) for scene in ("room", "object"))
    blue = [(picture[..., 2] > picture[..., 1]) & (picture.max(2) < 255) for picture in (room, object_)]
    assert blue[0][:120].sum() > 4000  # the farther walls
    lower = slice(160, 300)
    assert blue[0][lower].sum() < 0.4 * (room[lower].min(2) < 255).sum()
    assert blue[1][lower].sum() > 0.8 * (object_[lower].min(2) < 255).sum()


def test_a_sphere_looks_closed_and_is_lit_from_above() -> None:
    points = np.random.default_rng(0).normal(size=(3000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    picture = draw(points, np.full((3000, 3), 120, np.uint8), size=200).astype(int)
    rows, columns = np.mgrid[:200, :200] - 99.5
    inside = np.hypot(rows, columns) < 80
    assert (picture[inside].min(1) < 255).mean() > 0.998
    assert picture[(rows < -40) & inside].mean() > picture[(rows > 40) & inside].mean() + 15


def test_what_stands_before_a_wall_darkens_it_beside_itself() -> None:
    flat = np.random.default_rng(0).uniform(-1, 1, (6000, 2))
    wall, board = np.c_[flat[:, 0], np.zeros(6000), flat[:, 1]], np.c_[flat[:, 0] / 3, np.full(6000, -0.2), flat[:, 1]]
    both = draw(np.concatenate([wall, board]), np.full((12000, 3), 200, np.uint8), size=200).astype(int)
    alone = draw(wall, np.full((6000, 3), 200, np.uint8), size=200).astype(int)
    surfaces = [picture[picture.min(2) < 255] for picture in (both, alone)]
    assert np.percentile(surfaces[0], 5) < np.percentile(surfaces[1], 5) - 10


@pytest.mark.parametrize("up", ["x", "y", "z"])
def test_a_line_lies_over_the_points_between_its_ends(up: str) -> None:
    points = np.random.default_rng(0).normal(size=(3000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    grey = np.full((3000, 3), 120, np.uint8)
    axis = np.zeros(3)
    axis["xyz".index(up)] = 0.9
    line = Lines(np.array([[-axis, axis]]), np.array([[255, 0, 0]], np.uint8))
    picture = draw(points, grey, up, "object", 200, line).astype(int)
    rows, columns = np.nonzero((picture[..., 0] == 255) & (picture[..., 1] == 0))
    assert abs(columns - 100).max() <= 2  # upright, in the middle
    assert 120 < np.ptp(rows) < 170
    assert (draw(points, grey, up, "object", 200)[..., 1] > 0).all()
