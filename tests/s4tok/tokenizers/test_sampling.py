from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from s4tok.tokenizers.noise import noise
from s4tok.tokenizers.order import SortedClouds, sort_clouds
from s4tok.tokenizers.sampling import (
    mean_spacing,
    one_a_superpoint,
    sample_centers,
    superpoint_means,
    weighted_farthest_points,
)

Make = Callable[..., SortedClouds]


def slow_farthest(xyz: Tensor, weights: Tensor, first: int, count: int) -> list[int]:
    """WFPS in float64 as it is written, one cloud and one point at a time."""
    points = xyz.double().numpy()
    chosen = [first]
    while len(chosen) < count:
        nearest = np.min([((points - points[c]) ** 2).sum(1) for c in chosen], axis=0)
        chosen.append(int(np.argmax(nearest * weights.double().numpy())))
    return chosen


def share_in_small(clouds: SortedClouds, **settings: object) -> float:
    index, _ = sample_centers(clouds, 24, torch.arange(len(clouds.xyz)), **settings)  # type: ignore[arg-type]
    return (clouds.superpoints.gather(1, index) > 0).float().mean().item()


@pytest.mark.parametrize("seed", range(3))
def test_weighted_sampling_is_its_slow_twin(sorted_clouds: Make, seed: int) -> None:
    clouds = sorted_clouds(seed)
    weights = clouds.size_of_points().float().pow(-0.5)
    index, is_chosen = weighted_farthest_points(clouds.xyz, weights, torch.tensor([3, 77]), 40)
    assert is_chosen.all()
    for cloud, first in enumerate((3, 77)):
        assert index[cloud].tolist() == slow_farthest(clouds.xyz[cloud], weights[cloud], first, 40)


@pytest.mark.parametrize("sign", ["text", "paper"])
def test_gamma_zero_is_exactly_farthest_point_sampling(sorted_clouds: Make, sign: str) -> None:
    clouds = sorted_clouds(4)
    index, _ = sample_centers(clouds, 50, torch.tensor([1, 2]), gamma=0.0, sign=sign)  # type: ignore[arg-type]
    for cloud in range(2):
        twin = slow_farthest(clouds.xyz[cloud], torch.ones(600), int(index[cloud, 0]), 50)
        assert index[cloud].tolist() == twin


def test_gamma_moves_centres_into_small_superpoints_and_the_printed_sign_moves_them_out(sorted_clouds: Make) -> None:
    clouds = sorted_clouds(0, n_clouds=8)
    plain = share_in_small(clouds, gamma=0.0)
    shares = [share_in_small(clouds, gamma=gamma) for gamma in (0.1, 0.5, 1.0)]
    assert plain < shares[0] < shares[1] <= shares[2]
    assert share_in_small(clouds, gamma=1.0, sign="paper") < plain


def test_superpoints_too_small_supply_no_centres_unless_there_is_no_other(sorted_clouds: Make) -> None:
    clouds = sorted_clouds(1)
    index, _ = sample_centers(clouds, 60, torch.tensor([5, 6]), gamma=1.0, smallest=8)
    assert clouds.size_of_points().gather(1, index).min() >= 8
    assert (clouds.sizes < 8).any()
    _, is_chosen = sample_centers(clouds, 60, torch.tensor([5, 6]), gamma=1.0, smallest=10_000)
    assert is_chosen.all()


def test_the_first_centre_is_drawn_by_superpoint_and_not_by_point() -> None:
    """99 points in one superpoint, 1 in the other: each supplies the first centre half the time."""
    points = torch.randn(1, 100, 3).expand(400, -1, -1)
    labels = torch.zeros(400, 100, dtype=torch.int64)
    labels[:, 99] = 1
    clouds = sort_clouds(points, labels, torch.ones_like(labels, dtype=torch.bool))
    index, _ = sample_centers(clouds, 1, torch.arange(400), gamma=0.1)
    alone = (clouds.superpoints.gather(1, index) == 1).float().mean().item()
    assert 0.4 < alone < 0.6


