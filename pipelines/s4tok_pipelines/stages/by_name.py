"""Segment and classify by the names of models and files, as the command line does: one call each."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from s4tok.config import (
    BoxConfig,
    DetectConfig,
    SegmentConfig,
    SuperpointConfig,
    ViewConfig,
    ZeroShotConfig,
)
from s4tok.counted import counted
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import UsageError
from s4tok.geometry.placement import require_scale
from s4tok.inference.as_trained import refuse_contradictions
from s4tok.inference.cloud_encoder import CloudEncoder
from s4tok.inference.detecting import SceneDetector
from s4tok.inference.head_words import HeadVocabulary, cloud_vectors, labels_of
from s4tok.inference.point_reader import PointReader
from s4tok.inference.upright import nearness_of_points, nearness_of_whole
from s4tok.inference.whole_encoder import WholeEncoder
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.detector_files import load_detector
from s4tok.vision.weights import CARRIED
from s4tok.zero_shot.box_figures import BoxTally
from s4tok.zero_shot.classifier import classifier
from s4tok.zero_shot.open_words import OpenVocabulary, is_auto
from s4tok.zero_shot.prompts import require_labels
from s4tok.zero_shot.vocabulary import Vocabulary
from s4tok_cache import CacheReader
from s4tok_cache.files import write_whole
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.inputs.features import are_current, features_in, features_of, open_features
from s4tok_pipelines.inputs.models import ModelNames, Models, load_calibrating, load_models
from s4tok_pipelines.inputs.own_clouds import bring_upright, parted
from s4tok_pipelines.outputs.assumed import called, tell_assumed
from s4tok_pipelines.outputs.earlier_files import tell_earlier, times_of
from s4tok_pipelines.outputs.labelled_clouds import stems_for
from s4tok_pipelines.outputs.results import write_json
from s4tok_pipelines.outputs.segment_sheets import Sheet
from s4tok_pipelines.paths import CACHE
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.auto import usual_superpoints
from s4tok_pipelines.stages.classify import Classified, classify
from s4tok_pipelines.stages.detect import BoxFiles, Detected, detect, open_superpoints
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stages.open_inputs import open_scorer, open_whole_features
from s4tok_pipelines.stages.segment import Files, Segmented, joined, segment


def segment_by_name(
    clouds: CloudDataset,
    cache: Path = CACHE,
    names: ModelNames = ModelNames(),  # noqa: B008 - it cannot change
    config: SegmentConfig = SegmentConfig(),  # noqa: B008 - as above
    *,
    labels: Sequence[str] = (),
    category: str | None = None,
    files: Files | None = None,
    boxes: bool = False,
    preview: Path | None = None,
    auto: bool = False,
    workers: int = 1,
    report: Report = silent,
) -> Segmented:
    """Label every point, as `segment` does, with the models that are named.

    Superpoints of a user's own files are made without asking.

    Args:
        clouds: A dataset with parts or classes, or anything where `labels` say what its points may be.
        cache: The folder of all caches.
        names: The models.
        config: How clouds are encoded; what it leaves open is as the checkpoint was trained.
        labels: What points may be, in place of the dataset's words.
        category: What `labels` are parts of; own files are objects then, unless a user says otherwise.
        files: What to write of each cloud, with a `result.json` beside it.
        boxes: Put boxes around things of one name, and measure them where boxes are known.
        preview: A .png to draw the first clouds into, truth beside names.
        auto: Make what is missing: superpoints, and for a 2D model its features.
        workers: Processes that cut and draw.
        report: Who listens.
    """
    _agree(names, config)
    if names.checkpoint is None:  # a named one may be fine-tuned, and know some
        require_labels(labels or clouds.classes, called(clouds))
    parts = parted(clouds, scale=config.scale, scene=None if category is None else "object", report=report)
    sheet, before = Sheet(parts[0]), _written(clouds, files)

    def one(part: CloudDataset) -> Segmented:
        models = load_models(names, report, "dense")
        _tell_unmet(models.checkpoint, part, report)
        calibrated_by = load_calibrating(names, models, config)
        words = _words(part, models, config, labels, category)
        if isinstance(words, OpenVocabulary) and is_auto(labels) and part is parts[0]:
            report.note("names are proposed from the words that s4tok has built in")
        _upright(part, models.checkpoint, words, config)
        is_looked_at = models.checkpoint is None and (auto or isinstance(part, OwnFiles))
        scorer = open_scorer(
            part, cache, models.vision, models.checkpoint, config, calibrated_by=calibrated_by,
            features=_look(part, cache, models, workers, report) if is_looked_at else None,
            auto=auto or isinstance(part, OwnFiles), workers=workers, report=report,
        )  # fmt: skip
        tally = BoxTally(part, replace(BoxConfig(), seed=config.seed)) if boxes else None
        watch = sheet.add if preview else None
        return segment(part, scorer, words, files=files, boxes=tally, watch=watch, report=report)

    found = joined([one(part) for part in parts])
    if files is not None:
        _keep(found, files.folder)
        tell_earlier(files.folder, list(stems_for(clouds).values()), before, report)
        report.note(f"labels of all points, and a result.json that says what they depend on: {files.folder}")
    if preview:
        write_whole(preview, sheet.png(), parents=True)
        report.note(f"{counted(len(sheet.cells), 'cloud')}, coloured by label: {preview}")
    return found


def classify_by_name(
    clouds: CloudDataset,
    cache: Path = CACHE,
    names: ModelNames = ModelNames(),  # noqa: B008 - it cannot change
    config: ZeroShotConfig = ZeroShotConfig(),  # noqa: B008 - as above
    *,
    labels: Sequence[str] = (),
    views: ViewConfig = ViewConfig(),  # noqa: B008 - as above
    out: Path | None = None,
    auto: bool = False,
    workers: int = 1,
    report: Report = silent,
) -> Classified:
    """Name every cloud, as `classify` does, with the models that are named; `out` is a file for the result.

    Superpoints of a user's own files are made without asking.
    """
    require_scale(config.scale)
    if names.vision_only and (config.scale, config.votes) != (ZeroShotConfig.scale, ZeroShotConfig.votes):
        raise UsageError("views are drawn at one size, of all points: --scale and --votes are for checkpoints.")
    is_own, (clouds,) = isinstance(clouds, OwnFiles), parted(clouds, scale=config.scale, scene="object", report=report)
    if is_own and config.scale != ZeroShotConfig.scale:
        report.note("files of your own are classified as objects, which have one size: --scale changes nothing")
    models = load_models(names, report, "whole")
    _tell_unmet(models.checkpoint, clouds, report)
    if models.checkpoint is not None and models.checkpoint.labeller is not None:
        known = labels_of(models.checkpoint, "objects").classes
        labels = labels or (() if clouds.categories else known)
    require_labels(labels or clouds.categories, called(clouds))
    if isinstance(clouds, OwnFiles) and models.checkpoint is not None:
        encoder = WholeEncoder(models.checkpoint, config, PointReader(models.checkpoint, clouds.up))
        if models.checkpoint.labeller is not None:
            texts = cloud_vectors(models.checkpoint, labels)
        else:
            texts = classifier(models.texts, [models.prompts.of_object(name) for name in labels]).cpu()
        bring_upright(clouds, nearness_of_whole(encoder, models.checkpoint, clouds.scene, texts))
    features = open_whole_features(
        clouds, cache, models.vision, models.checkpoint, config, views,
        auto=auto or is_own, workers=workers, report=report,
    )  # fmt: skip
    found = classify(clouds, features, models.vision, models.prompts, labels=labels, report=report)
    if out is not None:
        write_json(out, {**found.facts(), "failures": [vars(failure) for failure in found.failures]})
        report.note(f"answers, and all they depend on: {out}")
    return found


def detect_by_name(
    clouds: CloudDataset,
    cache: Path,
    checkpoint: str,
    config: DetectConfig = DetectConfig(),  # noqa: B008 - it cannot change
    *,
    clip: str | None = None,
    files: BoxFiles | None = None,
    preview: Path | None = None,
    auto: bool = False,
    workers: int = 1,
    device: str = "cpu",
    report: Report = silent,
) -> Detected:
    """Find boxes, as `detect` does, with a detector that is named.

    Args:
        clouds: Rooms; own files are taken for such.
        cache: The folder of all caches.
        checkpoint: A run of `finetune --task detection`, or what comes with s4tok.
        config: How boxes are thinned out and scored.
        clip: Where the CLIP lies that it was trained for, if not found by its card's name.
        files: What to write of each cloud, with a `result.json` beside it.
        preview: A .png to draw the first clouds into, true boxes beside those that were found.
        auto: Make superpoints that are missing; those of own files are made without asking.
        workers: Processes that cut.
        device: Where the detector computes.
        report: Who listens.
    """
    loaded = load_detector(checkpoint, device, clip)
    (clouds,) = parted(clouds, scene="room", report=report)
    if clouds.scene != "room" and not isinstance(clouds, OwnFiles):
        raise UsageError(f"{clouds.name} is of objects, and boxes are found in rooms.")
    tell_assumed(clouds, report, has_scenes=False)
    superpoints = open_superpoints(loaded, clouds, cache, auto=auto, workers=workers, report=report)
    sheet, before = Sheet(clouds), _written(clouds, files)
    watch = sheet.add if preview else None
    found = detect(clouds, SceneDetector(loaded, config), superpoints, files=files, watch=watch, report=report)
    if files is not None:
        _keep(found, files.folder)
        tell_earlier(files.folder, list(stems_for(clouds).values()), before, report)
        report.note(f"boxes, and a result.json that says what they depend on: {files.folder}")
    if preview:
        write_whole(preview, sheet.png(), parents=True)
        report.note(f"{counted(len(sheet.cells), 'cloud')} with boxes: {preview}")
    return found


def _written(clouds: CloudDataset, files: Files | BoxFiles | None) -> dict[str, int]:
    """Tell which files of these clouds are there before a run, and when they were written."""
    return {} if files is None else times_of(files.folder, list(stems_for(clouds).values()))


def _keep(found: Segmented | Detected, folder: Path) -> None:
    """Write what was found, and all it depends on, beside its files."""
    failures = [vars(failure) for failure in found.failures]
    write_json(folder / "result.json", {**found.facts(), "out": str(folder), "failures": failures})


def _agree(names: ModelNames, config: SegmentConfig) -> None:
    """Refuse settings that contradict each other."""
    if names.vision_only and config.votes != SegmentConfig.votes:
        raise UsageError("views show every point: --votes is for checkpoints.")
    if names.vision_only and (config.attend is not None or config.windows != SegmentConfig.windows):
        raise UsageError("the 2D baseline has no tokens: --attend and --windows are for checkpoints.")
    refuse_contradictions(config)


def _tell_unmet(checkpoint: TrainedModel | None, clouds: CloudDataset, report: Report) -> None:
    """Say that a checkpoint is asked about a kind of clouds of which it has seen none."""
    if checkpoint is not None and checkpoint.trained.has_none_of(clouds.scene):
        report.warn(f"checkpoint {checkpoint.name} was trained on no {clouds.scene}s: do not rely on what it says")


def _words(
    clouds: CloudDataset, models: Models, config: SegmentConfig, labels: Sequence[str], category: str | None
) -> Vocabulary:
    """Choose what points may be called: by a head, by words that were named, or by built-in ones too."""
    if models.checkpoint is not None and models.checkpoint.labeller is not None:
        return HeadVocabulary(clouds, models.checkpoint, () if is_auto(labels) else labels, category)
    if not is_auto(labels) and config.unknown != "auto":
        return Vocabulary(clouds, models.texts, models.prompts, labels, category)
    learned = () if models.checkpoint is None else models.checkpoint.learned_words
    return OpenVocabulary(clouds, models.texts, models.prompts, labels, category, learned)


def _look(clouds: CloudDataset, cache: Path, models: Models, workers: int, report: Report) -> CacheReader | None:
    """Make 2D features; None where the model has left some of all clouds as they are now, whatever they were made of.

    Own files are drawn by frames of virtual cameras; the small CLIPs know objects by ten drawn views.
    """
    is_own, root = isinstance(clouds, OwnFiles), root_of(cache, clouds)
    kept = [] if is_own else [open_features(root, stamp) for stamp in features_of(root, models.texts.identity)]
    if any(are_current(reader, clouds) for reader in kept):
        return None
    frames = clouds.scene == "room" or (is_own and models.texts.name not in CARRIED)
    cut = SuperpointConfig.of(clouds.scene) if is_own else usual_superpoints(clouds, cache)
    outcome = extract_features(
        clouds, cache, models.texts, None if frames else ViewConfig(), superpoints=cut,
        frames=frames, auto=True, workers=workers, devices=(models.device,), report=report,
    )  # fmt: skip
    return features_in(outcome.out)


def _upright(clouds: CloudDataset, checkpoint: TrainedModel | None, words: Vocabulary, config: SegmentConfig) -> None:
    """Let the checkpoint try the axes of own files that their shape leaves in doubt."""
    if isinstance(clouds, OwnFiles) and checkpoint is not None:
        encoder = CloudEncoder(checkpoint, config, clouds.scene, clouds.up)
        bring_upright(clouds, nearness_of_points(encoder, words.of(clouds.keys[0])))
