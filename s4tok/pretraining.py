"""One step of training the tokenizer through a frozen CLIP (Sec. 3.4): teacher, student, losses; no loop, no files."""

import copy
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from s4tok.config import ClusterConfig, PretrainConfig, PropagationConfig
from s4tok.encoder import Encoded, FrozenEncoder
from s4tok.losses.assignment import assignment_loss
from s4tok.losses.clusters import cluster
from s4tok.losses.distillation import global_loss, local_loss
from s4tok.masking import Split, split_tokens
from s4tok.propagation import pooling
from s4tok.query_decoder import QueryDecoder
from s4tok.shapes import Bool, Float, Int, Real
from s4tok.tokenizers import Patches, Tokenizer
from s4tok.tokenizers.noise import noise

_STREAM = 2  # of the augmentation, apart from the draws of tokenizer and mask


class Batch(NamedTuple):
    """Clouds of a batch, padded to one size, with what CLIP saw of each."""

    points: Real[Tensor, "b n 3"]
    superpoints: Int[Tensor, "b n"]  # 0 .. s-1
    is_point: Bool[Tensor, "b n"]
    local_targets: Float[Tensor, "b s c"]  # CLIP's feature of each superpoint
    is_seen: Bool[Tensor, "b s"]  # False where no view saw it
    global_targets: Float[Tensor, "b c"]  # CLIP's feature of the whole cloud, mean of its views
    seeds: Int[Tensor, " b"]  # of each cloud and epoch: centres, patches, masks and augmentation follow it
    features: Float[Tensor, "b n extra"] | None = None  # of points, if the tokenizer reads any

    def to(self, device: torch.device | str) -> "Batch":
        """Move everything to a device."""
        moved: dict[str, Any] = {}
        for name, field in self._asdict().items():
            moved[name] = None if field is None else field.to(device)
        return Batch(**moved)


class Losses(NamedTuple):
    """A step's losses, and counts a log should carry. `total` is the one to minimise."""

    total: Float[Tensor, ""]
    assign: Float[Tensor, ""]
    local: Float[Tensor, ""]
    whole: Float[Tensor, ""]
    masked: Float[Tensor, ""]  # share of tokens
    orphans: Float[Tensor, ""]  # share of points whose superpoint has no centre
    fill: Int[Tensor, " bins"]  # patches by how many points they have


class Pretraining(nn.Module):
    """Student, teacher and query decoder around one frozen encoder. `forward` is a step's loss.

    The teacher is the moving average of the tokenizer. The decoder has none: the teacher sees every token and asks
    for no feature. Weights under "encoder." are CLIP's own and belong in no checkpoint.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        encoder: FrozenEncoder,
        config: PretrainConfig,
        clusters: ClusterConfig,
        propagation: PropagationConfig | None = None,
    ) -> None:
        super().__init__()
        self.tokenizer, self.encoder = tokenizer, encoder
        self.teacher = copy.deepcopy(tokenizer).requires_grad_(False)
        self.decoder = QueryDecoder(encoder.width, encoder.heads, config.decoder_layers)
        self.config, self.clusters = config, clusters
        self.propagation = propagation or PropagationConfig()
        self.train()

    def train(self, mode: bool = True) -> "Pretraining":
        """Keep the teacher in evaluation mode: it normalises by running statistics, whatever else is in its batch."""
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, batch: Batch) -> Losses:
        """Compute the losses of one batch; equations 5 to 9."""
        patches = self.tokenizer.group(
            batch.points, batch.superpoints, features=batch.features, is_point=batch.is_point, seeds=batch.seeds
        )
        split = split_tokens(patches.is_token, self.config.mask_ratio, batch.seeds)
        visible = self.tokenizer.embed(patches.take(split.visible, split.is_visible))
        seen = self.encoder(visible.tokens, split.is_visible)
        places = patches.take(split.masked, split.is_masked).positions
        imagined = self.decoder(self.tokenizer.encode(places).to(seen.hidden.dtype), seen.hidden, split.is_visible)

        zero = batch.points.new_zeros((), dtype=torch.float32)
        assign = local = whole = zero
        orphans = zero
        if self.config.loss != "distill":
            assign = self._assign(patches, split, imagined)
        if self.config.loss != "assign":
            joined = Encoded(seen.whole, split.join(seen.hidden, imagined))
            local, whole, orphans = self._distill(batch, patches, joined)
        distill = self.config.local_weight * local + self.config.global_weight * whole
        return Losses(
            total=assign + distill,
            assign=assign.detach(),
            local=local.detach(),
            whole=whole.detach(),
            masked=split.is_masked.sum() / patches.is_token.sum(),
            orphans=orphans,
            fill=patches.fill_histogram(),
        )

    def _assign(self, patches: Patches, split: Split, imagined: Float[Tensor, "b p d"]) -> Float[Tensor, ""]:
        with torch.no_grad():
            tokens = self.teacher.embed(patches)
            features = self.encoder.project(self.encoder(tokens.tokens, tokens.is_token).hidden)
            found = cluster(features, patches.positions, patches.is_token, self.clusters)
        rows = split.masked[..., None].expand(-1, -1, found.assignment.shape[2])
        return assignment_loss(
            self.encoder.project(imagined),
            split.is_masked,
            found.assignment.gather(1, rows),
            found.prototypes,
            found.is_cluster,
            self.config.temperature,
        )

    def _distill(
        self, batch: Batch, patches: Patches, encoded: Encoded
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
        if self.config.distill_pass == "full":
            tokens = self.tokenizer.embed(patches)
            encoded = self.encoder(tokens.tokens, tokens.is_token)
        pool = pooling(
            patches, batch.points, batch.superpoints, batch.is_seen.shape[1], batch.is_point, self.propagation
        )
        features = pool.pool(self.encoder.project(encoded.hidden))
        center = self.config.center_targets
        local = local_loss(features, batch.local_targets, batch.is_seen & pool.has_points, center=center)
        whole = global_loss(encoded.whole, batch.global_targets, center=center)
        orphans = (~pool.has_own & batch.is_point).sum() / batch.is_point.sum().clamp_min(1)
        return local, whole, orphans

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


def augment(points: Real[Tensor, "b n 3"], seeds: Int[Tensor, " b"], config: PretrainConfig) -> Real[Tensor, "b n 3"]:
    """Stretch each cloud along its axes and shift it, by its own seed; PCP-MAE's."""
    draw = noise(seeds[:, None], torch.full((6,), _STREAM, device=seeds.device), torch.arange(6, device=seeds.device))
    low, high = config.scale_range
    scale, shift = low + (high - low) * draw[:, None, :3], config.shift * (2 * draw[:, None, 3:] - 1)
    return points * scale.to(points.dtype) + shift.to(points.dtype)
