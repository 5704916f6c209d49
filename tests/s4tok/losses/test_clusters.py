import numpy as np
import pytest
import torch
from torch import Tensor

from s4tok.config import ClusterConfig
from s4tok.losses.clusters import cluster
from s4tok.shapes import Array


def slow_cluster(features: Array, centers: Array, config: ClusterConfig) -> tuple[Array, Array]:
    """Constrained k-means as the appendix writes it, one token and one cluster at a time in float64."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    seeds = [0]
    while len(seeds) < config.n_clusters:
        seeds.append(int(np.argmax(np.min([((centers - centers[s]) ** 2).sum(1) for s in seeds], axis=0))))
    places, prototypes = centers[seeds].copy(), unit[seeds].copy()
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + np.diag(np.full(len(places), np.inf))
    reach = config.radius_factor * gaps.min(1).mean()
    plan = np.zeros((len(centers), len(places)))
    for _ in range(config.iterations):
        distance = np.linalg.norm(centers[:, None] - places[None], axis=2)
        for t in range(len(centers)):
            for c in range(len(places)):
                near = distance[t, c] <= reach or c == np.argmin(distance[t])
                likeness = unit[t] @ prototypes[c] / np.linalg.norm(prototypes[c])
                plan[t, c] = np.exp(likeness / config.epsilon) if near else 0
        plan /= plan.sum(1, keepdims=True)
        held = plan.sum(0) > 0
        for _ in range(config.sinkhorn_iterations):
            plan[:, held] *= len(centers) / held.sum() / plan[:, held].sum(0)
            plan /= plan.sum(1, keepdims=True)
        for c in np.flatnonzero(held):
            prototypes[c] = plan[:, c] @ unit / plan[:, c].sum()
            places[c] = plan[:, c] @ centers / plan[:, c].sum()
    return plan, places


def cloud(seed: int, n_clouds: int = 1, n_tokens: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(n_clouds, n_tokens, 10, generator=draw, dtype=torch.float64)
    return (
        features,
        torch.randn(n_clouds, n_tokens, 3, generator=draw),
        torch.ones(n_clouds, n_tokens, dtype=torch.bool),
    )


@pytest.mark.parametrize("seed", range(3))
def test_clusters_are_their_slow_twin(seed: int) -> None:
    features, centers, is_token = cloud(seed)
    config = ClusterConfig(n_clusters=6, iterations=8, radius_factor=0.8)
    found = cluster(features, centers, is_token, config)
    plan, places = slow_cluster(features[0].numpy(), centers[0].double().numpy(), config)
    np.testing.assert_allclose(found.assignment[0].numpy(), plan, atol=1e-4)
    np.testing.assert_allclose(found.centroids[0].numpy(), places, atol=1e-4)


def test_tokens_apart_in_space_and_feature_fall_into_their_clusters() -> None:
    """Three heaps of ten, each of one direction: every token ends in its heap's cluster, wholly."""
    heap = torch.arange(30) // 10
    centers = torch.eye(3)[heap] * 10 + torch.randn(30, 3, generator=torch.Generator().manual_seed(0)) * 0.1
    found = cluster(torch.eye(3)[heap][None], centers[None], torch.ones(1, 30, dtype=torch.bool), ClusterConfig(3))
    winner = found.assignment[0].argmax(1)
    assert len({int(winner[first]) for first in (0, 10, 20)}) == 3
    assert (winner == winner[heap * 10]).all()
    assert found.assignment[0].amax(1).min() > 0.99


def test_padding_and_neighbours_in_the_batch_change_nothing() -> None:
    features, centers, is_token = cloud(3, n_clouds=2)
    is_token[1, 25:] = False
    features[1, 25:], centers[1, 25:] = 7.0, 100.0
    config = ClusterConfig(n_clusters=6)
    both = cluster(features, centers, is_token, config)
    alone = cluster(features[1:, :25], centers[1:, :25], is_token[1:, :25], config)
    torch.testing.assert_close(both.prototypes[1:], alone.prototypes)
    torch.testing.assert_close(both.assignment[1:, :25], alone.assignment)
    assert (both.assignment[1, 25:] == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("n_tokens", [1, 5, 40])
def test_every_token_is_shared_out_wholly_however_few_there_are(n_tokens: int, dtype: torch.dtype) -> None:
    features, centers, is_token = cloud(4, n_clouds=2, n_tokens=n_tokens)
    found = cluster(features.to(dtype), centers, is_token, ClusterConfig())
    assert found.is_cluster.sum(1).tolist() == [min(24, n_tokens)] * 2
    assert all(table.isfinite().all() for table in found)
    torch.testing.assert_close(found.assignment.float().sum(2), torch.ones(2, n_tokens), atol=0.03, rtol=0)
    assert (found.assignment.mT[~found.is_cluster] == 0).all()


def test_tokens_at_one_place_are_one_cluster() -> None:
    features, centers, is_token = cloud(5)
    found = cluster(features, torch.zeros_like(centers), is_token, ClusterConfig())
    assert found.is_cluster.sum() == 1
    torch.testing.assert_close(found.assignment[0, :, 0], torch.ones(40, dtype=torch.float64))
