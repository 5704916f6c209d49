"""S4Token (Sec. 3.4): a tokenizer trained through a frozen CLIP, by clusters of its EMA copy and by 2D features."""

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from s4tok.backbones.clip_tower import Encoded, FrozenEncoder, within_reach
from s4tok.backbones.query_decoder import QueryDecoder
from s4tok.collective import total
from s4tok.config import ClusterConfig, EncoderConfig, PretrainConfig, PropagationConfig, Scene
from s4tok.losses.assignment import assignment_loss
from s4tok.losses.clusters import cluster
from s4tok.losses.distillation import difference_loss, global_loss, local_loss
from s4tok.losses.labels import LabelLoss
from s4tok.models.checkpoint import Means, read_weights, save_trained
from s4tok.models.model import target_head
from s4tok.objectives.masking import Split, split_tokens
from s4tok.objectives.objective import Figures, Objective, means
from s4tok.objectives.training_clouds import Batch, TrainingCloud, augment, group, padded
from s4tok.shapes import Float
from s4tok.tokenizers import Patches, Tokenizer
from s4tok.tokenizers.propagation import pooling
from s4tok.tokenizers.tokens import counted

SCENES: tuple[Scene, ...] = ("object", "room")
MEANS_STEP = 0.02  # of the moving means towards a batch's: they remember about fifty steps


class _Distilled(NamedTuple):
    """The losses of superpoints and clouds, and the share of points without a centre."""

    local: Float[Tensor, ""]
    difference: Float[Tensor, ""]
    whole: Float[Tensor, ""]
    labels: Float[Tensor, ""]
    without_center: Float[Tensor, ""]


