"""What an answer in words depends on, so that it can be had again."""

from typing import Any

from s4tok import __version__
from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint import TrainedModel
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.prompts import Prompts
from s4tok_pipelines.outputs.assumed import names_of, taken_for


def provenance(
    clouds: CloudDataset, vision: VisionModel | None, checkpoint: TrainedModel | None, prompts: Prompts | None
) -> dict[str, Any]:
    """Name the clouds, the models and the sentences, each so that another one has another name."""
    by = None
    if checkpoint is not None:
        by = {"name": checkpoint.name, "weights": checkpoint.sha256, "card": dict(checkpoint.card)}
    return {
        "s4tok": __version__,
        "dataset": clouds.name,
        "split": clouds.split,
        "files": names_of(clouds),
        **taken_for(clouds),
        "checkpoint": by,
        "vision_model": None if vision is None else {"name": vision.name, **vision.identity},
        "prompts": None if prompts is None else prompts.identity,  # a fine-tuned head needs neither
    }
