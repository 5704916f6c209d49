r"""How right labels are: accuracy, recall and intersection over union, with the edge rules that benchmarks differ in.

Scenes and classification count into one confusion matrix, rows the true class, columns the class that was answered,
and one column more for points that got no answer. Matrices of several clouds add up to that of all: a metric is
always taken of the sum, never averaged over scenes. Points without a true class (-1) are counted nowhere.

What is left to agree upon is named by a convention:

==========================  ==============================  =====================================
\                           scannet (the default)           openscene
==========================  ==============================  =====================================
a point without an answer   is wrong                        is left out of IoU, is wrong in recall
a class without points      IoU 0 where it was answered,    0, and counts among the classes
                            else left out of the mean
==========================  ==============================  =====================================

On ScanNet's whole validation split all 20 classes occur, and with an answer for every point both give one number.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from s4tok.config import ZeroShotConfig
from s4tok.shapes import Array, Float64, Int, Real

Convention = Literal["scannet", "openscene"]


class Scores(NamedTuple):
    """What a confusion matrix says, as fractions; NaN for a class that the convention leaves out."""

    accuracy: float  # of all points with a true class
    macc: float
    miou: float
    recall: Float64[Array, " c"]  # of each class's points, those answered so
    iou: Float64[Array, " c"]


def confusion(
    truth: Int[Array, " n"], answer: Int[Array, " n"], n_classes: int, times: Real[Array, " n"] | None = None
) -> Real[Array, "c answers"]:
    """Count points by true class and answer; a truth of -1 is not counted, and the last column takes other answers.

    `times` says how often each counts; once where None.
    """
    counted = truth >= 0
    is_class = (answer >= 0) & (answer < n_classes)
    column = np.where(is_class, answer, n_classes)[counted]
    cells = truth[counted] * (n_classes + 1) + column
    weights = None if times is None else times[counted]
    return np.bincount(cells, weights, minlength=n_classes * (n_classes + 1)).reshape(n_classes, n_classes + 1)


def label_scores(counts: Real[Array, "c answers"], convention: Convention = "scannet") -> Scores:
    """Measure a confusion matrix."""
    n_classes = len(counts)
    true, unanswered = counts.sum(axis=1), counts[:, n_classes]
    right, answered = counts.diagonal(), counts[:, :n_classes].sum(axis=0)
    recall = _ratio(right, true)
    if convention == "scannet":
        iou = _ratio(right, true + answered - right)
        return Scores(_share(right, true), _mean(recall), _mean(iou), recall, iou)
    occurs = true > 0
    iou = np.where(occurs, np.nan_to_num(_ratio(right, true - unanswered + answered - right)), np.nan)
    macc, miou = (float(np.nansum(each) / n_classes) for each in (recall, iou))
    return Scores(_share(right, true), macc, miou, recall, iou)


class PartScores(NamedTuple):
    """What the parts of objects of known category say, as fractions; the paper calls all three mIoU."""

    miou_i: float  # mean over objects
    miou_c: float  # mean over categories of the mean over their objects
    miou_part: float  # mean over parts, each pooled over the points of all objects
    by_category: Float64[Array, " c"]  # NaN where there is no object
    by_part: Float64[Array, " p"]  # NaN where no point is of it, and none was called so


def part_counts(truth: Int[Array, " n"], answer: Int[Array, " n"], n_parts: int) -> Int[Array, "p 3"]:
    """Count one object's points of each part: those that are it and are called so, are it, are called it.

    Points without a true part (-1) are counted nowhere; without an answer (-1) they are wrong.
    """
    counted = truth >= 0
    truth, answer = truth[counted], answer[counted]
    which = (truth[truth == answer], truth, answer[answer >= 0])
    return np.stack([np.bincount(each, minlength=n_parts) for each in which], axis=1)


def part_scores(
    counts: Int[Array, "b p 3"],
    categories: Int[Array, " b"],
    parts: Sequence[Sequence[int]],
    times: Real[Array, " b"] | None = None,
) -> PartScores:
    """Measure objects whose category was known, so that only its parts were to choose from.

    An object's IoU is the mean over the parts of its category; a part that it neither has nor was given counts 1, as
    everybody has it since ShapeNetPart. An object without any labelled point is left out. Pooled over objects, a part
    gains nothing by being absent.

    Args:
        counts: `part_counts` of each object.
        categories: The category of each.
        parts: The parts of each category.
        times: How often each object counts; once where None.
    """
    belongs = np.zeros((len(parts), counts.shape[1]), dtype=bool)
    for category, members in enumerate(parts):
        belongs[category, list(members)] = True
    mine = belongs[categories]
    right, true, answered = np.moveaxis(counts, 2, 0)
    iou = np.nan_to_num(_ratio(right, true + answered - right), nan=1.0)
    of_object = (iou * mine).sum(axis=1) / mine.sum(axis=1)
    weight = (np.ones(len(counts)) if times is None else times) * (true.sum(axis=1) > 0)
    by_category = _ratio(
        np.bincount(categories, weight * of_object, minlength=len(parts)),
        np.bincount(categories, weight, minlength=len(parts)),
    )
    right, true, answered = (weight @ (each * mine) for each in (right, true, answered))
    by_part = _ratio(right, true + answered - right)
    return PartScores(_share(weight * of_object, weight), _mean(by_category), _mean(by_part), by_category, by_part)


class Interval(NamedTuple):
    """How far a figure would be from itself with other clouds of the same kind."""

    low: float
    high: float
    deviation: float


def bootstrap(
    measure: Callable[[Int[Array, " b"]], float],
    n_clouds: int,
    *,
    draws: int = ZeroShotConfig.draws,
    level: float = ZeroShotConfig.level,
    seed: int = ZeroShotConfig.seed,
) -> Interval:
    """Draw as many clouds as there are, with replacement, again and again, and see how a figure spreads.

    Args:
        measure: The figure, from how often each cloud was drawn.
        n_clouds: How many there are.
        draws: How many times.
        level: Share of the draws inside the interval.
        seed: Of the draws.
    """
    generator = np.random.default_rng(seed)
    even = np.full(n_clouds, 1 / n_clouds)
    figures = [measure(generator.multinomial(n_clouds, even)) for _ in range(draws)]
    low, high = np.nanquantile(figures, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high), float(np.nanstd(figures)))


def summed(counts: Int[Array, "b c answers"], times: Int[Array, " b"]) -> Int[Array, "c answers"]:
    """Add the confusion matrices of clouds, each as often as it was drawn."""
    return np.tensordot(times, counts, axes=1)


def rarest(counts: Real[Array, "c answers"]) -> Int[Array, " r"]:
    """Give the third of the classes with the fewest points, rounded up, of those that occur; the rarest first."""
    true = counts.sum(axis=1)
    occurring = np.flatnonzero(true > 0)
    order: Array = occurring[np.argsort(true[occurring], kind="stable")]
    return order[: -(-len(order) // 3)]


def rare_miou(counts: Real[Array, "c answers"]) -> float:
    """Give the mean IoU of the rarest third of classes; NaN where nothing has a label."""
    return _mean(label_scores(counts).iou[rarest(counts)])


def _ratio(part: Real[Array, "*n"], whole: Real[Array, "*n"]) -> Float64[Array, "*n"]:
    """Divide; nothing of nothing is NaN."""
    nothing = np.full(np.shape(part), np.nan)
    return np.divide(part, whole, out=nothing, where=whole > 0)


def _share(part: Real[Array, " n"], whole: Real[Array, " n"]) -> float:
    total = float(whole.sum())
    return float(part.sum()) / total if total else float("nan")


def _mean(values: Float64[Array, " n"]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
