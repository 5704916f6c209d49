"""How right found boxes are: average precision at an overlap, counted as 3DETR and VoteNet count it.

Boxes of a class are taken by falling score; each goes to the true box of its class that it overlaps most, and is right
if that overlap is more than the threshold (not equal to it) and the true box has no better one yet. The average
precision is the area under the falling envelope of precision over recall. A class without true boxes is left out of the
mean, one without found boxes counts 0.

What else 3DETR does before it counts stands here too, each step by name: boxes of few points are dropped, boxes that
overlap a better one are dropped by the axis-aligned hulls around them (so that diagonal boxes drop neighbours they do
not touch; `by="boxes"` compares the boxes themselves), and what is left is listed once for each class.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from s4tok.config import DetectConfig
from s4tok.geometry.boxes import hulls, iou_3d, points_inside
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.shapes import Array, Bool, Float, Float64, Int, Real

THRESHOLDS = {"ap25": 0.25, "ap50": 0.5}  # overlaps that average precisions are named by


class Boxes(NamedTuple):
    """Boxes of one cloud, found or true: `s4tok.geometry.boxes` says what their numbers are."""

    boxes: Float[Tensor, "n 7"]
    labels: Int[Tensor, " n"]
    scores: Float[Tensor, " n"]  # of true boxes they are not read

    @classmethod
    def of(cls, boxes: OrientedBoxes) -> "Boxes":
        """Take boxes whose z is up."""
        scores = np.zeros(len(boxes)) if boxes.scores is None else boxes.scores
        return cls(*map(torch.from_numpy, (boxes.rows(), boxes.labels, scores)))


class DetectionScores(NamedTuple):
    """Average precisions and recalls; NaN for a class without true boxes."""

    mean: float
    of_classes: Float64[Array, " c"]
    recalls: Float64[Array, " c"]  # with every found box


def with_points(found: Boxes, xyz: Real[Tensor, "p 3"], fewest: int = DetectConfig.fewest_points) -> Boxes:
    """Keep the boxes that hold points enough."""
    return _kept(found, points_inside(found.boxes, xyz).sum(1) >= fewest)


def without_overlap(
    found: Boxes,
    overlap: float = DetectConfig.overlap,
    by: Literal["hulls", "boxes"] = "hulls",
    across_classes: bool = False,
) -> Boxes:
    """Drop every box that overlaps one of its class with a higher score, by more than `overlap`."""
    return _kept(found, kept_apart(found, overlap, by, across_classes))


def kept_apart(
    found: Boxes,
    overlap: float = DetectConfig.overlap,
    by: Literal["hulls", "boxes"] = "hulls",
    across_classes: bool = False,
) -> Bool[Tensor, " n"]:
    """Tell which boxes `without_overlap` keeps."""
    shapes = hulls(found.boxes) if by == "hulls" else found.boxes
    is_over = iou_3d(shapes, shapes) > overlap
    if not across_classes:
        is_over &= found.labels[:, None] == found.labels[None]
    kept = torch.zeros(len(shapes), dtype=torch.bool, device=shapes.device)
    for place in found.scores.argsort(descending=True, stable=True).tolist():
        kept[place] = not bool((is_over[place] & kept).any())
    return kept


def listed_for_each_class(
    found: Boxes, probabilities: Float[Tensor, "n c"], least: float = DetectConfig.least_objectness
) -> Boxes:
    """List boxes whose score, their objectness, is above `least` once a class, by probability times objectness."""
    sure = found.scores > least
    boxes, objectness, of_classes = found.boxes[sure], found.scores[sure], probabilities[sure]
    n_classes = of_classes.shape[1]
    return Boxes(
        boxes.repeat_interleave(n_classes, dim=0),
        torch.arange(n_classes, device=boxes.device).repeat(len(boxes)),
        (of_classes * objectness[:, None]).flatten(),
    )


def average_precision(
    found: Sequence[Boxes], true: Sequence[Boxes], n_classes: int, threshold: float
) -> DetectionScores:
    """Measure the boxes found in some clouds against the true ones."""
    precisions, recalls = np.full(n_classes, np.nan), np.full(n_classes, np.nan)
    overlaps = [iou_3d(here.boxes, there.boxes) for here, there in zip(found, true, strict=True)]
    for label in range(n_classes):
        n_true = sum(int((each.labels == label).sum()) for each in true)
        if n_true:
            is_right = _right(found, true, overlaps, label, threshold)
            precisions[label], recalls[label] = area_under_envelope(is_right, n_true), is_right.sum() / n_true
    mean = float(np.nanmean(precisions)) if np.isfinite(precisions).any() else float("nan")
    return DetectionScores(mean, precisions, recalls)


def area_under_envelope(is_right: Bool[Array, " n"], n_true: int) -> float:
    """Give the area under the falling envelope of precision over recall, of answers by falling score."""
    if not len(is_right):
        return 0.0
    right = is_right.cumsum()
    precision, recall = right / np.arange(1, len(right) + 1), right / n_true
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum())


def _right(
    found: Sequence[Boxes],
    true: Sequence[Boxes],
    overlaps: Sequence[Float[Tensor, "_ _"]],
    label: int,
    threshold: float,
) -> Bool[Array, " n"]:
    """Tell of all boxes of a class, by falling score over all clouds, whether each is right."""
    scores, is_right = list[float](), list[bool]()
    for here, there, overlap in zip(found, true, overlaps, strict=True):
        of_class = there.labels == label
        mine = (here.labels == label).nonzero()[:, 0]
        mine = mine[here.scores[mine].argsort(descending=True, stable=True)]
        within, taken = overlap[mine][:, of_class], set[int]()
        for row in within:
            best = int(row.argmax()) if len(row) else -1
            is_right.append(best >= 0 and float(row[best]) > threshold and best not in taken)
            if is_right[-1]:
                taken.add(best)
        scores += here.scores[mine].tolist()
    order = np.argsort(-np.array(scores), kind="stable")
    return np.array(is_right, dtype=bool)[order]


def _kept(found: Boxes, which: Bool[Tensor, " n"]) -> Boxes:
    return Boxes(found.boxes[which], found.labels[which], found.scores[which])
