import numpy as np

from s4tok.superpoints.regions import covered, regions


def test_each_mask_of_enough_points_is_a_region_and_the_rest_stands_in_groups_of_neighbours() -> None:
    draw = np.random.default_rng(0)
    xyz = draw.uniform(size=(500, 3))
    ids = np.zeros(500, int)
    ids[:100], ids[100:109], ids[109:209] = 4000, 17, 2  # the second has fewer than ten points
    labels = regions(xyz, ids, smallest=10, group=50)
    assert labels.dtype == np.int32
    assert np.unique(labels).tolist() == list(range(labels.max() + 1))
    for of in (slice(0, 100), slice(109, 209)):
        assert len(np.unique(labels[of])) == 1
        assert (labels == labels[of][0]).sum() == 100
    rest = np.r_[100:109, 209:500]
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels[rest])]
    assert len(groups) == 6  # 300 points, 50 a group
    centers = np.array([xyz[group].mean(axis=0) for group in groups])
    for place, group in enumerate(groups):
        nearest = np.linalg.norm(xyz[group][:, None] - centers, axis=2).argmin(axis=1)
        assert (nearest == place).mean() > 0.6
    assert covered(ids, 10) == 200 / 500


def test_a_cloud_without_masks_is_groups_alone_and_one_that_masks_cover_has_none() -> None:
    xyz = np.random.default_rng(1).uniform(size=(40, 3))
    assert regions(xyz, np.zeros(40, int), smallest=10, group=1000).tolist() == [0] * 40
    assert regions(xyz, np.repeat([7, 3], 20), smallest=10, group=5).tolist() == [0] * 20 + [1] * 20
    assert covered(np.zeros(40, int), 10) == 0
