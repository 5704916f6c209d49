"""What the tables are made of: one checkpoint in one world of rooms, or on one world of objects at one scale."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.config import ReproduceConfig, SegmentConfig, TokenizerConfig, ZeroShotConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.metrics.chance import chance
from s4tok.models.checkpoint import TrainedModel
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.furniture import Furniture
from s4tok.zero_shot.point_figures import SceneFigures
from s4tok.zero_shot.prompts import Prompts
from s4tok.zero_shot.vocabulary import Vocabulary
from s4tok_cache.errors import CacheError
from s4tok_pipelines.inputs.point_scores import PointScorer, VisionScorer
from s4tok_pipelines.inputs.whole_features import WholeFeatures
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.classify import classify
from s4tok_pipelines.stages.open_inputs import open_scorer, open_whole_features
from s4tok_pipelines.stages.segment import segment
from s4tok_pipelines.tables.kept_results import KeptResults, result_stamp

WHOLE = TokenizerConfig()  # the paper's points and tokens of a cloud


class Evaluator(NamedTuple):
    """Everything a checkpoint is measured with but the clouds."""

    clip: FrozenClip
    prompts: Prompts
    cache: Path
    kept: KeptResults
    config: ReproduceConfig
    looking: SegmentConfig  # at rooms; what it leaves open is as each checkpoint was trained
    workers: int
    report: Report

    def rooms(
        self, name: str, checkpoint: TrainedModel, clouds: CloudDataset, *, whole: bool = False
    ) -> dict[str, Any]:
        """Let a checkpoint label every point of rooms; furniture is asked about alone too, and chance stands beside.

        Superpoints that are missing are made. `whole` rooms are encoded as in the paper, and not as in training.
        """
        asked_for = replace(self.looking, seed=self.config.seed)
        if whole:
            asked_for = replace(asked_for, window=0.0, n_points=WHOLE.n_points, n_tokens=WHOLE.n_tokens)
        scorer = open_scorer(
            clouds, self.cache, self.clip, checkpoint, asked_for, auto=True, workers=self.workers, report=self.report
        )
        asked = {**asdict(scorer.config), "guesses": self.config.guesses}
        upstream = (scorer.superpoints.stamp,)
        stamp = result_stamp("segment", clouds, self.clip, checkpoint, self.prompts, asked, upstream)

        def make() -> dict[str, Any]:
            return self._segmented(clouds, scorer)

        return self.kept.get(f"{name}-{clouds.name}{'-whole' if whole else ''}", stamp, make)

    def objects(self, name: str, checkpoint: TrainedModel, clouds: CloudDataset, scale: float) -> dict[str, Any]:
        """Let a checkpoint name whole objects that are so many times as large; nothing else about them changes."""
        asked = ZeroShotConfig(scale=scale, draws=self.looking.draws, seed=self.config.seed)
        features = open_whole_features(
            clouds, self.cache, self.clip, checkpoint, asked, auto=True, workers=self.workers, report=self.report
        )
        upstream = () if features.superpoints is None else (features.superpoints,)
        stamp = result_stamp("classify", clouds, self.clip, checkpoint, self.prompts, asdict(asked), upstream)

        def make() -> dict[str, Any]:
            return self._classified(clouds, features)

        return self.kept.get(f"{name}-{clouds.name}-x{scale:g}", stamp, make)

    def vision(self, clouds: CloudDataset) -> dict[str, Any]:
        """Measure the 2D model itself: on drawn views of objects, on the frames of rooms where it has seen these.

        Empty where its features of rooms are not in the cache.
        """
        config = SegmentConfig(calibrate="none", seed=self.config.seed)
        stage, asked = ("classify", {}) if clouds.scene == "object" else ("segment", asdict(config))
        stamp = result_stamp(stage, clouds, self.clip, None, self.prompts, asked, ())

        def make() -> dict[str, Any]:
            if clouds.scene == "object":
                features = open_whole_features(
                    clouds, self.cache, self.clip, None, workers=self.workers, report=self.report
                )
                return self._classified(clouds, features)
            return self._segmented(clouds, VisionScorer(self.clip, clouds, self.cache, config))

        try:
            return self.kept.get(f"vision-{clouds.name}", stamp, make)
        except (InputError, CacheError) as error:
            self.report.note(f"the 2D model itself is left out in {clouds.name}: {error}")
            return {}

    def _classified(self, clouds: CloudDataset, features: WholeFeatures) -> dict[str, Any]:
        found = classify(clouds, features, self.clip, self.prompts, report=self.report)
        return {**found.facts(), "failures": [vars(failure) for failure in found.failures]}

    def _segmented(self, clouds: CloudDataset, scorer: PointScorer) -> dict[str, Any]:
        furniture, words = Furniture(clouds.classes), Vocabulary(clouds, self.clip, self.prompts)
        found = segment(clouds, scorer, words, watch=furniture, report=self.report)
        points = found.figures.counts.sum(axis=1) if isinstance(found.figures, SceneFigures) else np.zeros(0, int)
        facts = found.facts()
        return {
            "furniture_miou": furniture.miou,
            "chance": self._chance(points),
            "furniture_chance": self._chance(furniture.points),
            "furniture": furniture.names,
            "furniture_points": furniture.points.sum() / max(points.sum(), 1),
            "uncalibrated": {"miou": facts.get("miou")},  # the same where nothing is calibrated
            **facts,
            "failures": [vars(failure) for failure in found.failures],
        }

    def _chance(self, points: Any) -> float:
        return chance(points, draws=self.config.guesses)
