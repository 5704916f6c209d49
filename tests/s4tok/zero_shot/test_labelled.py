import numpy as np
import torch

from s4tok.clouds import PointCloud
from s4tok.config import SegmentConfig
from s4tok.zero_shot.labelled import answers, best_cosines, labelled, superpoint_means
from s4tok.zero_shot.vocabulary import Words


def test_a_superpoint_that_agrees_has_one_score_and_doubt_has_no_name() -> None:
    scores = np.array([[0.1, 0.3], [0.5, 0.1], [0.2, 0.25]], np.float32)
    superpoints = np.array([4, 4, 0])
    agreed = superpoint_means(scores, superpoints)[superpoints]
    np.testing.assert_allclose(agreed, [[0.3, 0.2], [0.3, 0.2], [0.2, 0.25]], atol=1e-6)
    assert answers(scores).tolist() == [1, 0, 1]
    assert answers(agreed).tolist() == [0, 0, 1]
    assert answers(scores, 0.3).tolist() == [1, 0, -1]


def test_calibration_decides_the_label_and_the_cosine_before_it_whether_it_is_doubtful() -> None:
    cosines = np.array([[0.30, 0.28], [0.40, 0.20], [0.31, 0.25]], np.float32)
    subtracted = np.array([0.20, 0.10], np.float32)
    assert answers(cosines - subtracted).tolist() == [1, 0, 1]
    np.testing.assert_allclose(best_cosines(cosines - subtracted, subtracted), [0.28, 0.40, 0.25], atol=1e-6)
    assert answers(cosines - subtracted, 0.27, subtracted).tolist() == [1, 0, -1]
    np.testing.assert_array_equal(best_cosines(cosines), cosines.max(axis=1))


def test_a_point_that_another_word_is_nearer_to_is_unknown() -> None:
    scores = np.array([[0.30, 0.28], [0.40, 0.20], [0.31, 0.25]], np.float32)
    others = np.array([[0.29, 0.10], [0.10, 0.41], [0.31, 0.31]], np.float32)
    assert answers(scores, "auto", None, others).tolist() == [0, -1, 0]
    assert answers(scores, "auto").tolist() == [0, 0, 0]


def test_names_are_proposed_by_cosines_and_points_get_them_by_calibrated_ones() -> None:
    words = Words(("wall", "floor", "keyboard"), np.arange(3), torch.eye(3), categories=(None,) * 3)
    cosines = np.array([[0.50, 0.48, 0.45]] * 3 + [[0.40, 0.42, 0.30]], np.float32)
    cloud = PointCloud.of(np.random.default_rng(0).random((4, 3)))
    mean = torch.tensor([0.6, 0.5, 0.1])  # every feature is near to a wall and a floor
    config = SegmentConfig(calibration_share=1.0, pool=False)
    found = labelled(cloud, np.arange(4), words, cosines, config, mean=mean)
    assert found.names == ("wall", "floor")
    assert found.answers.tolist() == [1, 1, 1, 1]
    assert labelled(cloud, np.arange(4), words, cosines, config).answers.tolist() == [0, 0, 0, 1]