def test_when_points_run_out_the_first_centre_is_repeated_and_marked() -> None:
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 0, 0], [1, 0, 0]]])
    index, is_chosen = weighted_farthest_points(points, torch.ones(1, 4), torch.tensor([1]), 4)
    assert index.tolist() == [[1, 0, 1, 1]]
    assert is_chosen.tolist() == [[True, True, False, False]]


def test_spacing_is_worked_by_hand() -> None:
    """Centres at 0, 1, 4 on a line: nearest others at 1, 1, 3."""
    line = torch.zeros(2, 4, 3)
    line[:, :, 0] = torch.tensor([0.0, 1, 4, 4.5])
    is_center = torch.tensor([[True, True, True, False], [True, False, False, False]])
    torch.testing.assert_close(mean_spacing(line, is_center), torch.tensor([5 / 3, 0.0]))


def test_noise_is_uniform_and_follows_its_keys_alone() -> None:
    draws = noise(torch.arange(300)[:, None], torch.arange(300))
    counts = torch.histc(draws, 20, 0, 1) / draws.numel()
    assert (counts - 0.05).abs().max() < 0.003
    rows = torch.corrcoef(draws)
    assert (rows - torch.eye(300)).abs().max() < 0.35
    torch.testing.assert_close(noise(torch.tensor([17]), torch.arange(9)), draws[17, :9], rtol=0, atol=0)
    assert noise(torch.tensor([2**40 + 1])) != noise(torch.tensor([1]))
    assert draws.min() >= 0
    assert draws.max() < 1


def regions(*sizes: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """One cloud with superpoints of these sizes, each around a place of its own."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    points = 10.0 * labels[:, None] + torch.rand(len(labels), 3, generator=draw)
    return points[None], labels[None]


def test_the_largest_superpoints_have_one_centre_each_nearest_to_their_mean() -> None:
    points, labels = regions(7, 40, 3, 25, 40)
    clouds = sort_clouds(points, labels, torch.ones_like(labels, dtype=torch.bool))
    centers, is_center = one_a_superpoint(clouds, 3, torch.tensor([0]), gamma=0.1)
    assert clouds.superpoints[0, centers[0]].tolist() == [1, 4, 3]  # of equals the lower label first
    assert is_center.all()
    for center, label in zip(centers[0].tolist(), (1, 4, 3), strict=True):
        mine = (clouds.superpoints[0] == label).nonzero()[:, 0]
        mean = clouds.xyz[0, mine].mean(0)
        assert center == mine[(clouds.xyz[0, mine] - mean).norm(dim=1).argmin()]


def test_small_superpoints_have_no_centre_and_a_cloud_of_few_fills_up() -> None:
    points, labels = regions(7, 40, 3, 25)
    clouds = sort_clouds(points, labels, torch.ones_like(labels, dtype=torch.bool))
    centers, is_center = one_a_superpoint(clouds, 6, torch.tensor([0]), gamma=0.1, smallest=5)
    assert is_center.tolist() == [[True] * 3 + [False] * 3]
    assert clouds.superpoints[0, centers[0]].tolist() == [1, 3, 0, 1, 1, 1]
    points, labels = regions(2, 3)
    clouds = sort_clouds(points, labels, torch.ones_like(labels, dtype=torch.bool))
    assert one_a_superpoint(clouds, 4, torch.tensor([0]), gamma=0.1, smallest=5)[1].tolist() == [
        [True] * 2 + [False] * 2
    ]


def test_the_means_of_superpoints_leave_padding_out() -> None:
    points, labels = regions(4, 6)
    is_point = torch.ones_like(labels, dtype=torch.bool)
    is_point[0, -2:] = False
    clouds = sort_clouds(points, labels, is_point)
    means = superpoint_means(clouds)
    torch.testing.assert_close(means[0, 1] - means[0, 0], points[0, 4:8].mean(0) - points[0, :4].mean(0))
