"""Supervised training (Table 1, Table A): a head, and what stands before it, learn labels by cross entropy."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from s4tok.augmentations.points import Cloud, discolored, jittered, stretched, turned
from s4tok.collective import mean
from s4tok.config import FinetuneConfig
from s4tok.metrics.labels import confusion, label_scores, part_counts, part_scores
from s4tok.models.checkpoint import TrainedModel, save_loaded
from s4tok.models.labeller import Labeller, Labels
from s4tok.objectives.objective import Figures, Objective
from s4tok.shapes import Array, Bool, Float, Float32, Int, Real
from s4tok.superpoints.quality import majority

NO_LABEL = -1


class LabelledCloud(NamedTuple):
    """A cloud of the training data."""

    points: Float32[Array, "n 3"]
    superpoints: Int[Array, " n"]  # 0 .. s-1
    labels: Int[Array, " n"]  # of each point, where points are labelled; -1 for none
    category: int  # of the object; -1 where it has none
    seed: int  # of cloud and epoch
    features: Float32[Array, "n extra"] | None = None  # of points, if the tokenizer reads any


class LabelledBatch(NamedTuple):
    """Clouds of a batch, padded to one size."""

    points: Real[Tensor, "b n 3"]
    superpoints: Int[Tensor, "b n"]
    is_point: Bool[Tensor, "b n"]
    labels: Int[Tensor, "b n"]  # -1 for none
    categories: Int[Tensor, " b"]
    seeds: Int[Tensor, " b"]
    features: Float[Tensor, "b n extra"] | None = None

    def to(self, device: torch.device | str) -> "LabelledBatch":
        """Move everything to a device."""
        return self._each(lambda field: field.to(device, non_blocking=True))

    def pinned(self) -> "LabelledBatch":
        """Put everything where a GPU can fetch it from while others work."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "LabelledBatch":
        changed: dict[str, Any] = {}
        for name, field in self._asdict().items():
            changed[name] = None if field is None else change(field)
        return LabelledBatch(**changed)


