import numpy as np
import pytest
import torch

from s4tok.geometry.box_fit import fitted_box
from s4tok.geometry.boxes import iou_3d


@pytest.mark.parametrize("yaw", [0.0, 0.4, 1.2, -0.7, 2.9])
def test_the_box_of_points_in_a_turned_box_is_that_box(yaw: float) -> None:
    draw = np.random.default_rng(0)
    own = draw.uniform(-0.5, 0.5, (6000, 3)) * [2.0, 0.8, 1.1]
    cosine, sine = np.cos(yaw), np.sin(yaw)
    there = own @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]).T + [5, -3, 1]
    true = torch.tensor([[5, -3, 1, 2.0, 0.8, 1.1, yaw]])
    assert float(iou_3d(torch.from_numpy(fitted_box(there)[None]), true)) > 0.95


def test_one_point_and_points_on_a_line_have_flat_boxes() -> None:
    assert fitted_box(np.ones((1, 3))).tolist() == [1, 1, 1, 0, 0, 0, 0]
    line = np.linspace(0, 1, 50)[:, None] * np.array([[1.0, 1.0, 0.0]])
    found = fitted_box(line)
    assert np.isfinite(found).all()
    assert max(found[3:6]) == pytest.approx(2**0.5)
