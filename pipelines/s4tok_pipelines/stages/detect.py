"""The stage `detect`: find boxes in scenes by a trained detector, and count how often they are right."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok import __version__
from s4tok.clouds import PointCloud
from s4tok.config import DetectConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import InputError
from s4tok.geometry.box_frames import as_it_came
from s4tok.inference.detecting import SceneDetector, boxes_from_z_up, boxes_to_z_up, to_z_up
from s4tok.metrics.detection import THRESHOLDS, Boxes, average_precision
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.detector import ClipSceneEncoder, Sure
from s4tok.models.detector_files import LoadedDetector
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Int
from s4tok.zero_shot.labelled import Labelled
from s4tok_cache import CacheReader
from s4tok_cache.files import write_whole
from s4tok_pipelines.inputs.entries import read_entry
from s4tok_pipelines.outputs.assumed import taken_for
from s4tok_pipelines.outputs.box_files import write_boxes
from s4tok_pipelines.outputs.boxed_clouds import boxes_page, labelled_by_boxes
from s4tok_pipelines.outputs.labelled_clouds import stems_for
from s4tok_pipelines.report import Failure, Report, all_failed, silent
from s4tok_pipelines.stages.auto import superpoints_for


class BoxFiles(NamedTuple):
    """What is written of each cloud, and where."""

    folder: Path
    formats: Sequence[str]
    html: bool = False


class Spread(NamedTuple):
    """A figure over several samples of the same scenes."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Detected:
    """How many boxes of which class were found, and how right they are where true ones are known."""

    clouds: int
    boxes: dict[str, int]  # of each class, over all clouds
    figures: dict[str, Spread]  # by the names of `THRESHOLDS`; empty where no true boxes are known
    of_classes: dict[str, dict[str, float]]  # the means over samples
    failures: list[Failure]
    about: dict[str, Any]  # all that is needed to do it again

    def facts(self) -> dict[str, Any]:
        """Give the result as plain names and values; fractions in 0 .. 1."""
        figures = {name: each.mean for name, each in self.figures.items()}
        spreads = {f"{name}_deviation": each.deviation for name, each in self.figures.items()}
        return {
            "clouds": self.clouds,
            "failed": len(self.failures),
            **figures,
            **spreads,
            **({"per_class": self.of_classes} if self.figures else {}),
            "boxes": self.boxes,
            **self.about,
        }


def detect(
    clouds: CloudDataset,
    detector: SceneDetector,
    superpoints: CacheReader | None = None,
    *,
    files: BoxFiles | None = None,
    watch: Callable[[Labelled], None] | None = None,
    report: Report = silent,
) -> Detected:
    """Find the boxes of every scene, and hold those against its true ones where they are known.

    One scene at a time. What is found depends on the seed and the scene's key alone. Figures are measured on several
    samples of each scene, since one is like drawing lots: 3DETR's differ by about a point from run to run.

    Args:
        clouds: Rooms; true boxes of classes that the detector does not know are not counted.
        detector: The detector.
        superpoints: Of the clouds, for a detector that reads them.
        files: What to write of each cloud; nothing where None.
        watch: Who else is shown each cloud with its boxes.
        report: Who listens.
    """
    start, config, classes = time.monotonic(), detector.config, detector.loaded.detector.classes
    stems, failures, counts, tally = (
        stems_for(clouds),
        list[Failure](),
        Counter[str](),
        DetectionTally(clouds, classes, config),
    )
    for key in report.steps(clouds.keys, "Finding boxes"):
        try:
            cloud = clouds[key]
            found = _find(clouds, key, cloud, detector, superpoints, tally.samples)
        except InputError as error:
            failures.append(Failure(key, error.with_hint))
            report.gauge(failed=float(len(failures)))
            continue
        boxes = boxes_from_z_up(detector.boxes(found[0]), clouds.up, clouds.turn(key))
        counts.update(classes[label] for label in boxes.labels)
        done = labelled_by_boxes(cloud, boxes, classes, clouds)
        if files is not None:
            _write(files, stems[key], done, clouds, f"boxes by {detector.loaded.name}")
        tally.add(cloud, clouds.turn(key), [detector.counted(each) for each in found])
        if watch is not None:
            watch(done)
    if len(failures) == len(clouds):
        raise all_failed(failures, "searched for boxes")
    about = {
        "s4tok": __version__,
        "dataset": clouds.name,
        "split": clouds.split,
        **taken_for(clouds),
        "checkpoint": {"name": detector.loaded.name, "weights": detector.loaded.sha256},
        "classes": list(classes),
        **asdict(config),
        "superpoints": None if superpoints is None else {superpoints.folder.name: superpoints.stamp.parameters},
        "seconds": round(time.monotonic() - start, 3),
    }
    return Detected(
        len(clouds) - len(failures), {name: counts[name] for name in classes}, *tally.figures(), failures, about
    )


