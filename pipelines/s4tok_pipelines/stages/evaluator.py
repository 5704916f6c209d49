"""What the tables are made of: one checkpoint, or the 2D model, on one dataset."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.config import (
    DetectConfig,
    ReproduceConfig,
    SegmentConfig,
    SuperpointConfig,
    TokenizerConfig,
    VisionConfig,
    ZeroShotConfig,
)
from s4tok.config.kinds import SuperpointPreset
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.detecting import SceneDetector
from s4tok.inference.head_words import HeadVocabulary
from s4tok.metrics.chance import PartPoints, chance, chance_of_parts
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.detector_files import LoadedDetector
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.zero_shot.furniture import Furniture
from s4tok.zero_shot.labelled import Labelled
from s4tok.zero_shot.point_figures import SceneFigures
from s4tok.zero_shot.prompts import Prompts
from s4tok.zero_shot.vocabulary import Vocabulary
from s4tok_cache.errors import CacheError
from s4tok_pipelines.inputs import find_superpoints
from s4tok_pipelines.inputs.entries import root_of, way_out
from s4tok_pipelines.inputs.features import cut_of, features_of, find_features
from s4tok_pipelines.inputs.point_scores import CheckpointScorer, PointScorer, VisionScorer
from s4tok_pipelines.inputs.whole_features import WholeFeatures
from s4tok_pipelines.report import Report
from s4tok_pipelines.stages.auto import make_superpoints, usual_superpoints
from s4tok_pipelines.stages.classify import classify
from s4tok_pipelines.stages.detect import detect, open_superpoints
from s4tok_pipelines.stages.make_features import make_features
from s4tok_pipelines.stages.open_inputs import open_scorer, open_whole_features
from s4tok_pipelines.stages.segment import segment
from s4tok_pipelines.stamps import FEATURES_STAGE, is_as, superpoints_stamp
from s4tok_pipelines.tables.kept_results import KeptResults, result_stamp
from s4tok_pipelines.tables.spec import SYNTHETIC_CUT, Task

WHOLE = TokenizerConfig()  # the paper's points and tokens of a cloud
SEGMENTS = SuperpointConfig(method="scannet-segments")
KEPT_AS: Mapping[Task, str] = {"parts": "-parts", "objects": "-x1", "rooms": "", "boxes": "-boxes"}  # ends of names
SEGMENTED, WHOLE_ROOMS = "-segments", "-whole"  # of results in rooms by other superpoints, and of whole ones
PART_GUESSES = 10  # random labellings of parts; their mean moves by less than a tenth of a point


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
    model: VisionConfig | None = None  # the CLIP's name, to make its features of views that are missing
    superpoints: SuperpointPreset = SYNTHETIC_CUT  # of these features, as of the checkpoints beside them

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

        return self.kept.get(f"{name}-{clouds.name}{WHOLE_ROOMS if whole else ''}", stamp, make)

    def on_segments(self, name: str, checkpoint: TrainedModel, clouds: CloudDataset) -> dict[str, Any]:
        """Let a checkpoint label rooms whose superpoints are the segments they were published with."""
        make_superpoints(clouds, self.cache, SEGMENTS, workers=self.workers, report=self.report)
        encoder = CloudEncoder(
            checkpoint, replace(self.looking, seed=self.config.seed), clouds.scene, clouds.up, self.report.note
        )
        scorer = CheckpointScorer(encoder, find_superpoints.open_superpoints(clouds, self.cache, SEGMENTS))
        asked = {**asdict(scorer.config), "guesses": self.config.guesses}
        stamp = result_stamp("segment", clouds, self.clip, checkpoint, self.prompts, asked, (scorer.superpoints.stamp,))
        return self.kept.get(f"{name}-{clouds.name}{SEGMENTED}", stamp, lambda: self._segmented(clouds, scorer))

    def parts(self, name: str, checkpoint: TrainedModel, clouds: CloudDataset) -> dict[str, Any]:
        """Let a checkpoint label the parts of objects of known category."""
        asked_for = replace(self.looking, seed=self.config.seed)
        scorer = open_scorer(
            clouds, self.cache, self.clip, checkpoint, asked_for, auto=True, workers=self.workers, report=self.report
        )
        asked = {**asdict(scorer.config), "guesses": PART_GUESSES}
        stamp = result_stamp("segment", clouds, self.clip, checkpoint, self.prompts, asked, (scorer.superpoints.stamp,))
        return self.kept.get(f"{name}-{clouds.name}{KEPT_AS['parts']}", stamp, lambda: self._parts(clouds, scorer))

    def parts_of_each(self, checkpoint: TrainedModel | None, clouds: CloudDataset) -> list[Labelled]:
        """Label the parts of a few objects, and keep each; without a checkpoint by the 2D model on its views."""
        config = replace(self.looking, seed=self.config.seed)
        scorer = self._by_views(clouds) if checkpoint is None else open_scorer(
            clouds, self.cache, self.clip, checkpoint, config, auto=True, workers=self.workers, report=self.report
        )  # fmt: skip
        found: list[Labelled] = []
        segment(clouds, scorer, self._words(clouds, scorer), watch=found.append, report=self.report)
        return found

    def vision_parts(self, clouds: CloudDataset) -> dict[str, Any]:
        """Measure the 2D model itself on parts, by its features of drawn views, which are made where none are."""
        scorer = self._by_views(clouds)
        stamp = result_stamp(
            "segment", clouds, self.clip, None, self.prompts, {**asdict(scorer.config), "guesses": PART_GUESSES},
            (scorer.features.stamp,),
        )  # fmt: skip
        return self.kept.get(f"vision-{clouds.name}{KEPT_AS['parts']}", stamp, lambda: self._parts(clouds, scorer))

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

    def boxes(self, name: str, detector: LoadedDetector, clouds: CloudDataset) -> dict[str, Any]:
        """Let a detector find the boxes of rooms."""
        superpoints = open_superpoints(
            detector, clouds, self.cache, auto=True, workers=self.workers, report=self.report
        )
        config = DetectConfig(seed=self.config.seed)
        upstream = () if superpoints is None else (superpoints.stamp,)
        asked = {**asdict(config), "detector": detector.sha256}
        stamp = result_stamp("detect", clouds, self.clip, None, self.prompts, asked, upstream)

        def make() -> dict[str, Any]:
            found = detect(clouds, SceneDetector(detector, config), superpoints, report=self.report)
            facts = found.facts()
            return {
                **facts,
                "checkpoint": {**facts["checkpoint"], "card": dict(detector.card)},
                "failures": [vars(failure) for failure in found.failures],
            }

        return self.kept.get(f"{name}-{clouds.name}{KEPT_AS['boxes']}", stamp, make)

    def vision(self, clouds: CloudDataset) -> dict[str, Any]:
        """Measure the 2D model itself: on drawn views of objects, on frames of rooms, whose features are made.

        Empty where rooms have no frames, and where the model cannot encode them.
        """
        try:
            return self._vision(clouds)
        except (InputError, CacheError) as error:
            self.report.note(f"the 2D model itself is left out in {clouds.name}: {error}")
            return {}

    def facts(self) -> dict[str, Any]:
        """Say what everything was measured with."""
        return {
            "vision_model": {"name": self.clip.name, **self.clip.identity},
            "prompts": self.prompts.identity,
            "config": {**asdict(self.config), "looking": asdict(self.looking)},
            "results_made": self.kept.made,
            "results_present": self.kept.present,
        }

    def _vision(self, clouds: CloudDataset) -> dict[str, Any]:
        name = f"vision-{clouds.name}"
        if clouds.scene == "object":
            stamp = result_stamp("classify", clouds, self.clip, None, self.prompts, {}, ())

            def make() -> dict[str, Any]:
                features = open_whole_features(
                    clouds, self.cache, self.clip, None, workers=self.workers, report=self.report
                )
                return self._classified(clouds, features)

            return self.kept.get(name, stamp, make)
        scorer = self._by_views(clouds)
        upstream = (scorer.features.stamp,)
        stamp = result_stamp("segment", clouds, self.clip, None, self.prompts, asdict(scorer.config), upstream)
        return self.kept.get(name, stamp, lambda: self._segmented(clouds, scorer))

    def _classified(self, clouds: CloudDataset, features: WholeFeatures) -> dict[str, Any]:
        found = classify(clouds, features, self.clip, self.prompts, report=self.report)
        return {**found.facts(), "failures": [vars(failure) for failure in found.failures]}

    def _segmented(self, clouds: CloudDataset, scorer: PointScorer) -> dict[str, Any]:
        furniture, words = Furniture(clouds.classes), self._words(clouds, scorer)
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

    def _parts(self, clouds: CloudDataset, scorer: PointScorer) -> dict[str, Any]:
        points = PartPoints([clouds.parts[name] for name in clouds.categories])
        found = segment(
            clouds,
            scorer,
            self._words(clouds, scorer),
            watch=lambda done: points.add(done.cloud.labels),
            report=self.report,
        )
        random = chance_of_parts(points, draws=PART_GUESSES, seed=self.config.seed)
        return {
            "chances": random,
            "uncalibrated": {},
            **found.facts(),
            "failures": [vars(failure) for failure in found.failures],
        }

    def _by_views(self, clouds: CloudDataset) -> VisionScorer:
        """Open the 2D model's features of views, drawn or posed, which are made where they are missing."""
        cut, root = self._cut(clouds), root_of(self.cache, clouds)
        if self.model is not None:
            make_features(
                clouds, self.cache, self.model, cut,
                workers=self.workers, device=self.clip.device.type, report=self.report,
            )  # fmt: skip
        features = find_features(
            root, self.clip.name, self.clip.identity,
            lambda: way_out(clouds, self.cache, f"{FEATURES_STAGE} --model {self.clip.name}", auto=False),
            clouds=clouds, cut=None if cut is None else superpoints_stamp(cut),
        )  # fmt: skip
        config = SegmentConfig(calibrate="none", seed=self.config.seed)
        return VisionScorer(self.clip, clouds, self.cache, config, features=features)

    def _cut(self, clouds: CloudDataset) -> SuperpointConfig | None:
        """Choose the superpoints of the 2D model's features: the preset's, or the only others if it has such.

        Others that rows were trained or measured with change nothing. None where nothing is cut, as with ready labels.
        """
        usual = usual_superpoints(clouds, self.cache, self.superpoints)
        if usual is None:
            return None
        seen = features_of(root_of(self.cache, clouds), self.clip.identity, clouds)
        has_some = any(is_as(cut_of(stamp), usual) for stamp in seen)
        return usual if has_some else SuperpointConfig.of(clouds.scene, self.superpoints)

    def _words(self, clouds: CloudDataset, scorer: PointScorer) -> Vocabulary:
        checkpoint = scorer.checkpoint
        if checkpoint is not None and checkpoint.labeller is not None:
            return HeadVocabulary(clouds, checkpoint)
        return Vocabulary(clouds, self.clip, self.prompts)

    def _chance(self, points: Any) -> float:
        return chance(points, draws=self.config.guesses)