class Supervised(Objective):
    """A checkpoint with a new head. What `train` of the configuration leaves out stays what it is to the bit."""

    columns = curves = ("total", "accuracy")
    selects_by = "error"
    told: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "parts": ("miou_i", "miou_c", "oracle"),
        "scenes": ("miou", "macc", "oracle"),
        "objects": ("accuracy", "macc"),
    }

    def __init__(
        self,
        checkpoint: TrainedModel,
        labeller: Labeller,
        config: FinetuneConfig,
        weights: Float[Tensor, " c"] | None = None,
    ) -> None:
        """Take a checkpoint, whose tensors are trained from here on, and a new head for it.

        Args:
            checkpoint: The checkpoint, its transformer a copy where that is trained too.
            labeller: The head, and what it tells apart.
            config: What is trained, augmentation and loss.
            weights: Of the classes in the loss; alike where None.
        """
        super().__init__()
        self.checkpoint, self.labels, self.config = checkpoint, labeller.labels, config
        self.model, self.head, self.head_config = checkpoint.model, labeller.head, labeller.config
        self.validates = self.told[self.labels.task]
        self.weights: Tensor | None
        self.register_buffer("weights", weights, persistent=False)
        self.model.requires_grad_(False)
        self.model.tokenizer.requires_grad_(config.train != "head")
        if config.train == "all":
            for weight in self.model.encoder.trainable():
                weight.requires_grad_(True)
        self.head.requires_grad_(True)
        self.train()

    def train(self, mode: bool = True) -> "Supervised":
        """Keep a tokenizer that is not trained in evaluation mode, or its running statistics would move."""
        super().train(mode)
        self.model.tokenizer.train(mode and self.config.train != "head")
        return self

    def rate_of(self, weight: str) -> float:
        """Give the rate of a weight's layer, in those of the head."""
        if weight.startswith("model.tokenizer."):
            return self.config.tokenizer_rate
        return self.config.encoder_rate if weight.startswith("model.encoder.") else 1.0

    def collate(self, entries: Sequence[LabelledCloud]) -> LabelledBatch:
        """Pad clouds to one size."""
        n_points = max(len(each.points) for each in entries)
        points = np.zeros((len(entries), n_points, 3), np.float32)
        superpoints = np.full((len(entries), n_points), -1, np.int64)
        labels = np.full((len(entries), n_points), NO_LABEL, np.int64)
        known = [each.features for each in entries if each.features is not None]
        features = np.zeros((len(known), n_points, known[0].shape[1]), np.float32) if known else None
        for place, each in enumerate(entries):
            n = len(each.points)
            points[place, :n], superpoints[place, :n], labels[place, :n] = each.points, each.superpoints, each.labels
            if features is not None:
                features[place, :n] = each.features
        given = torch.from_numpy(superpoints)
        return LabelledBatch(
            points=torch.from_numpy(points),
            superpoints=given.clamp_min(0),
            is_point=given >= 0,
            labels=torch.from_numpy(labels),
            categories=torch.tensor([each.category for each in entries]),
            seeds=torch.tensor([each.seed for each in entries]),
            features=None if features is None else torch.from_numpy(features),
        )

    def step(self, batch: LabelledBatch) -> dict[str, Tensor]:
        """Compute the mean cross entropy over labelled points, or clouds, and the share that is right."""
        if self.training:
            batch = augmented(batch, self.config, self.model.tokenizer.point_features)
        logits, truth = self.logits(batch)
        return {"total": self.loss(logits, truth), "accuracy": self._accuracy(logits, truth)}

    def logits(self, batch: LabelledBatch) -> tuple[Float[Tensor, "r c"], Int[Tensor, " r"]]:
        """Give the logits of everything that has a label, and the labels."""
        read = self.model.read(
            batch.points, batch.superpoints, features=batch.features, is_point=batch.is_point, seeds=batch.seeds
        )
        if self.labels.task == "objects":
            logits: Tensor = self.head(read, seeds=batch.seeds)
            return logits[batch.categories >= 0], batch.categories[batch.categories >= 0]
        known = batch.categories if self.labels.categories else None
        logits = self.head(
            read, batch.points, batch.superpoints, is_point=batch.is_point, categories=known, seeds=batch.seeds
        )
        has_label = batch.labels >= 0
        return logits[has_label], batch.labels[has_label]

    def loss(self, logits: Float[Tensor, "r c"], truth: Int[Tensor, " r"]) -> Float[Tensor, ""]:
        """Give the mean cross entropy, over all processes; that of nothing is 0."""
        return mean(*self._summed(logits, truth))

    def _summed(
        self, logits: Float[Tensor, "r c"], truth: Int[Tensor, " r"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Sum the cross entropy, and what everything weighs in its mean."""
        each = functional.cross_entropy(
            logits.float(), truth, self.weights, reduction="none", label_smoothing=self.config.smoothing
        )
        weight = torch.ones_like(each) if self.weights is None else self.weights[truth]
        return each.sum(), weight.sum()

    def _accuracy(self, logits: Float[Tensor, "r c"], truth: Int[Tensor, " r"]) -> Float[Tensor, ""]:
        right = (logits.detach().argmax(1) == truth).sum().float()
        return mean(right, torch.tensor(float(len(truth)), device=right.device))

    def validate(self, batches: Iterable[tuple[int, LabelledBatch]]) -> Figures:
        """Sum counts over all held-out clouds, each in one sample, and measure them once.

        "oracle" is the task's first figure for the best label of each superpoint.
        """
        counts, best, categories, losses, weights = list[Array](), list[Array](), list[int](), 0.0, 0.0
        for _, batch in batches:
            logits, truth = self.logits(batch)
            loss, weight = self._summed(logits, truth)
            losses, weights = losses + float(loss), weights + float(weight)
            counts += self._counts(logits, truth, batch)
            best += self._best_counts(batch)
            categories += batch.categories.tolist()
        found = {"total": losses / (weights or 1.0), **figures(self.labels, counts, categories)}
        if best:
            found["oracle"] = figures(self.labels, best, categories)[self.validates[0]]
        return found

    def _counts(
        self, logits: Float[Tensor, "r c"], truth: Int[Tensor, " r"], batch: LabelledBatch
    ) -> Iterator[Int[Array, "c answers"]]:
        """Count each cloud's answers; those of an object are among the parts of its category."""
        n_classes = len(self.labels.classes)
        if self.labels.task == "objects":
            yield confusion(truth.cpu().numpy(), logits.argmax(1).cpu().numpy(), n_classes)
            return
        has_label = batch.labels >= 0
        of_cloud = has_label.nonzero()[:, 0]
        if self.labels.categories:
            allowed = self.labels.allowed().to(logits.device)[batch.categories[of_cloud]]
            logits = logits.masked_fill(~allowed, -torch.inf)
        answers, count = logits.argmax(1), part_counts if self.labels.categories else confusion
        for number in range(len(batch.labels)):
            mine = of_cloud == number
            yield count(truth[mine].cpu().numpy(), answers[mine].cpu().numpy(), n_classes)

    def _best_counts(self, batch: LabelledBatch) -> Iterator[Int[Array, "c answers"]]:
        """Count each cloud as if every superpoint had its most frequent label; nothing where clouds are labelled."""
        if self.labels.task == "objects":
            return
        count = part_counts if self.labels.categories else confusion
        for superpoints, truth, is_point in zip(batch.superpoints, batch.labels, batch.is_point, strict=True):
            known = truth[is_point].cpu().numpy()
            yield count(known, majority(superpoints[is_point].cpu().numpy(), known), len(self.labels.classes))

    def selection(self, figures: Figures) -> float:
        """Compare validations by what is missing of the task's first figure; the latest where nothing was labelled."""
        best = float(figures[self.validates[0]])
        return 1 - best if math.isfinite(best) else -math.inf

    def export(self, folder: Path, card: Mapping[str, Any]) -> None:
        """Write tokenizer and head, and the transformer where it was trained; of words a checkpoint without a head."""
        labeller = Labeller(self.labels, self.head_config, self.head)
        is_open = self.head_config.head == "words"  # there is no head but texts, which any word has
        about = dict(card) if is_open else {**card, "labels": labeller.facts()}
        means = self.checkpoint.means if self.config.train == "head" else {}  # of features that are as they were
        written = self.checkpoint._replace(card=about, means=means, labeller=None if is_open else labeller)
        save_loaded(folder, written)


def augmented(batch: LabelledBatch, config: FinetuneConfig, read: Any) -> LabelledBatch:
    """Change each cloud by its own seed, and no label."""
    cloud = Cloud(batch.points, batch.features, read)
    cloud = turned(cloud, batch.seeds, config.rotate, config.flip)
    cloud = stretched(cloud, batch.seeds, config.scale_range, config.shift)
    cloud = jittered(cloud, batch.seeds, batch.is_point, config.jitter)
    cloud = discolored(cloud, batch.seeds, config.color_drop)
    return batch._replace(points=cloud.points, features=cloud.features)


def figures(labels: Labels, counts: Sequence[Array], categories: Sequence[int]) -> Figures:
    """Measure the counts of clouds: parts by `part_counts`, all else by `confusion`."""
    if labels.task == "parts":
        total = np.stack(counts)
        parts = [labels.parts[name] for name in labels.categories]
        found = part_scores(total, np.array(categories), parts)
        right, true = total[..., 0].sum(), total[..., 1].sum()
        means = {"miou_i": found.miou_i, "miou_c": found.miou_c, "miou_part": found.miou_part}
        return {"accuracy": float(right / true) if true else math.nan, **means}
    scores = label_scores(np.sum(counts, axis=0))
    return {"accuracy": scores.accuracy, "macc": scores.macc, "miou": scores.miou}


def class_weights(counts: Int[Array, " c"]) -> Float[Tensor, " c"]:
    """Weigh classes by the cube root of how much rarer they are than the most frequent; one without points by 1."""
    frequent = counts.max(initial=1)
    return torch.from_numpy(np.cbrt(frequent / np.where(counts > 0, counts, frequent))).float()
