"""Pictures of clouds: what hides a room from above is left out, and nothing of an object is."""

from typing import Literal

import numpy as np
import pytest

from s4tok.rendering.picture import draw

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
