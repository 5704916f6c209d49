import numpy as np

from s4tok.clouds import PointCloud
from tools.pages.superpoint_figure import SIZE, row


def test_truth_the_printed_form_and_the_defaults_stand_in_a_row() -> None:
    points = np.random.default_rng(0).uniform(size=(1500, 3)) * (1, 1, 0.01)
    cloud = PointCloud.of(points, labels=(points[:, 0] > 0.5).astype(np.int64))
    picture = row(cloud, "object", "z")
    assert picture.shape == (SIZE, 3 * SIZE, 3)
    shown = [len(np.unique(side[side.min(2) < 250] // 32, axis=0)) for side in np.split(picture, 3, axis=1)]
    assert shown[0] < shown[1]  # two parts, and the many pieces into which the printed form cuts them
