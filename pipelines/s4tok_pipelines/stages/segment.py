"""The stage `segment`: name every point with words nobody trained for, and count how often that is right."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.config import Scene, SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.models.checkpoint import Student
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.labelled import Labelled, answers, superpoint_means
from s4tok.zero_shot.point_figures import PartFigures, SceneFigures, Tally
from s4tok.zero_shot.prompts import Prompts
from s4tok.zero_shot.vocabulary import Vocabulary, Words
from s4tok_pipelines.inputs.as_trained import as_trained, calibrated
from s4tok_pipelines.inputs.entries import read_entry
from s4tok_pipelines.inputs.find_superpoints import ready_superpoints
from s4tok_pipelines.inputs.point_scores import CheckpointScorer, PointScorer, VisionScorer
from s4tok_pipelines.outputs.labelled_clouds import FORMATS, stems_of, write_labelled
from s4tok_pipelines.outputs.provenance import provenance
from s4tok_pipelines.report import Failure, Report, silent
from s4tok_pipelines.stages.auto import make_superpoints_for


class Files(NamedTuple):
    """What is written of each cloud, and where."""

    folder: Path
    formats: Sequence[str] = tuple(FORMATS)
    html: bool = False


@dataclass(frozen=True)
class Segmented:
    """How many points have which name, and how right the names are where that is known."""

    clouds: int
    points: dict[str, int]  # of each name, over all clouds
    best_cosine: dict[str, float]  # how near points are to their own name, by share of points
    figures: PartFigures | SceneFigures | None
    uncalibrated: dict[str, float]  # the mean figures without calibration; empty where there was none
    failures: list[Failure]
    about: dict[str, Any]  # all that is needed to do it again

    def facts(self) -> dict[str, Any]:
        """Give the result as plain names and values; fractions in 0 .. 1."""
        figures = {} if self.figures is None else self.figures.facts()
        if self.uncalibrated:
            figures["uncalibrated"] = self.uncalibrated
        return {
            "clouds": self.clouds,
            "failed": len(self.failures),
            **figures,
            "points": self.points,
            "best_cosine": self.best_cosine,
            **self.about,
        }


def segment(
    clouds: CloudDataset,
    cache: Path,
    vision: VisionModel,
    student: Student | None,
    prompts: Prompts,
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - it cannot change
    *,
    labels: Sequence[str] = (),
    category: str | None = None,
    calibrated_by: Student | None = None,
    files: Files | None = None,
    watch: Callable[[Labelled], None] | None = None,
    auto: bool = False,
    workers: int = 1,
    report: Report = silent,
) -> Segmented:
    """Name every point of every cloud by the word whose sentences are nearest, and hold that against its label.

    Reads a dataset and its superpoints, or for the 2D baseline a vision model's features; one cloud at a time.
    Files of a cloud are whole or not there, so a run that was stopped can be started again; what is named of a cloud
    depends on the seed and its key alone.

    Args:
        clouds: Anything with parts or classes, or anything at all where `labels` say what its points may be.
        cache: The folder of all caches.
        vision: The model whose texts name points.
        student: The checkpoint that encodes points; None takes the features of `vision` in the cache, the 2D baseline.
        prompts: The sentences of each word.
        config: How clouds are encoded; what it leaves open is as the checkpoint was trained.
        labels: What points may be, in place of the dataset's words; then nothing can be right or wrong.
        category: What `labels` are parts of.
        calibrated_by: For the 2D baseline, the checkpoint that knows the mean of the vision model's features.
        files: What to write of each cloud; nothing where None.
        watch: Who else counts something of each cloud once it is named.
        auto: Make superpoints that are missing.
        workers: Processes that cut.
        report: Who listens.
    """
    start = time.monotonic()
    words = Vocabulary(clouds, vision, prompts, labels, category)
    scorer: PointScorer
    by = student or calibrated_by
    config = calibrated(config, by)
    if student is None:
        scorer = VisionScorer(vision, clouds, cache, None if by is None else by.means_for(clouds.scene))
    else:
        config = as_trained(config, student, clouds.scene, report)
        if auto:
            make_superpoints_for(student, clouds, cache, workers=workers, report=report)
        superpoints = ready_superpoints(clouds, cache, student, report)
        scorer = CheckpointScorer(student, clouds, superpoints, config, report)
    about = f"labels by {scorer.name}, texts of {vision.name}"
    stems, tally, failures = stems_of(clouds.keys), Tally(clouds), list[Failure]()
    for key in report.steps(clouds.keys, "Naming points"):
        try:
            done = _named(clouds, key, words.of(key), scorer, config, is_known=words.has_truth)
        except InputError as error:
            failures.append(Failure(key, str(error)))
            report.gauge(failed=float(len(failures)))
            continue
        if files is not None:
            write_labelled(files.folder / stems[key], done, files.formats, clouds=clouds, html=files.html, about=about)
        tally.add(key, done, words)
        if watch is not None:
            watch(done)
    if not tally.n_clouds:
        raise InputError(f"none of {len(clouds)} clouds can be segmented: {failures[0].reason}")
    return Segmented(
        tally.n_clouds,
        dict(tally.points),
        tally.best_cosine(),
        tally.figures(config),
        tally.uncalibrated(),
        failures,
        {
            **provenance(clouds, vision, student, prompts),
            **asdict(config),
            "labels": list(labels),
            "category": category,
            "calibrated_by": None if config.calibrate == "none" else _means_of(by, clouds.scene),
            "superpoints": {scorer.superpoints.folder.name: scorer.superpoints.stamp.parameters},
            "seconds": round(time.monotonic() - start, 3),
        },
    )


def _named(
    clouds: CloudDataset, key: str, words: Words, scorer: PointScorer, config: SegmentConfig, *, is_known: bool
) -> Labelled:
    """Name the points of one cloud."""
    cloud = clouds[key]
    superpoints = read_entry(scorer.superpoints, clouds, key, "labels")["labels"].astype(np.int64)
    if len(superpoints) != len(cloud):
        raise InputError(f"it has {len(cloud)} points, and its superpoints are of {len(superpoints)}.")
    scores = scorer.scores(key, cloud, superpoints, words.vectors)
    if config.pool:
        scores = superpoint_means(scores, superpoints)
    truth = words.places(cloud.labels) if is_known and cloud.labels is not None else None
    named = answers(scores, config.unknown)
    means = scorer.mean_scores(words.vectors) if config.calibrate == "mean" else None
    if means is None:
        return Labelled(cloud, superpoints, words.names, scores, named, truth)
    subtracted = np.float32(config.calibration_share or 0.0) * means
    scores = scores - subtracted
    return Labelled(
        cloud,
        superpoints,
        words.names,
        scores,
        answers(scores, config.unknown, subtracted),
        truth,
        subtracted,
        uncalibrated=named,
    )


def _means_of(student: Student | None, scene: Scene) -> dict[str, str] | None:
    """Name the means that labels were calibrated by."""
    means = None if student is None else student.means_for(scene)
    return None if student is None or means is None else {"checkpoint": student.name, "means": means.sha256}
