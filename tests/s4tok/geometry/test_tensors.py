from typing import Any

import numpy as np
import pytest
import torch

from s4tok import geometry
from s4tok.geometry import tensors

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is visible")),
]


def clouds(n: int, b: int = 2) -> torch.Tensor:
    return torch.randn(b, n, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("device", DEVICES)
def test_neighbours_are_those_of_measuring_every_distance(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "BLOCK", 1000)  # several blocks a cloud
    points, queries = clouds(300).to(device), clouds(40).to(device)
    found = tensors.nearest(points, queries, 9)
    wanted = torch.cdist(queries.double(), points.double()).topk(9, largest=False)
    assert torch.equal(found.indices, wanted.indices)
    torch.testing.assert_close(found.distances.double(), wanted.values, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_a_ball_holds_what_lies_within_each_clouds_own_radius_and_nothing_else(device: str) -> None:
    points, queries = clouds(200).to(device), clouds(30).to(device)
    radius = torch.tensor([0.5, 1.1], device=device)
    ball = tensors.within(points, queries, radius, 60)
    every = torch.cdist(queries, points)
    counts = (every <= radius[:, None, None]).sum(-1)
    assert counts.max() <= 60
    assert torch.equal(ball.inside.sum(-1), counts)
    reach = every.gather(2, ball.indices)
    assert (reach[ball.inside] <= radius.max()).all()
    assert (ball.indices[~ball.inside] == ball.indices[..., :1].expand_as(ball.indices)[~ball.inside]).all()


@pytest.mark.parametrize("device", DEVICES)
def test_farthest_points_are_those_of_each_cloud_alone(device: str) -> None:
    xyz, start = clouds(500, b=3), torch.tensor([0, 7, 499])
    picked = tensors.farthest_points(xyz.to(device), 120, start.to(device)).cpu()
    for cloud, first, mine in zip(xyz, start.tolist(), picked, strict=True):
        assert mine.tolist() == geometry.farthest_points(cloud.numpy(), 120, first).tolist()


@pytest.mark.parametrize("device", DEVICES)
def test_descriptors_and_normals_are_those_of_the_numpy_path(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "BLOCK", 20_000)
    xyz = clouds(400) * torch.tensor([1.0, 0.7, 0.1])
    normals, features = tensors.describe(xyz[:, :150].to(device), xyz.to(device), 30)
    for cloud, n, f in zip(xyz.numpy(), normals.cpu().numpy(), features.cpu().numpy(), strict=True):
        moments = geometry.second_moments(cloud[:150], cloud, 30)
        wanted = np.stack(geometry.shape_features(geometry.eigenvalues(moments)), axis=1)
        np.testing.assert_allclose(f, wanted, atol=1e-5)
        agreement = np.abs(np.einsum("ni,ni->n", n, geometry.normals_of(moments)))
        assert np.mean(agreement > np.cos(np.radians(5))) >= 0.99


def test_the_gpu_path_never_holds_all_distances() -> None:
    """Run the path for GPUs on the CPU, and watch the largest matrix it makes."""
    largest = 0
    measured = torch.cdist

    def watched(one: torch.Tensor, other: torch.Tensor, **how: Any) -> torch.Tensor:
        nonlocal largest
        largest = max(largest, len(one) * len(other))
        return measured(one, other, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensors, "BLOCK", 5000)
        patch.setattr(torch, "cdist", watched)
        patch.setattr(tensors, "_on_cpu", lambda tensor: False)
        xyz = clouds(400)
        found = tensors.nearest(xyz, xyz, 5)
        picked = tensors.farthest_points(xyz, 50, torch.tensor([3, 4]))
    assert 0 < largest <= 5000
    assert torch.equal(found.indices, tensors.nearest(xyz, xyz, 5).indices)
    assert torch.equal(picked, tensors.farthest_points(xyz, 50, torch.tensor([3, 4])))
