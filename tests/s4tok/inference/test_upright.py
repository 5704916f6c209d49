import numpy as np

from s4tok.clouds import Placement, PointCloud
from s4tok.config import Axis
from s4tok.geometry.placement import Guess
from s4tok.inference.upright import POINTS, settled

CLOUD = PointCloud.of(np.random.default_rng(0).uniform(0, [1, 2, 3], (POINTS + 500, 3)))
ODDS: dict[Axis, float] = {"x": -20.0, "y": 0.0, "z": 0.1}


def test_of_the_axes_in_doubt_the_one_that_scores_best_is_taken_and_others_are_not_tried() -> None:
    tried = []

    def score(sample: PointCloud) -> float:
        assert len(sample) == POINTS
        assert sample.placement is not None
        tried.append(sample.placement.up)
        return 0.3 if sample.placement.up == "y" else 0.2

    found = settled(Guess(Placement("z", None, "object"), ODDS), CLOUD, score)
    assert found.placement == Placement("y", None, "object")
    assert tried == ["z", "y"]
    assert found.odds["y"] > found.odds["z"]


def test_what_is_sure_is_not_tried() -> None:
    def score(_: PointCloud) -> float:
        raise AssertionError

    guess = Guess(Placement("z", None, "object"), {"z": 0.0, "y": -9.0})
    assert settled(guess, CLOUD, score) is guess
