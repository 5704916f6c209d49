"""The models that label clouds, by name: a checkpoint in front of its CLIP, or a vision model alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from s4tok.config import CALIBRATING, DEFAULT_CHECKPOINT, SegmentConfig, VisionConfig, ZeroShotConfig
from s4tok.device import pick_device
from s4tok.errors import MissingError, UsageError
from s4tok.inference.loading import load
from s4tok.models.checkpoint import TrainedModel, load_trained
from s4tok.models.checkpoint_files import find_checkpoint, read_card
from s4tok.models.trained import Trained
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.table import load_vision_model
from s4tok.vision.vision_model import Capability, VisionModel
from s4tok.zero_shot.prompts import TUNED, Prompts, load_prompts, set_for
from s4tok_pipelines.report import Report, silent


@dataclass(frozen=True)
class ModelNames:
    """Which models label clouds; what is None suits the clouds or the models."""

    checkpoint: str | None = None  # a run folder, or a checkpoint that comes with s4tok
    # The one it was trained for, as its card says where None; any vision model with texts for the 2D baseline.
    clip: str | None = None
    pretrained: str | None = VisionConfig.pretrained
    prompts: str | None = None  # a set of sentences, or a file
    vision_only: bool = False  # the 2D baseline, without a checkpoint
    device: str = "auto"
    # Where the model lies that a checkpoint was distilled from, if that is not its CLIP: by its card's name where None.
    text_model: str | None = None
    text_pretrained: str | None = None
    zero_shot: bool = False  # label by prompts though the checkpoint was fine-tuned
    synonyms: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of labels

    @property
    def chosen_checkpoint(self) -> str:
        """Name the checkpoint: the one asked for, or the one that is taken where none is."""
        return self.checkpoint or DEFAULT_CHECKPOINT


class Models(NamedTuple):
    """What the names stand for; no checkpoint is the 2D baseline."""

    vision: VisionModel | None  # whose texts name things; a head without a CLIP has none
    checkpoint: TrainedModel | None
    prompts: Prompts
    device: str

    @property
    def texts(self) -> VisionModel:
        """Give the model whose texts name things, where there is no head."""
        assert self.vision is not None
        return self.vision


def load_models(names: ModelNames, report: Report = silent, *needed: Capability) -> Models:
    """Load the models and the sentences; prompts that know a test split are told.

    Args:
        names: Of the models.
        report: Who listens.
        needed: What the 2D baseline asks of its model, beside texts.
    """
    if names.vision_only:
        chosen, device = None if names.prompts is None else load_prompts(names.prompts), pick_device(names.device)
        vision = load_vision_model(
            VisionConfig(names.clip or ZeroShotConfig.clip, names.pretrained), device, *needed, "text"
        )
        prompts = (chosen or load_prompts(set_for(vision.name))).also_called(names.synonyms)
        models = Models(vision, None, prompts, device)
    else:
        loaded = load(
            names.chosen_checkpoint, clip=names.clip, pretrained=names.pretrained, text_model=names.text_model,
            text_pretrained=names.text_pretrained, prompts=names.prompts, device=names.device,
            zero_shot=names.zero_shot, synonyms=names.synonyms,
        )  # fmt: skip
        if loaded.trained_model.labeller is not None:  # a head needs no texts, and there may be none
            clip = loaded.model.clip
            return Models(
                clip,
                loaded.trained_model,
                load_prompts(set_for(loaded.name if clip is None else clip.name)),
                loaded.device,
            )
        models = Models(loaded.texts, loaded.trained_model, loaded.prompts, loaded.device)
    if models.prompts.name == TUNED:
        report.note("PointCLIP V2's prompts were chosen on the labels of a test split: this is not zero-shot.")
    return models


def load_calibrating(names: ModelNames, models: Models, config: SegmentConfig) -> TrainedModel | None:
    """Load the checkpoint that calibrates the 2D baseline: where that is asked for, or its card says so."""
    if not names.vision_only or models.vision is None or config.calibrate == "none":
        return None
    name = names.checkpoint or CALIBRATING.get(models.vision.name, DEFAULT_CHECKPOINT)
    is_asked = config.calibrate or config.calibration_share is not None
    if not isinstance(models.vision, FrozenClip):
        if is_asked:
            raise UsageError(
                f"checkpoints calibrate CLIPs, and {models.vision.name} is none.", "pass --calibrate none."
            )
        return None
    if not is_asked:
        try:
            card = read_card(find_checkpoint(name))
        except MissingError:
            return None  # a copy of s4tok without checkpoints has the baseline nonetheless
        trained = Trained.of(card)
        weights = {model["weights"] for model in (card.get("clip"), trained.vision_model) if model}
        if weights != {models.vision.sha256} or not trained.calibration_share:
            return None
    checkpoint = load_trained(name, models.vision, models.device)
    if checkpoint.trained.vision_model.get("weights", models.vision.sha256) != models.vision.sha256:
        raise UsageError(
            f"checkpoint {name} was distilled from {checkpoint.trained.vision_model['model']}, and cannot calibrate "
            f"{models.vision.name}.",
            "pass --calibrate none, or another --checkpoint.",
        )
    return checkpoint
