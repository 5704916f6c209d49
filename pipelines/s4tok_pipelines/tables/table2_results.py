"""What the tables are made of: one student in one world of rooms, or on one world of objects at one scale."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.config import ReproduceConfig, SegmentConfig, ZeroShotConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.metrics.chance import chance
from s4tok.models.checkpoint import Student
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.prompts import Prompts
from s4tok_cache import Stamp
from s4tok_pipelines.inputs.as_trained import as_trained, calibrated
from s4tok_pipelines.inputs.find_superpoints import ready_superpoints
from s4tok_pipelines.outputs.furniture import Furniture
from s4tok_pipelines.outputs.segment_figures import SceneFigures
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.classify import classify
from s4tok_pipelines.stages.segment import segment
from s4tok_pipelines.tables.kept_results import Kept, question


class Evaluator(NamedTuple):
    """Everything a student is judged with but the clouds."""

    clip: FrozenClip
    prompts: Prompts
    cache: Path
    kept: Kept
    config: ReproduceConfig
    looking: SegmentConfig  # at rooms; what it leaves open is as each checkpoint was trained
    workers: int
    report: Report

    def rooms(self, name: str, student: Student, clouds: CloudDataset) -> dict[str, Any]:
        """Let a student name every point of rooms; furniture is also asked about alone, and guesses are held beside.

        Superpoints that are missing are made.
        """
        asked_for = replace(self.looking, seed=self.config.seed)
        looking = calibrated(as_trained(asked_for, student, clouds.scene, self.report), student)
        cut = ready_superpoints(clouds, self.cache, student, make=True, workers=self.workers, report=self.report)
        asked = {**asdict(looking), "guesses": self.config.guesses}
        stamp = question("segment", clouds, self.clip, student, self.prompts, asked, (cut.stamp,))

        def make() -> dict[str, Any]:
            furniture = Furniture(clouds.classes)
            found = segment(
                clouds, self.cache, self.clip, student, self.prompts, looking, watch=furniture,
                workers=self.workers, report=self.report,
            )  # fmt: skip
            points = found.figures.counts.sum(axis=1) if isinstance(found.figures, SceneFigures) else np.zeros(0, int)
            return {
                "furniture_miou": furniture.miou,
                "chance": self._chance(points),
                "furniture_chance": self._chance(furniture.points),
                "furniture": furniture.names,
                "furniture_points": furniture.points.sum() / max(points.sum(), 1),
                **found.facts(),
                "failures": [vars(failure) for failure in found.failures],
            }

        return self.kept.get(f"{name}-{clouds.name}", stamp, make)

    def objects(self, name: str, student: Student, clouds: CloudDataset, scale: float) -> dict[str, Any]:
        """Let a student name whole objects that are so many times as large; nothing else about them changes."""
        asked = ZeroShotConfig(scale=scale, draws=self.looking.draws, seed=self.config.seed)
        upstream: tuple[Stamp, ...] = ()
        if student.model.tokenizer.variant.knows_superpoints:
            cut = ready_superpoints(clouds, self.cache, student, make=True, workers=self.workers, report=self.report)
            upstream = (cut.stamp,)
        stamp = question("classify", clouds, self.clip, student, self.prompts, asdict(asked), upstream)

        def make() -> dict[str, Any]:
            found = classify(
                clouds, self.cache, self.clip, student, self.prompts, config=asked, workers=self.workers,
                report=self.report,
            )  # fmt: skip
            return {**found.facts(), "failures": [vars(failure) for failure in found.failures]}

        return self.kept.get(f"{name}-{clouds.name}-x{scale:g}", stamp, make)

    def _chance(self, points: Any) -> float:
        return chance(points, draws=self.config.guesses)
