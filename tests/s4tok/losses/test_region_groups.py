import numpy as np
import pytest
import torch

from s4tok.losses.region_groups import Balance, find_groups, group_weights, nearest_group


def test_groups_of_1000_100_and_10_weigh_as_worked_by_hand() -> None:
    # k = .99, .09, 0; tau = .01, .91, 1; w = tau / 1.92, times the three groups.
    weights = group_weights(torch.tensor([1000, 100, 10]), "paper")
    torch.testing.assert_close(weights / 3, torch.tensor([0.01, 0.91, 1.0]) / 1.92)
    assert [round(float(weight) / 3, 3) for weight in weights] == [0.005, 0.474, 0.521]


@pytest.mark.parametrize("balance", ["none", "paper", "inverse", "effective"])
def test_weights_average_to_one_and_an_empty_group_changes_nothing(balance: Balance) -> None:
    sizes = torch.tensor([400, 7, 90, 90])
    weights = group_weights(sizes, balance)
    torch.testing.assert_close(weights.mean(), torch.tensor(1.0))
    assert (weights.argsort(descending=True)[0] == 1) == (balance != "none")
    assert weights[2] == weights[3]
    with_empty = group_weights(torch.tensor([0, 400, 7, 90, 0, 90]), balance)
    torch.testing.assert_close(with_empty[[1, 2, 3, 5]], weights)
    assert with_empty[[0, 4]].tolist() == [0, 0]
    assert group_weights(torch.tensor([5]), balance).tolist() == [1]
    assert group_weights(torch.tensor([0, 6, 0]), balance).tolist() == [0, 1, 0]
    assert group_weights(torch.zeros(3, dtype=torch.int64), balance).tolist() == [0, 0, 0]


def test_inverse_and_effective_weigh_as_their_formulas_say() -> None:
    sizes = np.array([1000.0, 100.0, 10.0])
    inverse = group_weights(torch.tensor([1000, 100, 10]), "inverse").numpy()
    np.testing.assert_allclose(inverse, (1 / sizes) / (1 / sizes).mean(), rtol=1e-6)
    effective = group_weights(torch.tensor([1000, 100, 10]), "effective").numpy()
    raw = (1 - 0.999) / (1 - 0.999**sizes)
    np.testing.assert_allclose(effective, raw / raw.mean(), rtol=1e-6)


def blobs(*sizes: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    places = 10 * torch.eye(len(sizes), 4)
    return torch.cat([place + torch.randn(size, 4, generator=draw) for place, size in zip(places, sizes, strict=True)])


def test_blobs_are_found_and_each_feature_lies_in_the_group_of_its_nearest_centre() -> None:
    features = blobs(300, 40, 9)
    centers, sizes = find_groups(features, 3, seed=1)
    assert sorted(sizes.tolist()) == [9, 40, 300]
    distance = (features[:, None] - centers).norm(dim=2)
    assert torch.equal(nearest_group(features, centers), distance.argmin(1))
    order = sizes.argsort(descending=True)
    torch.testing.assert_close(centers[order[0]], features[:300].mean(0))


def test_the_same_seed_finds_the_same_groups() -> None:
    features = blobs(60, 50, 40, 30)
    for one, other in zip(find_groups(features, 5, seed=3), find_groups(features, 5, seed=3), strict=True):
        assert torch.equal(one, other)


def test_more_groups_than_features_leave_groups_empty_and_no_number_undefined() -> None:
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    centers, sizes = find_groups(features, 6)
    assert centers.isfinite().all()
    assert sizes.sum() == 3
    assert (sizes > 0).sum() == 2
    assert find_groups(features[:1], 1)[1].tolist() == [1]
