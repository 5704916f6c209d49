"""Clusters of a cloud's tokens that stay together in space: the teacher's pseudo classes (App. A.3, eq. 13-15)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.config import ClusterConfig
from s4tok.losses.sinkhorn import sinkhorn
from s4tok.shapes import Bool, Float, Float32
from s4tok.tokenizers.distances import squared_distances
from s4tok.tokenizers.sampling import mean_spacing, weighted_farthest_points


class Clusters(NamedTuple):
    """What a cloud's tokens were divided into."""

    prototypes: Float[Tensor, "b g d"]
    centroids: Float32[Tensor, "b g 3"]
    assignment: Float[Tensor, "b m g"]  # rows of tokens sum to 1
    is_cluster: Bool[Tensor, "b g"]  # False where a cloud has fewer tokens than clusters
    is_reached: Bool[Tensor, "b m"]  # False where no cluster is near enough and the nearest took the token in


@torch.no_grad()
def cluster(
    features: Float[Tensor, "b m d"],
    centers: Float32[Tensor, "b m 3"],
    is_token: Bool[Tensor, "b m"],
    config: ClusterConfig,
) -> Clusters:
    """Divide each cloud's tokens by likeness, among clusters near enough in space.

    Clusters start at tokens far from each other. A token may join those within `radius_factor` times the mean
    distance between neighbouring starts, and in any case the nearest, without which most rows would be empty. A
    cluster that no token may join keeps its feature and its place.
    """
    unit = functional.normalize(features, dim=-1)
    start = is_token.int().argmax(1)
    seeds, is_cluster = weighted_farthest_points(centers, is_token.float(), start, config.n_clusters)
    centroids = centers.gather(1, seeds[..., None].expand(-1, -1, 3))
    prototypes = unit.gather(1, seeds[..., None].expand(-1, -1, unit.shape[2]))
    reach = config.radius_factor * mean_spacing(centroids, is_cluster)
    assignment = unit.new_zeros(*is_token.shape, config.n_clusters)
    is_reached = is_token
    for _ in range(config.iterations):
        admissible, is_reached = _admissible(centers, centroids, is_token, is_cluster, reach)
        scores = unit @ functional.normalize(prototypes, dim=-1).mT
        assignment = sinkhorn(scores, admissible, config.epsilon, config.sinkhorn_iterations)
        mass = assignment.sum(1)[..., None]
        share = assignment.mT / mass.clamp_min(torch.finfo(mass.dtype).tiny)
        prototypes = torch.where(mass > 0, share @ unit, prototypes)
        centroids = torch.where(mass > 0, (share @ centers.to(share.dtype)).to(centers.dtype), centroids)
    return Clusters(functional.normalize(prototypes, dim=-1), centroids, assignment, is_cluster, is_reached)


def _admissible(
    centers: Float32[Tensor, "b m 3"],
    centroids: Float32[Tensor, "b g 3"],
    is_token: Bool[Tensor, "b m"],
    is_cluster: Bool[Tensor, "b g"],
    reach: Float32[Tensor, " b"],
) -> tuple[Bool[Tensor, "b m g"], Bool[Tensor, "b m"]]:
    square = squared_distances(centers, centroids).masked_fill_(~is_cluster[:, None], torch.inf)
    near = square <= reach.square()[:, None, None]
    nearest = square.argmin(2)[..., None] == torch.arange(square.shape[2], device=square.device)
    return (near | nearest) & is_token[..., None], near.any(2) & is_token
