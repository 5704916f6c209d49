"""What a detector makes of one scene: the same for the library's call, for training data and for the stage."""

import math

import numpy as np
import torch

from s4tok.backbones.scene_tokens import Scenes
from s4tok.clouds import PointCloud
from s4tok.config import DetectConfig, SuperpointConfig
from s4tok.geometry.axes import upright
from s4tok.geometry.box_frames import turned
from s4tok.metrics.detection import Boxes, listed_for_each_class
from s4tok.models.detector import Sure, surest
from s4tok.models.detector_files import LoadedDetector
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Float, Float64, Int
from s4tok.superpoints.samples import sample

UP = "z"  # of all that detectors read


class SceneDetector:
    """A detector, and how what it finds is thinned out."""

    def __init__(self, loaded: LoadedDetector, config: DetectConfig) -> None:
        self.loaded, self.config = loaded, config
        self.device = next(loaded.detector.parameters()).device

    @torch.no_grad()
    def find(self, points: Float64[Array, "n 3"], superpoints: Int[Array, " n"] | None, seed: int) -> Sure:
        """Find the boxes of a scene in metres, +z up, by a sample of its points."""
        detector = self.loaded.detector
        some, cut = sampled(points, superpoints, detector.config.n_points, seed)
        given = torch.from_numpy(points[some].astype(np.float32))[None].to(self.device)
        is_point = torch.ones(given.shape[:2], dtype=torch.bool, device=self.device)
        labels = torch.zeros(given.shape[:2], dtype=torch.int64) if cut is None else torch.from_numpy(cut)[None]
        scenes = Scenes(given, is_point, labels.to(self.device), torch.tensor([seed], device=self.device))
        everything = torch.from_numpy(points).to(self.device)
        return surest(detector(scenes), [everything], self.config)[0]

    def counted(self, found: Sure) -> Boxes:
        """List each box once for every class, as figures count them."""
        return listed_for_each_class(*found, self.config.least_objectness)

    def boxes(self, found: Sure) -> OrientedBoxes:
        """Give each box once, by its likeliest class, those that score enough; +z up."""
        scores = found.boxes.scores * found.probabilities.amax(1)
        shown = scores >= self.config.score
        rows = found.boxes.boxes[shown].double().numpy()
        return OrientedBoxes.of_rows(rows, found.boxes.labels[shown].numpy(), scores[shown].double().numpy())


def to_z_up(cloud: PointCloud, up: str, turn: float = 0.0) -> Float64[Array, "n 3"]:
    """Give a cloud's points in the frame of detectors: +z up, and turned about it by so many radians."""
    raised: Array = cloud.xyz.astype(np.float64) @ upright(up).T @ upright(UP) @ _about_z(turn).T
    return raised


def boxes_to_z_up(boxes: OrientedBoxes, up: str, turn: float = 0.0) -> OrientedBoxes:
    """Bring boxes in the frame of a cloud's `xyz` into that of detectors."""
    return _spun(turned(boxes, up, UP), turn)


def boxes_from_z_up(boxes: OrientedBoxes, up: str, turn: float = 0.0) -> OrientedBoxes:
    """Bring them back."""
    return turned(_spun(boxes, -turn), UP, up)


def sampled(
    points: Float[Array, "n 3"], superpoints: Int[Array, " n"] | None, n_points: int, seed: int
) -> tuple[Int[Array, " m"], Int[Array, " m"] | None]:
    """Choose so many points at random, none twice, and give their superpoints; a smaller scene is taken whole."""
    if superpoints is not None:
        some = sample(points, superpoints, n_points, seed, UP)
        return some.index, some.superpoints
    if n_points >= len(points):
        return np.arange(len(points)), None
    return np.sort(np.random.default_rng(seed).choice(len(points), n_points, replace=False)), None


def cut_for(loaded: LoadedDetector) -> SuperpointConfig | None:
    """Say how scenes are cut for a detector; None where it reads no superpoints."""
    if not loaded.detector.reads_superpoints:
        return None
    return loaded.trained.cut_of("room") or SuperpointConfig.of("room")


def _spun(boxes: OrientedBoxes, turn: float) -> OrientedBoxes:
    centers = boxes.centers @ _about_z(turn).T
    return OrientedBoxes.of(
        boxes.labels, centers, boxes.sizes, boxes.yaws + turn, instances=boxes.instances, scores=boxes.scores
    )


def _about_z(turn: float) -> Float64[Array, "3 3"]:
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
