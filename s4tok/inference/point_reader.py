"""Colours and normals of clouds, for checkpoints that read them; what clouds lack is said once."""

from s4tok.clouds import PointCloud
from s4tok.config import PointKind
from s4tok.models.checkpoint import TrainedModel
from s4tok.notes import Note, log
from s4tok.shapes import Array, Float32
from s4tok.tokenizers.point_features import in_words


class PointReader:
    """Reads what a checkpoint was trained with; what a cloud lacks of it counts as unknown, and is told once."""

    def __init__(self, checkpoint: TrainedModel, up: str, note: Note = log) -> None:
        self.wanted, self.name = checkpoint.model.tokenizer.point_features, checkpoint.name
        self.up, self.note = up, note
        self.told: set[PointKind] = set()

    def read(self, cloud: PointCloud) -> Float32[Array, "n c"] | None:
        """Give a cloud's features; None for a checkpoint that reads none."""
        if not self.wanted.kinds:
            return None
        features = self.wanted.read(cloud, self.up)
        lacking: list[PointKind] = [kind for kind in self.wanted.lacking(features) if kind not in self.told]
        if lacking:
            self.told.update(lacking)
            self.note(
                f"{cloud.name} has no {in_words(lacking)}, which checkpoint {self.name} was trained with: they count "
                "as unknown, here and in every other cloud without"
            )
        return features
