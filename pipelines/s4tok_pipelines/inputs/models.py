"""The models that label clouds, by name: a checkpoint in front of its CLIP, or a CLIP alone."""

from dataclasses import dataclass
from typing import NamedTuple

from s4tok.config import STUDENTS, Scene, SegmentConfig, VisionConfig, ZeroShotConfig
from s4tok.errors import MissingError
from s4tok.models.checkpoint import Student, find_student, load_student, read_card
from s4tok.models.trained import Trained
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import TUNED, Prompts, load_prompts, set_for
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.runtime import pick_device


@dataclass(frozen=True)
class ModelNames:
    """Which models label clouds; what is None suits the clouds or the CLIP."""

    checkpoint: str | None = None  # a run folder, or a checkpoint that comes with s4tok
    clip: str = ZeroShotConfig.clip  # the one it was trained for: "mini", an open_clip name, a folder, hf-hub:...
    pretrained: str | None = VisionConfig.pretrained
    prompts: str | None = None  # a set of sentences, or a file
    teacher_only: bool = False  # the 2D baseline, without a checkpoint
    device: str = "auto"

    def checkpoint_for(self, scene: Scene) -> str:
        """Name the checkpoint: the one asked for, or the one that comes with s4tok for objects or rooms."""
        return self.checkpoint or STUDENTS[scene]


class Models(NamedTuple):
    """What the names stand for; no student is the 2D baseline."""

    clip: FrozenClip
    student: Student | None
    prompts: Prompts
    device: str


def load_models(names: ModelNames, scene: Scene, report: Report = silent) -> Models:
    """Load a CLIP, the checkpoint in front of it and the sentences; prompts that know a test split are told."""
    prompts, device = load_prompts(names.prompts or set_for(names.clip)), pick_device(names.device)
    clip = FrozenClip.load(names.clip, names.pretrained, device)
    student = None if names.teacher_only else load_student(names.checkpoint_for(scene), clip, device)
    if prompts.name == TUNED:
        report.note("PointCLIP V2's prompts were chosen on the labels of a test split: this is not zero-shot.")
    return Models(clip, student, prompts, device)


def load_calibrating(names: ModelNames, models: Models, config: SegmentConfig, scene: Scene) -> Student | None:
    """Load the checkpoint that calibrates the 2D baseline: where that is asked for, or its card says so."""
    if not names.teacher_only or config.calibrate == "none":
        return None
    name = names.checkpoint_for(scene)
    if config.calibrate is None and config.calibration_share is None:
        try:
            card = read_card(find_student(name))
        except MissingError:
            return None  # a copy of s4tok without checkpoints has the baseline nonetheless
        if card["clip"]["weights"] != models.clip.sha256 or not Trained.of(card).calibration_share:
            return None
    return load_student(name, models.clip, models.device)
