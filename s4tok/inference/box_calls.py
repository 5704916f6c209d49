"""What a Python user calls to find boxes: from points to the things in a room."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, Unpack, overload

import numpy as np

from s4tok.config import DETECTOR_FOLDER, DetectConfig
from s4tok.device import pick_device
from s4tok.errors import UsageError
from s4tok.geometry.box_frames import as_it_came
from s4tok.geometry.placement import UP, Said, guessed, placed
from s4tok.inference.detecting import SceneDetector, boxes_from_z_up, cut_for, to_z_up
from s4tok.inference.given import Cloud, Given, Points, for_each
from s4tok.inference.results import Detection
from s4tok.models.detector_files import LoadedDetector, load_detector
from s4tok.randomness import seed_of
from s4tok.superpoints import methods

DetectorName: TypeAlias = str | Path | LoadedDetector | None


@overload
def detect(
    points: Points,
    checkpoint: DetectorName = ...,
    *,
    config: DetectConfig = ...,
    scale: float = ...,
    **given: Unpack[Given],
) -> Detection: ...
@overload
def detect(
    points: Sequence[Points],
    checkpoint: DetectorName = ...,
    *,
    config: DetectConfig = ...,
    scale: float = ...,
    **given: Unpack[Given],
) -> list[Detection]: ...
def detect(
    points: Points | Sequence[Points],
    checkpoint: DetectorName = None,
    *,
    config: DetectConfig = DetectConfig(),  # noqa: B008 - it cannot change
    scale: float = Said.scale,
    **given: Unpack[Given],
) -> Detection | list[Detection]:
    """Find boxes of the things in a room; `s4tok detect` does this for files and datasets.

    Args:
        points: (n, 3), or a list of such; they are taken for rooms.
        checkpoint: A run folder of `finetune --task detection`, or what `load_detector` gives; the detector that comes
            with s4tok, where None.
        config: How boxes are thinned out, and what they must score.
        scale: What numbers are multiplied by to be metres, where it is not 1; 0.3048 reads feet. Boxes have the
            numbers of the points.
        **given: superpoints (n,), for a detector that reads them, which are cut where they are not given; up and unit,
            which are told by shape and size where they are not said.

    Raises:
        UsageError: For a checkpoint there is not, or that finds no boxes, and for points that are said to be an object.
        InputError: For points that are not finite or of another shape.
    """
    loaded = checkpoint
    if not isinstance(loaded, LoadedDetector):
        loaded = load_detector(DETECTOR_FOLDER if loaded is None else loaded, pick_device("auto"))
    detector, cut = SceneDetector(loaded, config), cut_for(loaded)

    def one(each: Cloud) -> Detection:
        if each.said.scene == "object":
            raise UsageError("boxes are found in rooms, and the scene is said to be an object.")
        where = guessed(each.cloud, replace(each.said, scale=scale, scene="room")).placement
        cloud, superpoints = placed(each.cloud, where), each.superpoints
        if cut is not None and superpoints is None:
            superpoints = methods.partition(cloud, cut)
        known = None if cut is None or superpoints is None else superpoints.astype(np.int64)
        found = detector.find(to_z_up(cloud, UP), known, seed_of(config.seed, cloud.draws(cloud.name), 0))
        boxes = as_it_came(boxes_from_z_up(detector.boxes(found), UP), cloud)
        scores = np.zeros(len(boxes)) if boxes.scores is None else boxes.scores
        order = np.argsort(-scores, kind="stable")
        boxes = boxes.take(order)
        return Detection(
            boxes.labels, loaded.detector.classes, scores[order], boxes.centers, boxes.sizes, boxes.yaws,
            loaded.name, where.up, where.unit,
        )  # fmt: skip

    return for_each(points, given, one)