class S4Token(Objective):
    """Student, teacher and query decoder around one frozen encoder. `step` is a step's losses and counts.

    The teacher is the moving average of the tokenizer. The decoder has none: the teacher sees every token and asks
    for no feature. Weights under "encoder." are CLIP's own and belong in no checkpoint.
    """

    curves: Sequence[str] = ("total", "assign", "local", "difference", "global")
    columns: Sequence[str] = (*curves, "masked", "unreached_tokens", "points_without_center")
    former_columns: ClassVar[Mapping[str, str]] = {
        "whole": "global",
        "lonely": "unreached_tokens",
        "orphans": "points_without_center",
        "fill": "patch_fill",
    }
    selects_by = "distillation_loss"

    def __init__(
        self,
        tokenizer: Tokenizer,
        encoder: FrozenEncoder,
        config: PretrainConfig,
        clusters: ClusterConfig,
        propagation: PropagationConfig | None = None,
        attend: float = EncoderConfig.attend,
        target_width: int | None = None,
        label_loss: LabelLoss | None = None,
    ) -> None:
        """Put the parts together; targets of another width than CLIP's own get a head that is trained.

        `label_loss` is there where labels are learned too.
        """
        super().__init__()
        self.label_loss = label_loss
        if label_loss is not None:
            self.columns, self.curves = (*self.columns, "labels"), (*self.curves, "labels")
        self.tokenizer, self.encoder, self.attend = tokenizer, encoder, attend
        self.teacher = copy.deepcopy(tokenizer).requires_grad_(False)
        self.is_seeing_all = config.loss != "assign" and config.distill_pass != "masked"
        is_masking = (
            config.loss != "distill" or config.distill_pass != "full"
        )  # otherwise nothing predicts masked tokens
        self.decoder = QueryDecoder(encoder.width, encoder.heads, config.decoder_layers) if is_masking else None
        self.config, self.clusters = config, clusters
        width = encoder.output_width if target_width is None or config.loss == "assign" else target_width
        self.head = None if config.loss == "assign" else target_head(encoder.output_width, width, config.head)
        self.propagation = propagation or PropagationConfig()
        # Moving means over training points, of the student's unit features and of the targets, in objects and in rooms:
        # what every word is near to wherever one looks, which `segment --calibrate` subtracts.
        self.mean_features: Tensor
        self.mean_targets: Tensor
        self.register_buffer("mean_features", torch.zeros(len(SCENES), width))
        self.register_buffer("mean_targets", torch.zeros(len(SCENES), width))
        self.train()

    def train(self, mode: bool = True) -> "S4Token":
        """Keep the teacher in evaluation mode: it normalises by running statistics, whatever else is in its batch."""
        super().train(mode)
        self.teacher.eval()
        return self

    def collate(self, entries: Sequence[TrainingCloud]) -> Batch:
        """Pad clouds to one size."""
        return padded(entries)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses of one batch, equations 5 to 9, and the shares a log should carry.

        "unreached_tokens" counts tokens that no cluster reaches and the nearest takes in, "points_without_center" those
        points whose superpoint has no centre; "difference" is measured even where it has no weight.
        """
        if self.training:
            batch = augment(batch, self.config, self.tokenizer.point_features)
        return self._losses(batch, group(self.tokenizer, batch))

    def _losses(self, batch: Batch, patches: Patches) -> dict[str, Tensor]:
        split = split_tokens(patches.is_token, self.config.mask_ratio, batch.seeds)
        visible = [] if self.decoder is None else [patches.take(split.visible, split.is_visible)]
        patches, *visible = counted([patches, *visible], batch.superpoints, batch.is_point, batch.is_seen.shape[1])
        zero = batch.points.new_zeros((), dtype=torch.float32)
        assign, unreached, found = zero, zero, _Distilled(zero, zero, zero, zero, zero)
        passes = []
        tokens = self.tokenizer.embed(patches).tokens if self.is_seeing_all else None
        if self.decoder is not None:
            seen = self._encode(self._visible(visible[0], tokens, split), visible[0])
            places = patches.take(split.masked, split.is_masked).positions
            asked = self.tokenizer.encode(places).to(seen.hidden.dtype)
            predicted = self.decoder(asked, seen.hidden, split.is_visible)
            if self.config.loss != "distill":
                assign, unreached = self._assign(patches, split, predicted)
            if self.config.loss != "assign" and self.config.distill_pass != "full":
                passes.append(Encoded(seen.whole, split.join(seen.hidden, predicted)))
        if tokens is not None:
            passes.append(self._encode(tokens, patches))
        if self.config.loss != "assign":
            found = self._distill(batch, patches, passes)
        distill = self.config.local_weight * found.local + self.config.global_weight * found.whole
        if self.config.difference_weight:
            distill = distill + self.config.difference_weight * found.difference
        if self.label_loss is not None:
            distill = distill + self.config.label_weight * found.labels
        losses = {
            "total": assign + distill,
            "assign": assign.detach(),
            "local": found.local.detach(),
            "difference": found.difference.detach(),
            "global": found.whole.detach(),
            "masked": split.is_masked.sum() / patches.is_token.sum(),
            "unreached_tokens": unreached,
            "points_without_center": found.without_center,
            "labels": found.labels.detach(),
        }
        return {name: losses[name] for name in self.columns}

    def describe(self, batch: Batch) -> str:
        """Say how full the patches of a batch are."""
        fill = group(self.tokenizer, batch).fill_histogram()
        most, shares = len(fill) - 1, (fill / fill.sum().clamp_min(1)).cumsum(0)
        median, quarter = int((shares < 0.5).sum()), int((shares < 0.25).sum())
        return (
            f"patches hold {median} of {most} points in the median, a quarter holds at most {quarter}, "
            f"{float(fill[-1] / fill.sum().clamp_min(1)):.0%} are full"
        )

    def validate(self, batches: Iterable[tuple[int, Batch]]) -> Figures:
        """Give the mean of each column, and how full patches are."""
        fill = torch.zeros(1, dtype=torch.int64)

        def losses() -> Iterator[tuple[int, dict[str, Tensor]]]:
            nonlocal fill
            for size, batch in batches:
                patches = group(self.tokenizer, batch)
                fill = fill + patches.fill_histogram().cpu()
                yield size, self._losses(batch, patches)

        return {**means(self.columns, losses()), "patch_fill": fill.tolist()}

    def selection(self, figures: Figures) -> float:
        """Give the losses that one epoch can be compared with another by: those whose targets stay what they are.

        The teacher's clusters grow sharper while it learns, so that the assignment loss has its minimum after an
        epoch or two. Where nothing else is trained, the latest checkpoint counts as the best.
        """
        if self.config.loss == "assign":
            return -math.inf
        return float(figures["total"] - figures["assign"])

    def after_step(self, progress: float) -> None:
        """Move the teacher."""
        self.update_teacher(progress)

    def trainable_state(self) -> dict[str, Tensor]:
        """Give everything but CLIP's own weights."""
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("encoder.")}

    def load_trainable_state(self, tensors: Mapping[str, Tensor], folder: Path) -> None:
        """Take back what `trainable_state` gave; before version 0.2 the tokenizer's weights lay beside it alone."""
        if not any(name.startswith("tokenizer.") for name in tensors):
            weights = read_weights(folder).tokenizer
            tensors = {**tensors, **{f"tokenizer.{name}": tensor for name, tensor in weights.items()}}
        super().load_trainable_state(tensors, folder)

    def export(self, folder: Path, card: Mapping[str, Any]) -> None:
        """Write the tokenizer, its card, and the means of the kinds of scene that were trained on."""
        pairs = zip(SCENES, self.mean_features, self.mean_targets, strict=True)
        known: dict[str, Means] = {
            scene: Means(features, targets) for scene, features, targets in pairs if targets.any()
        }
        save_trained(folder, self.tokenizer, card, known, self.head)

    def _encode(self, tokens: Float[Tensor, "b m d"], patches: Patches) -> Encoded:
        encoded: Encoded = self.encoder(
            tokens,
            None if patches.counts and patches.counts.is_full else patches.is_token,
            within_reach(patches.xyz, patches.radius, self.attend),
        )
        return encoded

    def _visible(self, visible: Patches, tokens: Tensor | None, split: Split) -> Float[Tensor, "b v d"]:
        """Give what the student sees: where all tokens were made anyhow, a part of them."""
        if tokens is None:
            return self.tokenizer.embed(visible).tokens
        return tokens.gather(1, split.visible[..., None].expand(-1, -1, tokens.shape[2]))

    def _assign(
        self, patches: Patches, split: Split, predicted: Float[Tensor, "b p d"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        with torch.no_grad():
            tokens = self.teacher.embed(patches)
            encoded = self._encode(tokens.tokens, patches)
            features = self.encoder.project(encoded.hidden)
            found = cluster(features, patches.positions, patches.is_token, self.clusters)
        rows = split.masked[..., None].expand(-1, -1, found.assignment.shape[2])
        loss = assignment_loss(
            self.encoder.project(predicted),
            split.is_masked,
            found.assignment.gather(1, rows),
            found.prototypes,
            found.is_cluster,
            self.config.temperature,
        )
        return loss, 1 - found.is_reached.sum() / patches.is_token.sum()

    def _distill(self, batch: Batch, patches: Patches, passes: Sequence[Encoded]) -> "_Distilled":
        pool = pooling(
            patches,
            batch.points,
            batch.superpoints,
            batch.is_seen.shape[1],
            batch.is_point,
            self.propagation,
            patches.counts,
        )
        center, is_seen = self.config.center_targets, batch.is_seen & pool.has_points
        sizes = torch.zeros(is_seen.shape, device=is_seen.device)
        sizes.scatter_add_(1, batch.superpoints, batch.is_point.to(sizes.dtype))
        local = difference = whole = labels = batch.points.new_zeros((), dtype=torch.float32)
        read = [pool.pool(self._to_targets(self.encoder.project(encoded.hidden))) for encoded in passes]
        for encoded, features in zip(passes, read, strict=True):
            local = local + local_loss(features, batch.local_targets, is_seen, center=center) / len(passes)
            difference = difference + difference_loss(features, batch.local_targets, is_seen) / len(passes)
            if self.label_loss is not None:  # of processes that train together each asks, whatever clouds it has
                labels = labels + self.label_loss(features, batch.known_labels, sizes * pool.has_points) / len(passes)
            of_clouds = self._to_targets(encoded.whole)
            whole = whole + global_loss(of_clouds, batch.global_targets, center=center) / len(passes)
        if self.training:
            self._move_means(batch, read[-1], sizes * is_seen)
        without_center = (~pool.has_own & batch.is_point).sum() / batch.is_point.sum().clamp_min(1)
        return _Distilled(local, difference, whole, labels, without_center)

    def _to_targets(self, features: Float[Tensor, "*b c"]) -> Float[Tensor, "*b t"]:
        """Take vectors of CLIP's space to that of the targets."""
        return features if self.head is None else self.head(features)

    @torch.no_grad()
    def _move_means(self, batch: Batch, features: Float[Tensor, "b s c"], sizes: Float[Tensor, "b s"]) -> None:
        """Move the means towards this batch's, in which each point counts once that has a target."""
        is_room = torch.zeros_like(batch.seeds, dtype=torch.bool) if batch.is_room is None else batch.is_room
        of_scene = torch.stack([~is_room, is_room]).to(sizes.dtype)  # as in SCENES
        weights = torch.einsum("kb,bs->kbs", of_scene, sizes)
        count = total(weights.sum((1, 2)))[:, None]
        for kept, of in ((self.mean_features, features), (self.mean_targets, batch.local_targets)):
            unit = functional.normalize(of.float(), dim=2)
            now = total(torch.einsum("kbs,bsc->kc", weights, unit)) / count.clamp_min(1)
            moved = torch.where(kept.any(1, keepdim=True), kept.lerp(now, MEANS_STEP), now)
            kept.copy_(torch.where(count > 0, moved, kept))

    @torch.no_grad()
    def update_teacher(self, progress: float) -> None:
        """Move the teacher after a step: t <- m t + (1 - m) s; running statistics are copied."""
        momentum = teacher_momentum(self.config.teacher_momentum, progress)
        for mine, theirs in zip(self.teacher.parameters(), self.tokenizer.parameters(), strict=True):
            mine.mul_(momentum).add_(theirs, alpha=1 - momentum)
        for kept, current in zip(self.teacher.buffers(), self.tokenizer.buffers(), strict=True):
            kept.copy_(current)


def teacher_momentum(start: float, progress: float) -> float:
    """Raise the teacher's momentum to 1 along a cosine, as training goes from 0 to 1."""
    return 1 - (1 - start) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2