def _write(files: BoxFiles, stem: str, done: Labelled, clouds: CloudDataset, about: str) -> None:
    """Write one cloud's files."""
    assert done.boxes is not None
    _, up = done.cloud.in_its_file(clouds.up)
    write_boxes(files.folder / stem, as_it_came(done.boxes, done.cloud), done.names, up, files.formats)
    if files.html:
        content = boxes_page(done, clouds, about).encode()
        write_whole(files.folder / f"{stem}.html", content, parents=True)


class DetectionTally:
    """Found boxes beside the true ones, of as many samples as figures are measured on."""

    def __init__(self, clouds: CloudDataset, classes: Sequence[str], config: DetectConfig) -> None:
        """Find out which classes of the dataset the detector knows."""
        self.up, self.classes = clouds.up, classes
        known = {name: number for number, name in enumerate(classes)}
        self.labels: Int[Array, " c"] = np.array([known.get(name, -1) for name in clouds.box_classes], np.int64)
        self.samples = config.seeds if (self.labels >= 0).any() else 1
        self.true = list[Boxes]()
        self.found: list[list[Boxes]] = [[] for _ in range(self.samples)]

    def add(self, cloud: PointCloud, turn: float, found: Sequence[Boxes]) -> None:
        """Count a cloud whose boxes are known."""
        if cloud.boxes is None or not (self.labels >= 0).any():
            return
        boxes = boxes_to_z_up(cloud.boxes, self.up, turn)
        labels = self.labels[boxes.labels]
        self.true.append(Boxes.of(replace(boxes, labels=labels).take(labels >= 0)))
        for sample, each in zip(self.found, found, strict=True):
            sample.append(each)

    def figures(self) -> tuple[dict[str, Spread], dict[str, dict[str, float]]]:
        """Give each figure over the samples, and its means of each class."""
        if not self.true:
            return {}, {}
        means, of_classes = dict[str, Spread](), dict[str, dict[str, float]]()
        for name, threshold in THRESHOLDS.items():
            scores = [average_precision(each, self.true, len(self.classes), threshold) for each in self.found]
            values = np.array([each.mean for each in scores])
            means[name] = Spread(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0)
            each_class = np.mean([each.of_classes for each in scores], axis=0)
            of_classes[name] = dict(zip(self.classes, each_class.tolist(), strict=True))
        return means, of_classes


def open_superpoints(
    loaded: LoadedDetector, clouds: CloudDataset, cache: Path, *, auto: bool, workers: int, report: Report
) -> CacheReader | None:
    """Open the superpoints that a detector reads; None where it reads none."""
    encoder = loaded.detector.encoder
    if not isinstance(encoder, ClipSceneEncoder) or not loaded.detector.reads_superpoints:
        return None
    trained = TrainedModel(encoder.model, loaded.card, loaded.name, trained=loaded.trained)
    return superpoints_for(
        trained, clouds, cache, auto=auto or isinstance(clouds, OwnFiles), workers=workers, report=report
    )


def _find(
    clouds: CloudDataset,
    key: str,
    cloud: PointCloud,
    detector: SceneDetector,
    superpoints: CacheReader | None,
    samples: int,
) -> list[Sure]:
    """Find the boxes of one scene, once a sample."""
    cut: Int[Array, " n"] | None = None
    if superpoints is not None:
        cut = read_entry(superpoints, clouds, key, "labels")["labels"].astype(np.int64)
        if len(cut) != len(cloud):
            raise InputError(f"it has {len(cloud)} points, and its superpoints are of {len(cut)}.")
    points = to_z_up(cloud, clouds.up, clouds.turn(key))
    seeds = [seed_of(detector.config.seed, cloud.draws(key), number) for number in range(samples)]
    return [detector.find(points, cut, seed) for seed in seeds]
