"""Stage 2 of the SAM-guided system: what a teacher makes of a whole cloud, predicted from some of its tokens."""

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from s4tok.backbones.query_decoder import QueryDecoder
from s4tok.config import PretrainConfig, RegionConfig
from s4tok.losses.chamfer import chamfer_loss
from s4tok.losses.region_losses import instance_loss, masked_loss
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.point_encoder_files import save_point_encoder
from s4tok.objectives.masking import Split, split_tokens
from s4tok.objectives.objective import Figures, Objective
from s4tok.objectives.region_distillation import RegionDistillation, turned_batch
from s4tok.objectives.s4token import teacher_momentum
from s4tok.objectives.training_clouds import Batch, TrainingCloud, augment, group, padded
from s4tok.shapes import Float
from s4tok.tokenizers import Patches
from s4tok.tokenizers.whole import mean_of_tokens

TEACHER = "teacher."  # before the names of its tensors
Losses: TypeAlias = tuple[Tensor, Tensor, Tensor]  # of masked tokens, of whole clouds, and the spread of the targets


class Student(NamedTuple):
    """What the student makes of the tokens that it reads."""

    split: Split
    seen: Float[Tensor, "b v d"]  # features of visible tokens
    predicted: Float[Tensor, "b p d"]  # of masked ones


class MaskedRegions(Objective):
    """A student reads the tokens that are not masked, and predicts the teacher's features.

    Those are of each masked token, by a decoder that knows where it stands, and of the whole cloud, the mean of its
    tokens; both by their mean squared difference, 1:1. The teacher reads every token. It is frozen, or the student's
    moving average; without one the student predicts the points of masked patches, as Point-MAE does. With
    `distillation` it distils region features in the same step, from every token.
    """

    columns = ("total", "masked_tokens", "instance", "masked", "region", "target_spread")
    curves = ("total", "masked_tokens", "instance", "region")

    def __init__(
        self,
        encoder: PointEncoder,
        teacher: PointEncoder | None,
        training: PretrainConfig,
        config: RegionConfig,
        distillation: RegionDistillation | None = None,
    ) -> None:
        """Put the parts together; the teacher that is given is a frozen one."""
        super().__init__()
        self.encoder, self.training_config, self.config = encoder, training, config
        self.teacher = copy.deepcopy(encoder) if config.teaching == "ema" else teacher
        if self.teacher is not None:
            self.teacher.requires_grad_(False)
        width, heads = encoder.tokenizer.width, encoder.backbone.config.heads
        self.decoder = QueryDecoder(width, heads, training.decoder_layers)
        self.instance = self.points = None
        if self.teacher is None:
            self.points = nn.Linear(width, 3 * encoder.tokenizer.config.patch_size)
        else:
            self.instance = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.distillation = distillation  # of the same encoder
        self.train()

    def train(self, mode: bool = True) -> "MaskedRegions":
        """Keep the teacher in evaluation mode."""
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        return self

    def collate(self, entries: Sequence[TrainingCloud]) -> Batch:
        """Pad clouds to one size."""
        return padded(entries)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses; "target_spread" is the deviation of the teacher's features, 0 after a collapse."""
        if self.training:
            read = self.encoder.tokenizer.point_features
            batch = augment(turned_batch(batch, self.config.turn, read), self.training_config, read)
        patches = group(self.encoder.tokenizer, batch)
        student = self._student(batch, patches)
        tokens, instance, spread = self._from_points(patches, student)
        if self.teacher is not None:
            tokens, instance, spread = self._from_teacher(self.teacher, patches, student)
        region = tokens.new_zeros(())
        if self.distillation is not None:
            found = self.distillation.predict(batch, patches, self.encoder.of_patches(patches))
            region = self.distillation.figures(batch, found)["total"]
        return {
            "total": tokens + instance + region,
            "masked_tokens": tokens.detach(),
            "instance": instance.detach(),
            "masked": student.split.is_masked.sum() / patches.is_token.sum(),
            "region": region.detach(),
            "target_spread": spread,
        }

    def _student(self, batch: Batch, patches: Patches) -> Student:
        split = split_tokens(patches.is_token, self.training_config.mask_ratio, batch.seeds)
        seen = self.encoder.of_patches(patches.take(split.visible, split.is_visible))
        places = patches.take(split.masked, split.is_masked).positions
        asked = self.encoder.tokenizer.encode(places).to(seen.dtype)
        return Student(split, seen, self.decoder(asked, seen, split.is_visible))

    def _from_teacher(self, teacher: PointEncoder, patches: Patches, student: Student) -> Losses:
        """Compare with what the teacher makes of masked tokens and of the whole."""
        assert self.instance is not None
        with torch.no_grad():
            targets = teacher.of_patches(patches)
        split = student.split
        wanted = targets.gather(1, split.masked[..., None].expand(-1, -1, targets.shape[2]))
        whole = self.instance(mean_of_tokens(student.seen, split.is_visible))
        return (
            masked_loss(student.predicted, wanted, split.is_masked),
            instance_loss(whole, mean_of_tokens(targets, patches.is_token)),
            targets[patches.is_token].std(0, correction=0).mean(),
        )

    def _from_points(self, patches: Patches, student: Student) -> Losses:
        """Compare with the points of masked patches, where there is no teacher."""
        zero = student.seen.new_zeros(())
        if self.points is None:
            return zero, zero, zero
        hidden = patches.take(student.split.masked, student.split.is_masked)
        drawn = self.points(student.predicted).unflatten(2, (-1, 3))
        return chamfer_loss(drawn, hidden.offsets, hidden.is_member, student.split.is_masked), zero, zero

    def after_step(self, progress: float) -> None:
        """Move the teacher, where it is the student's moving average."""
        if self.config.teaching != "ema" or self.teacher is None:
            return
        momentum = teacher_momentum(self.training_config.teacher_momentum, progress)
        with torch.no_grad():
            for mine, theirs in zip(self.teacher.parameters(), self.encoder.parameters(), strict=True):
                mine.mul_(momentum).add_(theirs, alpha=1 - momentum)
            for kept, current in zip(self.teacher.buffers(), self.encoder.buffers(), strict=True):
                kept.copy_(current)

    def selection(self, figures: Figures) -> float:
        """Compare epochs by the loss; one whose teacher moves has no fixed aim, and the latest counts as the best."""
        return -math.inf if self.config.teaching == "ema" else super().selection(figures)

    def trainable_state(self) -> dict[str, Tensor]:
        """Give everything but a frozen teacher; the stage-1 run has that."""
        state, is_moving = self.state_dict(), self.config.teaching == "ema"
        return {name: tensor for name, tensor in state.items() if is_moving or not name.startswith(TEACHER)}

    def export(self, folder: Path, card: Mapping[str, Any]) -> None:
        """Write the student's tokenizer and transformer, with their card."""
        projection = None if self.distillation is None else self.distillation.projection
        save_point_encoder(folder, self.encoder, card, projection)
