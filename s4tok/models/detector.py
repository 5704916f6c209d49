"""A detector: what encodes a scene, the decoder that finds boxes in it, and their classes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from s4tok.backbones.pointnet import PointNetEncoder
from s4tok.backbones.scene_tokens import Scenes, SceneTokens, to_y_up, to_z_up
from s4tok.backbones.set_abstraction import SetAbstractionEncoder
from s4tok.config import DetectConfig, DetectorConfig
from s4tok.geometry.boxes import points_held
from s4tok.heads.detection import BoxPredictions, DetectionHead
from s4tok.heads.group_free import GroupFreeHead, StagedPredictions
from s4tok.metrics.detection import Boxes, kept_apart
from s4tok.models.model import Model
from s4tok.models.point_encoder import PointEncoder
from s4tok.shapes import Float, Real
from s4tok.tokenizers import Tokenizer


class Detector(nn.Module):
    """Points in metres, +z up, to boxes."""

    def __init__(self, encoder: "SceneEncoder", config: DetectorConfig, classes: Sequence[str]) -> None:
        """Put a new head behind an encoder."""
        super().__init__()
        self.encoder, self.config, self.classes = encoder, config, tuple(classes)
        self.head = HEADS[config.decoder](config, encoder.width, len(classes))

    def forward(self, scenes: Scenes) -> "Predictions":
        """Find boxes."""
        found: Predictions = self.head(self.encoder(scenes), *scenes.bounds())
        return found

    @property
    def tokenizer(self) -> Tokenizer | None:
        """Give the tokenizer of an encoder that has one; those of the papers' detectors have none."""
        encoder = self.encoder
        return encoder.tokenizer if isinstance(encoder, PlainSceneEncoder | ClipSceneEncoder) else None

    @property
    def reads_superpoints(self) -> bool:
        """Tell whether its tokens depend on superpoints."""
        return self.tokenizer is not None and self.tokenizer.variant.knows_superpoints


class PlainSceneEncoder(nn.Module):
    """A tokenizer and a plain transformer, those of the SAM-guided system or new ones."""

    def __init__(self, encoder: PointEncoder) -> None:
        super().__init__()
        self.encoder, self.width = encoder, encoder.tokenizer.width

    @property
    def tokenizer(self) -> Tokenizer:
        """Give its tokenizer."""
        return self.encoder.tokenizer

    def forward(self, scenes: Scenes) -> SceneTokens:
        """Encode scenes."""
        found = self.encoder(to_y_up(scenes.points), scenes.superpoints, is_point=scenes.is_point, seeds=scenes.seeds)
        return SceneTokens(found.tokens, to_z_up(found.read.xyz), found.read.is_token)


class ClipSceneEncoder(nn.Module):
    """A tokenizer in front of a CLIP, whose tokens at the end of the transformer are in its own width."""

    def __init__(self, model: Model) -> None:
        """Take all of it but its head, which takes features to another model's space."""
        super().__init__()
        self.model = Model(model.tokenizer, model.clip, model.attend, encoder=model.encoder).of_scene("room")
        self.width = model.tokenizer.width

    @property
    def tokenizer(self) -> Tokenizer:
        """Give its tokenizer."""
        return self.model.tokenizer

    def forward(self, scenes: Scenes) -> SceneTokens:
        """Encode scenes."""
        read = self.model.read(to_y_up(scenes.points), scenes.superpoints, is_point=scenes.is_point, seeds=scenes.seeds)
        return SceneTokens(read.layers[-1], to_z_up(read.tokens.xyz), read.tokens.is_token)


OwnEncoder: TypeAlias = SetAbstractionEncoder | PointNetEncoder
SceneEncoder: TypeAlias = OwnEncoder | PlainSceneEncoder | ClipSceneEncoder
OWN_ENCODERS: Mapping[str, type[OwnEncoder]] = {
    "3detr": SetAbstractionEncoder, "3detr-m": SetAbstractionEncoder, "pointnet++": PointNetEncoder,
}  # fmt: skip
Predictions: TypeAlias = BoxPredictions | StagedPredictions
HEADS: Mapping[str, type[DetectionHead | GroupFreeHead]] = {"3detr": DetectionHead, "groupfree": GroupFreeHead}


class Sure(NamedTuple):
    """What is left of a scene's boxes once those that hold too little, or what a surer one holds, are dropped."""

    boxes: Boxes  # by their likeliest class; scores are how surely they hold anything
    probabilities: Float[Tensor, "n c"]  # of each class


@torch.no_grad()
def surest(found: Predictions, points: Sequence[Real[Tensor, "_ 3"]] | None, config: DetectConfig) -> list[Sure]:
    """Take the boxes of each scene after the last layer, as 3DETR takes them to be measured.

    Boxes must hold some of the points, each scene's; without points they may hold none, as while 3DETR trains.
    """
    boxes, (objectness, classes) = found.boxes()[-1].float(), found.scores()
    answers = []
    for scene, shown in enumerate(found.is_query):
        if points is not None:
            shown = shown & (points_held(boxes[scene], points[scene]) >= config.fewest_points)
        mine, sure, of_classes = (part[scene, shown].cpu() for part in (boxes, objectness[-1], classes[-1]))
        every = Boxes(mine, of_classes.argmax(-1), sure)
        kept = kept_apart(every, config.overlap)
        answers.append(Sure(Boxes(*(part[kept] for part in every)), of_classes[kept]))
    return answers
