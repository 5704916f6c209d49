"""What `segment` reads, opened before its first cloud: a checkpoint with superpoints, or a 2D model's features."""

from pathlib import Path

from s4tok.config import SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint import Student
from s4tok.vision.vision_model import VisionModel
from s4tok_pipelines.inputs.as_trained import as_trained, calibrated
from s4tok_pipelines.inputs.point_scores import CheckpointScorer, PointScorer, VisionScorer
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.auto import superpoints_for


def open_scorer(
    clouds: CloudDataset,
    cache: Path,
    vision: VisionModel,
    student: Student | None,
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - it cannot change
    *,
    calibrated_by: Student | None = None,
    auto: bool = False,
    workers: int = 1,
    report: Report = silent,
) -> PointScorer:
    """Open what scores points of these clouds.

    Args:
        clouds: The dataset whose superpoints or features are in the cache.
        cache: The folder of all caches.
        vision: The model whose texts name points.
        student: The checkpoint that encodes points; None takes the features of `vision` in the cache, the 2D baseline.
        config: How clouds are encoded; what it leaves open is as the checkpoint was trained.
        calibrated_by: For the 2D baseline, the checkpoint that knows the mean of the vision model's features.
        auto: Make superpoints that are missing.
        workers: Processes that cut.
        report: Who listens.
    """
    config = calibrated(config, student or calibrated_by)
    if student is None:
        return VisionScorer(vision, clouds, cache, config, calibrated_by)
    config = as_trained(config, student, clouds.scene, report)
    superpoints = superpoints_for(student, clouds, cache, auto=auto, workers=workers, report=report)
    return CheckpointScorer(student, clouds, superpoints, config, report)
