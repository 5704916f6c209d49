"""Scenes with boxes to train or validate on: read once, kept, cropped and sampled anew each time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from s4tok.augmentations.scenes import FEWEST_POINTS, BoxedScene, along_axes, crop, scaled, turned
from s4tok.config import BoxLossConfig, DetectorConfig, FinetuneConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, UsageError
from s4tok.inference.detecting import boxes_to_z_up, sampled, to_z_up
from s4tok.objectives.detection import SceneWithBoxes
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Float64
from s4tok_cache import ArraySpec, CacheReader, Layout, Stamp, Store
from s4tok_pipelines.inputs.entries import fingerprint, root_of
from s4tok_pipelines.inputs.training_data import memory_for_data
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.run_stage import Content, Work, run_stage
from s4tok_pipelines.workers import here_or_side_by_side

STAGE = "boxed-scenes"
WITH_BOXES = "toy-scans, toy-rooms, home-scans, home-rooms, scannet and sunrgbd"

BOXED_SCENES = Layout(
    name=STAGE,
    version=1,
    arrays={
        "points": ArraySpec("float32", "n 3", "the scene's points, in metres: centred, +z up", False),
        "boxes": ArraySpec("float32", "o 7", "centre, width, depth, height and yaw of each box, in the same frame"),
        "labels": ArraySpec("int16", "o", "class of each box"),
    },
    made_by="finetune --task detection",
)


def boxed_scenes(
    clouds: CloudDataset, keys: Sequence[str], cache: Path, *, workers: int = 1, report: Report = silent
) -> CacheReader:
    """Read the points and the boxes of each scene named, and keep them; what is there already is passed over."""
    require_boxes(clouds)
    stamp = Stamp(STAGE, {"up": clouds.up, "classes": list(clouds.box_classes)})
    store = Store.resume(root_of(cache, clouds), BOXED_SCENES, stamp)
    work = Work(
        "Reading scenes", lambda missing: here_or_side_by_side(partial(_read, clouds), missing, workers), Content
    )
    outcome = run_stage(store, {key: fingerprint(clouds, key) for key in keys}, work, report)
    for failure in outcome.failures:
        report.warn(f"{failure.key}: {failure.reason}")
    return CacheReader(root_of(cache, clouds), BOXED_SCENES, stamp)


def require_boxes(clouds: CloudDataset) -> None:
    """Refuse a dataset without boxes."""
    if not clouds.box_classes:
        raise UsageError(f"{clouds.name} has no boxes.", f"datasets with boxes are {WITH_BOXES}.")


def _read(clouds: CloudDataset, key: str) -> dict[str, Array]:
    """Read a scene, +z up; runs in a worker process."""
    cloud, turn = clouds[key], clouds.turn(key)
    if cloud.boxes is None:
        raise InputError("its boxes are not known.")
    boxes = boxes_to_z_up(cloud.boxes, clouds.up, turn)
    return {
        "points": to_z_up(cloud, clouds.up, turn).astype(np.float32),
        "boxes": boxes.rows().astype(np.float32),
        "labels": boxes.labels.astype(np.int16),
    }


@dataclass
class BoxedData:
    """Scenes by number: `keys` names them. An epoch's varies them, a validation's leaves them as they are."""

    scenes: CacheReader
    superpoints: CacheReader | None
    listed: Sequence[str]  # scenes; one may come several times
    detector: DetectorConfig
    boxes: BoxLossConfig
    training: FinetuneConfig
    _held: dict[str, Mapping[str, Array]] = field(default_factory=dict)

    @property
    def keys(self) -> Sequence[str]:
        """Name what is trained on."""
        return self._keys

    @cached_property
    def _keys(self) -> Sequence[str]:
        seen, found = Counter[str](), []
        for scene in self.listed:
            found.append(f"{scene}{f'~{seen[scene]}' * (seen[scene] > 0)}")
            seen[scene] += 1
        return found

    def hold(self, report: Report = silent) -> bool:
        """Read everything into memory, if it fits, and say whether it does."""
        most, each = memory_for_data(), list(dict.fromkeys(self.listed))
        for place, scene in enumerate(report.steps(each, "Reading scenes")):
            arrays = self._read(scene)
            if not place and sum(array.nbytes for array in arrays.values()) * len(each) > most:
                return False
            self._held[scene] = arrays
        return True

    def entries(self, numbers: Sequence[int], epoch: int | str) -> list[SceneWithBoxes]:
        """Give scenes, each with randomness of its key and the epoch."""
        return [self._entry(number, epoch) for number in numbers]

    def typical_sizes(self, n_classes: int) -> Float64[Array, "c 3"]:
        """Average the sizes of each class's boxes; of a class that has none, those of all."""
        read = [self.scenes.read(scene, ("boxes", "labels")) for scene in sorted(set(self.listed))]
        boxes, labels = (np.concatenate([each[name] for each in read]) for name in ("boxes", "labels"))
        sizes = (along_axes(boxes) if self.detector.angles == 1 else boxes)[:, 3:6].astype(np.float64)
        known = [sizes[labels == label] if (labels == label).any() else sizes for label in range(n_classes)]
        return np.array([each.mean(axis=0) if len(each) else np.ones(3) for each in known])

    def facts(self) -> dict[str, object]:
        """Say what is trained on in a run's configuration: how many scenes, and which."""
        scenes = sorted(set(self.listed))
        keys = f"{seed_of(len(scenes), *scenes):016x}"
        return {"clouds": len(scenes), "entries": len(self.keys), "keys": keys, "samples": self.scenes.stamp.folder}

    def _entry(self, number: int, epoch: int | str) -> SceneWithBoxes:
        arrays = self._held.get(self.listed[number]) or self._read(self.listed[number])
        scene = BoxedScene(arrays["points"], arrays["boxes"], arrays["labels"].astype(np.int64))
        superpoints, training = arrays.get("superpoints"), self.training
        seed = seed_of(training.seed, epoch, self.keys[number])
        draw = np.random.default_rng(seed)
        if self.boxes.crop is not None and not isinstance(epoch, str):
            fewest = int(FEWEST_POINTS * self.detector.n_points)
            inside, kept = crop(scene, self.boxes.crop, self.boxes.crop_likeness, fewest, draw)
            scene = BoxedScene(scene.points[inside], scene.boxes[kept], scene.labels[kept])
            superpoints = None if superpoints is None else superpoints[inside]
        some, superpoints = sampled(scene.points, superpoints, self.detector.n_points, seed)
        scene = scene._replace(points=scene.points[some])
        if not isinstance(epoch, str):
            flip = (training.flip, training.flip if self.boxes.mirror == "both" else 0.0)
            scene = scaled(turned(scene, training.rotate, flip, draw), training.scale_range, training.shift, draw)
        boxes = along_axes(scene.boxes) if self.detector.angles == 1 else scene.boxes
        return SceneWithBoxes(scene.points, superpoints, boxes.astype(np.float32), scene.labels, seed)

    def _read(self, scene: str) -> Mapping[str, Array]:
        arrays = dict(self.scenes.read(scene).arrays)
        if self.superpoints is not None:
            labels = self.superpoints.read(scene, ("labels",))["labels"]
            arrays["superpoints"] = np.unique(labels, return_inverse=True)[1]
        return arrays
