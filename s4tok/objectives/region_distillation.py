"""Stage 1 of the SAM-guided system: 2D features of regions, distilled with a weight for each group of alike ones."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from s4tok.augmentations.points import Cloud, turned
from s4tok.config import PretrainConfig, RegionConfig
from s4tok.losses.region_groups import group_weights, nearest_group
from s4tok.losses.region_losses import region_loss
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import save_point_encoder
from s4tok.objectives.objective import Figures, Objective, means
from s4tok.objectives.training_clouds import Batch, TrainingCloud, augment, group, padded
from s4tok.shapes import Bool, Float, Int
from s4tok.tokenizers import Patches, PointFeatures
from s4tok.tokenizers.propagation import pooling


class Groups(NamedTuple):
    """Groups of alike regions of the training set."""

    centers: Float[Tensor, "g d"]  # in the 2D model's space
    sizes: Int[Tensor, " g"]  # regions


class Predicted(NamedTuple):
    """What is predicted of the regions of a batch, and what should be."""

    features: Float[Tensor, "b s d"]
    is_seen: Bool[Tensor, "b s"]  # regions that have points and a target
    groups: Int[Tensor, "b s"]


class RegionDistillation(Objective):
    """Tokens of a cloud, a projection into the 2D model's space, and the weighted L1 loss of each region's mean.

    A region's feature is the mean over its points of what their tokens give them, so that tokens that know no regions
    (kNN groups) are trained by the same loss. With one token a region it is that token's own feature.
    """

    columns = ("total", "l1", "cosine", "regions")
    curves = ("total", "l1", "cosine")

    def __init__(
        self, encoder: PointEncoder, groups: Groups, target_width: int, training: PretrainConfig, config: RegionConfig
    ) -> None:
        super().__init__()
        self.encoder, self.training_config, self.config = encoder, training, config
        width = encoder.tokenizer.width
        self.projection = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, target_width))
        self.group_centers: Tensor
        self.group_sizes: Tensor
        self.group_weights: Tensor
        self.register_buffer("group_centers", groups.centers.float())
        self.register_buffer("group_sizes", groups.sizes)
        self.register_buffer("group_weights", group_weights(groups.sizes, config.balance))

    def collate(self, entries: Sequence[TrainingCloud]) -> Batch:
        """Pad clouds to one size."""
        return padded(entries)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of one batch; "l1" has no weights, "cosine" is the similarity of predictions and targets."""
        if self.training:
            batch = self.augmented(batch)
        patches = group(self.encoder.tokenizer, batch)
        return self.figures(batch, self.predict(batch, patches, self.encoder.of_patches(patches)))

    def augmented(self, batch: Batch) -> Batch:
        """Turn, stretch and shift clouds, each by its own seed."""
        read = self.encoder.tokenizer.point_features
        return augment(turned_batch(batch, self.config.turn, read), self.training_config, read)

    def predict(self, batch: Batch, patches: Patches, hidden: Float[Tensor, "b m d"]) -> Predicted:
        """Project tokens into the space of the targets, and average them over regions."""
        pool = pooling(patches, batch.points, batch.superpoints, batch.is_seen.shape[1], batch.is_point)
        groups = nearest_group(batch.local_targets, self.group_centers)
        return Predicted(pool.pool(self.projection(hidden)), batch.is_seen & pool.has_points, groups)

    def figures(self, batch: Batch, found: Predicted) -> dict[str, Tensor]:
        """Give the figures of a step."""
        weights, alike = self.group_weights[found.groups], torch.ones_like(found.is_seen, dtype=torch.float32)
        likeness = functional.cosine_similarity(found.features.detach(), batch.local_targets, dim=2)
        count = found.is_seen.sum().clamp_min(1)
        return {
            "total": region_loss(found.features, batch.local_targets, found.is_seen, weights),
            "l1": region_loss(found.features.detach(), batch.local_targets, found.is_seen, alike),
            "cosine": (likeness * found.is_seen).sum() / count,
            "regions": found.is_seen.sum() / len(batch.points),
        }

    def validate(self, batches: Iterable[tuple[int, Batch]]) -> Figures:
        """Give the mean of each column, and of each group the mean L1, its regions here and those of training."""
        loss, count = torch.zeros(2, len(self.group_sizes), dtype=torch.float64)
        steps = []
        for size, batch in batches:
            patches = group(self.encoder.tokenizer, batch)
            found = self.predict(batch, patches, self.encoder.of_patches(patches))
            steps.append((size, self.figures(batch, found)))
            groups = found.groups[found.is_seen].cpu()
            each = (found.features - batch.local_targets).abs().mean(2)[found.is_seen].double().cpu()
            loss.index_add_(0, groups, each)
            count.index_add_(0, groups, torch.ones_like(each))
        by_group = [round(float(value), 6) for value in loss / count.clamp_min(1)]
        return {
            **means(self.columns, steps),
            "group_l1": by_group,
            "group_regions": count.long().tolist(),
            "group_sizes": self.group_sizes.tolist(),
        }

    def describe(self, batch: Batch) -> str:
        """Say how many regions the smallest and the largest group have, and what they weigh."""
        sizes, weights = self.group_sizes, self.group_weights
        used = sizes > 0
        return (
            f"{int(used.sum())} groups of {int(sizes[used].min())} to {int(sizes.max())} regions, which weigh "
            f"{float(weights[sizes.argmax()]):.3g} in the largest and {float(weights.max()):.3g} at most"
        )

    def export(self, folder: Path, card: Mapping[str, Any]) -> None:
        """Write tokenizer, transformer and projection, with their card."""
        save_point_encoder(folder, self.encoder, card, self.projection)


def turned_batch(batch: Batch, degrees: float, read: PointFeatures) -> Batch:
    """Turn clouds about the vertical, and their normals with them."""
    cloud = turned(Cloud(batch.points, batch.features, read), batch.seeds, degrees, flip=0.0)
    return batch._replace(points=cloud.points, features=cloud.features)
