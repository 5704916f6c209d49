"""What `segment` and `classify` read, opened before the first cloud: a checkpoint with superpoints, or a 2D model."""

from pathlib import Path

from s4tok.config import SegmentConfig, ViewConfig, ZeroShotConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.inference.as_trained import calibrated
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.models.checkpoint import TrainedModel
from s4tok.vision.vision_model import VisionModel
from s4tok_cache import CacheReader
from s4tok_pipelines.inputs.point_scores import CheckpointScorer, PointScorer, VisionScorer
from s4tok_pipelines.inputs.whole_features import WholeFeatures, by_checkpoint, by_views, encoded_already
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.auto import superpoints_for
from s4tok_pipelines.stamps import views_stamp


def open_scorer(
    clouds: CloudDataset,
    cache: Path,
    vision: VisionModel | None,
    checkpoint: TrainedModel | None,
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - it cannot change
    *,
    calibrated_by: TrainedModel | None = None,
    features: CacheReader | None = None,
    auto: bool = False,
    workers: int = 1,
    report: Report = silent,
) -> PointScorer:
    """Open what scores points of these clouds.

    Args:
        clouds: The dataset whose superpoints or features are in the cache.
        cache: The folder of all caches.
        vision: The model whose texts name points.
        checkpoint: What encodes points; None takes the features of `vision` in the cache, the 2D baseline.
        config: How clouds are encoded; what it leaves open is as the checkpoint was trained.
        calibrated_by: For the 2D baseline, the checkpoint that knows the mean of the vision model's features.
        features: Those of `vision`, where there may be others of it in the cache too.
        auto: Make superpoints that are missing.
        workers: Processes that cut.
        report: Who listens.
    """
    if checkpoint is None:
        assert vision is not None
        config = calibrated(config, calibrated_by, clouds.scene)
        return VisionScorer(vision, clouds, cache, config, calibrated_by, features)
    encoder = CloudEncoder(checkpoint, config, clouds.scene, clouds.up, report.note)
    superpoints = superpoints_for(checkpoint, clouds, cache, auto=auto, workers=workers, report=report)
    return CheckpointScorer(encoder, superpoints)


def open_whole_features(
    clouds: CloudDataset,
    cache: Path,
    vision: VisionModel | None,
    checkpoint: TrainedModel | None,
    config: ZeroShotConfig = ZeroShotConfig(),  # noqa: B008 - it cannot change
    views: ViewConfig = ViewConfig(),  # noqa: B008 - as above
    *,
    auto: bool = False,
    workers: int = 1,
    report: Report = silent,
) -> WholeFeatures:
    """Open what encodes these clouds as wholes; they are encoded as their features are asked for.

    Args:
        clouds: The dataset whose superpoints are in the cache.
        cache: The folder of all caches.
        vision: The vision model.
        checkpoint: What encodes points; None encodes ten drawn views by `vision` instead, the 2D baseline.
        config: Seed, samples a cloud, scale; for the stage itself, bootstrap.
        views: How views are drawn for the baseline.
        auto: Make superpoints that are missing.
        workers: Processes that cut or draw.
        report: Who listens.
    """
    if checkpoint is None:
        assert vision is not None
        drawn = views_stamp(views, clouds.up)
        known = encoded_already(vision, clouds, cache, drawn)
        if known is not None:
            report.note(f"using the features of {vision.name} that are there already: {known.folder.name}")
        return WholeFeatures(by_views(vision, clouds, views, known, workers=workers), config, views=drawn)
    if not checkpoint.model.tokenizer.variant.knows_superpoints:
        return WholeFeatures(by_checkpoint(checkpoint, clouds, None, config, report), config, checkpoint)
    superpoints = superpoints_for(checkpoint, clouds, cache, auto=auto, workers=workers, report=report)
    return WholeFeatures(
        by_checkpoint(checkpoint, clouds, superpoints, config, report), config, checkpoint, superpoints.stamp
    )
