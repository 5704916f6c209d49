"""Detection: a scene's queries learn its boxes as a set, and average precision says how well."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from s4tok.backbones.scene_tokens import Scenes
from s4tok.collective import mean
from s4tok.config import BoxLossConfig, DetectConfig, FinetuneConfig, GroupFreeLossConfig
from s4tok.losses.boxes import TrueBoxes, box_losses, classified, match
from s4tok.losses.group_free import recognised, staged_losses
from s4tok.metrics.detection import THRESHOLDS, Boxes, average_precision, listed_for_each_class
from s4tok.models.checkpoint import has_own_encoder
from s4tok.models.detector import ClipSceneEncoder, Detector, surest
from s4tok.models.detector_files import save_detector
from s4tok.objectives.objective import Figures, Objective
from s4tok.shapes import Array, Float, Float32, Int, Real


class SceneWithBoxes(NamedTuple):
    """A scene of the training data, +z up, in metres."""

    points: Float32[Array, "n 3"]
    superpoints: Int[Array, " n"] | None  # 0 .. s-1, for an encoder that reads them
    boxes: Float32[Array, "o 7"]
    labels: Int[Array, " o"]
    seed: int  # of scene and epoch


class DetectionBatch(NamedTuple):
    """Scenes of a batch and their boxes."""

    scenes: Scenes
    true: TrueBoxes

    def to(self, device: torch.device | str) -> "DetectionBatch":
        """Move everything to a device."""
        return self._each(lambda field: field.to(device, non_blocking=True))

    def pinned(self) -> "DetectionBatch":
        """Put everything where a GPU can fetch it from while others work."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Any) -> "DetectionBatch":
        return DetectionBatch(Scenes(*map(change, self.scenes)), TrueBoxes(*map(change, self.true)))


class Compared(NamedTuple):
    """What predictions lose, and how many of how many true boxes or queries have the right class."""

    losses: dict[str, Float[Tensor, ""]]
    recognised: tuple[Real[Tensor, ""], Real[Tensor, ""]]


class SetPrediction(Objective):
    """A detector whose queries are matched with the true boxes, one with one, after every layer of its decoder."""

    columns: Sequence[str] = ("total", "class", "center", "size", "angle", "giou", "recognised")
    curves = ("total", "recognised")
    validates = ("ap25", "ap50")
    selects_by = "error"

    def __init__(self, detector: Detector, config: FinetuneConfig, boxes: BoxLossConfig) -> None:
        """Take a detector, of which a frozen CLIP stays what it is, and with `train` "head" the whole encoder."""
        super().__init__()
        self.detector, self.config, self.boxes = detector, config, boxes
        encoder = detector.encoder
        detector.requires_grad_(True)
        if config.train == "head":
            encoder.requires_grad_(False)
        elif isinstance(encoder, ClipSceneEncoder):
            encoder.requires_grad_(False)
            encoder.tokenizer.requires_grad_(True)
            if has_own_encoder(encoder.model):
                for weight in encoder.model.encoder.trainable():
                    weight.requires_grad_(True)
        self.train()

    def train(self, mode: bool = True) -> "SetPrediction":
        """Keep an encoder that is not trained in evaluation mode, or its running statistics would move."""
        super().train(mode)
        self.detector.encoder.train(mode and self.config.train != "head")
        return self

    def rate_of(self, weight: str) -> float:
        """Give the rate of a weight's layer, in those of the decoder."""
        if not weight.startswith("detector.encoder."):
            return 1.0
        is_tokenizer = ".tokenizer." in weight or ".ball." in weight
        return self.config.tokenizer_rate if is_tokenizer else self.config.encoder_rate

    def collate(self, entries: Sequence[SceneWithBoxes]) -> DetectionBatch:
        """Pad scenes to one size, and boxes to one number."""
        n_points = max(len(each.points) for each in entries)
        n_boxes = max(1, *(len(each.boxes) for each in entries))
        points = np.zeros((len(entries), n_points, 3), np.float32)
        superpoints = np.zeros((len(entries), n_points), np.int64)
        boxes, labels = np.zeros((len(entries), n_boxes, 7), np.float32), np.zeros((len(entries), n_boxes), np.int64)
        for place, each in enumerate(entries):
            n, o = len(each.points), len(each.boxes)
            points[place, :n], boxes[place, :o], labels[place, :o] = each.points, each.boxes, each.labels
            if each.superpoints is not None:
                superpoints[place, :n] = each.superpoints
        sizes, counts = np.array([(len(each.points), len(each.boxes)) for each in entries]).T
        scenes = Scenes(
            points=torch.from_numpy(points),
            is_point=torch.from_numpy(np.arange(n_points) < sizes[:, None]),
            superpoints=torch.from_numpy(superpoints),
            seeds=torch.tensor([each.seed for each in entries]),
        )
        is_box = torch.from_numpy(np.arange(n_boxes) < counts[:, None])
        return DetectionBatch(scenes, TrueBoxes(torch.from_numpy(boxes), torch.from_numpy(labels), is_box))

    def step(self, batch: DetectionBatch) -> dict[str, Tensor]:
        """Compute the losses, and the share of what should have a class that has it after the last layer."""
        with drawn_by(batch.scenes.seeds):
            found = self.detector(batch.scenes)
        losses, (right, all_of_them) = self.compare(found, batch.true)
        return {"total": torch.stack(list(losses.values())).sum(), **losses, "recognised": mean(right, all_of_them)}

    def compare(self, found: Any, true: TrueBoxes) -> Compared:
        """Hold predictions against the true boxes, each of which has a query of its own."""
        matches = match(found, true, self.boxes)
        return Compared(box_losses(found, true, matches, self.boxes), classified(matches, found, true))

    def validate(self, batches: Iterable[tuple[int, DetectionBatch]]) -> Figures:
        """Measure the boxes of all held-out scenes at once, each in one sample."""
        found, true, sums, count = list[Boxes](), list[Boxes](), dict.fromkeys(self.columns, 0.0), 0
        for size, batch in batches:
            for name, value in self.step(batch).items():
                sums[name] += size * float(value)
            count += size
            found += counted(self.detector, batch.scenes)
            true += true_boxes(batch.true)
        means = {name: each / max(count, 1) for name, each in sums.items()}
        return {**means, **precisions(found, true, len(self.detector.classes))}

    def selection(self, figures: Figures) -> float:
        """Compare validations by what is missing of AP25; the latest where there was no box to be found."""
        best = float(figures["ap25"])
        return 1 - best if math.isfinite(best) else -math.inf

    def export(self, folder: Path, card: Mapping[str, Any]) -> None:
        """Write the detector."""
        save_detector(folder, self.detector, card)


