import numpy as np

from s4tok.geometry import nearest, neighbor_graph
from s4tok.shapes import Array
from s4tok.superpoints import boundary_recall, majority, merge_remnants, purity
from s4tok.superpoints.labels import connected, dense


def test_groups_are_numbered_by_their_first_point() -> None:
    assert dense(np.array([9, 9, -1, 4, -1, 9])).tolist() == [0, 0, 1, 2, 1, 0]


def test_a_group_in_two_places_becomes_two() -> None:
    line = np.array([0.0, 1, 2, 10, 11, 12])[:, None] * [[1.0, 0, 0]]
    graph = neighbor_graph(line, 2)
    assert connected(np.zeros(6, int), graph).tolist() == [0, 0, 0, 1, 1, 1]


def test_a_remnant_goes_to_the_neighbour_it_resembles() -> None:
    line = np.arange(9.0)[:, None] * [[1.0, 0, 0]]
    features = np.array([0.0] * 4 + [0.7] + [1.0] * 4)[:, None]
    labels = np.array([0, 0, 0, 0, 1, 2, 2, 2, 2])
    assert merge_remnants(labels, features, nearest(line, line, 3), 2).tolist() == [0] * 4 + [1] * 5


def test_after_sampling_no_remnant_is_left_beside_a_larger_superpoint() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(size=(2000, 3)) * [1, 1, 0]
    labels = (points[:, 0] * 20).astype(int) * 20 + (points[:, 1] * 20).astype(int)
    kept = rng.choice(2000, 600, replace=False)
    sampled = dense(labels[kept])
    assert (np.bincount(sampled) < 5).mean() > 0.9
    merged = merge_remnants(sampled, points[kept], nearest(points[kept], points[kept], 8), 5)
    assert np.bincount(merged).min() >= 5
    assert merged.max() > 20


def one_a_round(labels: Array, features: Array, indices: Array, smallest: int) -> Array:
    """Merge the smallest remnant, count everything anew, and again."""
    ids = dense(labels)
    while True:
        size = np.bincount(ids)
        means = np.stack([np.bincount(ids, column) for column in features.T], axis=1) / size[:, None]
        found = [
            (size[one], one, np.linalg.norm(means[one] - means[other]), other)
            for one in np.flatnonzero(size < smallest)
            for other in set(ids[indices[ids == one]].ravel().tolist()) - {one}
        ]
        if not found:
            return ids
        _, remnant, _, home = min(found)
        ids = dense(np.where(ids == remnant, home, ids))


def test_merging_gives_what_counting_anew_after_each_merge_gives() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        points, labels = rng.uniform(size=(200, 3)), rng.integers(0, 60, 200)
        around = nearest(points, points, 5)
        merged = merge_remnants(labels, points, around, 5)
        assert np.array_equal(merged, one_a_round(labels, points, around.indices, 5))


def test_an_island_without_neighbours_stays_a_remnant() -> None:
    points = np.array([0.0, 0.1, 50, 50.1, 50.2])[:, None] * [[1.0, 0, 0]]
    labels = np.array([0, 0, 1, 1, 1])
    assert merge_remnants(labels, points, nearest(points, points, 2), 3).tolist() == [0, 0, 1, 1, 1]


def test_the_majority_by_hand_leaves_unknown_points_out() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    truth = np.array([5, 5, 9, 9, -1, -1])
    assert majority(labels, truth).tolist() == [5, 5, 5, 9, 9, -1]
    assert majority(labels, np.full(6, -1)).tolist() == [-1] * 6


def test_the_majority_is_right_as_often_as_purity_says() -> None:
    labels, truth = np.random.default_rng(0).integers(0, 9, (2, 500))
    assert (majority(labels, truth) == truth).mean() == purity(labels, truth)


def test_purity_by_hand_leaves_unknown_points_out() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    truth = np.array([5, 5, 9, 9, -1, -1])
    assert purity(labels, truth) == 3 / 4


def test_boundary_recall_by_hand() -> None:
    line = np.arange(6.0)[:, None] * [[1.0, 0, 0]]
    graph = neighbor_graph(line, 1)
    chain = graph._replace(low=np.arange(5), high=np.arange(1, 6), weight=np.ones(5))
    truth = np.array([0, 0, 1, 1, 2, -1])
    assert boundary_recall(np.array([0, 0, 1, 1, 1, 1]), truth, chain) == 1 / 2
    assert np.isnan(boundary_recall(truth, 0 * truth, chain))
