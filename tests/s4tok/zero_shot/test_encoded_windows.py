import numpy as np

from s4tok.superpoints.samples import sample
from s4tok.zero_shot.encoded_windows import superpoints_in_sample


def test_points_belong_to_the_sample_through_their_superpoint() -> None:
    xyz = np.random.default_rng(0).uniform(0, (6, 2, 1), (3000, 3)).astype(np.float32)
    labels = (xyz[:, 0] / 1.5).astype(np.int64) * 2 + (xyz[:, 1] > 1)
    labels[:2] = 8  # which no sampled point is of
    drawn = sample(xyz, labels, 100, 0)
    home = superpoints_in_sample(labels, drawn)
    np.testing.assert_array_equal(home[drawn.index], drawn.superpoints)
    assert not np.isin(home[labels == 8], drawn.superpoints).any()