class StagedPrediction(SetPrediction):
    """A detector with GroupFree3D's decoder, whose queries answer for the things that they stand on."""

    columns = ("total", "queries", "objectness", "class", "center", "size", "angle", "recognised")

    def __init__(
        self, detector: Detector, config: FinetuneConfig, boxes: BoxLossConfig, group_free: GroupFreeLossConfig
    ) -> None:
        """Take a detector as `SetPrediction` does."""
        super().__init__(detector, config, boxes)
        self.group_free = group_free

    def rate_of(self, weight: str) -> float:
        """Give the rate of a weight's layer, in those of the heads."""
        return self.group_free.decoder_rate if weight.startswith("detector.head.decoder.") else super().rate_of(weight)

    def compare(self, found: Any, true: TrueBoxes) -> Compared:
        """Hold predictions against the boxes that their queries stand in."""
        return Compared(staged_losses(found, true, self.group_free), recognised(found, true))


@contextmanager
def drawn_by(seeds: Int[Tensor, " b"]) -> Iterator[None]:
    """Let all that is drawn depend on the seeds of a batch's scenes, so that a resumed run has the same bits.

    Dropout is drawn by PyTorch for a whole batch: among several processes each draws for its own part.
    """
    devices = [seeds.device] if seeds.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(seeds.sum().abs()))
        yield


def counted(detector: Detector, scenes: Scenes) -> list[Boxes]:
    """Find the boxes of scenes as they are counted: each once for every class."""
    config = DetectConfig()
    answers = surest(detector(scenes), None, config)
    return [listed_for_each_class(*answer, config.least_objectness) for answer in answers]


def true_boxes(true: TrueBoxes) -> list[Boxes]:
    """Take a batch's true boxes apart."""
    parts = zip(true.boxes.cpu(), true.labels.cpu(), true.is_box.cpu(), strict=True)
    return [Boxes(boxes[shown], labels[shown], boxes.new_ones(int(shown.sum()))) for boxes, labels, shown in parts]


def precisions(found: Sequence[Boxes], true: Sequence[Boxes], n_classes: int) -> dict[str, float]:
    """Give the mean average precision at both overlaps."""
    return {name: average_precision(found, true, n_classes, at).mean for name, at in THRESHOLDS.items()}
