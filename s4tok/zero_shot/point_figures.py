"""How right the names of points are: counted cloud by cloud, measured once for all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from s4tok.config import SegmentConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.metrics.labels import (
    Interval,
    PartScores,
    Scores,
    bootstrap,
    confusion,
    label_scores,
    part_counts,
    part_scores,
    rare_miou,
    rarest,
    summed,
)
from s4tok.shapes import Array, Int
from s4tok.zero_shot.labelled import UNKNOWN_NAME, Labelled, best_cosines
from s4tok.zero_shot.vocabulary import Vocabulary

BINS = 4000  # of cosines, -1 to 1


class SceneFigures(NamedTuple):
    """Points of all scenes in one confusion matrix."""

    classes: Sequence[str]
    counts: Int[Array, "c answers"]
    scores: Scores
    openscene: Scores
    miou: Interval
    macc: Interval

    def facts(self) -> dict[str, Any]:
        """Give plain names and values; fractions in 0 .. 1."""
        points = self.counts.sum(axis=1)
        return {
            "accuracy": self.scores.accuracy,
            "miou": self.scores.miou,
            "miou_interval": self.miou[:2],
            "macc": self.scores.macc,
            "macc_interval": self.macc[:2],
            "rare_miou": rare_miou(self.counts),
            "rare_classes": [self.classes[c] for c in rarest(self.counts)],
            "openscene": {"miou": self.openscene.miou, "macc": self.openscene.macc},
            "per_class": {
                name: {"iou": self.scores.iou[c], "recall": self.scores.recall[c], "points": points[c]}
                for c, name in enumerate(self.classes)
            },
            "classes": self.classes,
            "confusion": self.counts,  # rows the true class, columns the answer, the last of them none
        }


class PartFigures(NamedTuple):
    """Points of objects of known category, by the three means that are all called mIoU."""

    scores: PartScores
    objects: Mapping[str, int]  # of each category
    parts: Sequence[str]
    accuracy: float
    miou_i: Interval
    miou_c: Interval
    miou_part: Interval

    def facts(self) -> dict[str, Any]:
        """Give plain names and values; fractions in 0 .. 1."""
        return {
            "accuracy": self.accuracy,
            "miou_i": self.scores.miou_i,
            "miou_i_interval": self.miou_i[:2],
            "miou_c": self.scores.miou_c,
            "miou_c_interval": self.miou_c[:2],
            "miou_part": self.scores.miou_part,
            "miou_part_interval": self.miou_part[:2],
            "per_category": {
                name: {"miou_i": iou, "objects": self.objects[name]}
                for name, iou in zip(self.objects, self.scores.by_category, strict=True)
            },
            "per_part": dict(zip(self.parts, self.scores.by_part, strict=True)),
        }


@dataclass
class Tally:
    """What has been counted so far."""

    clouds: CloudDataset
    points: Counter[str] = field(default_factory=Counter)  # of each name
    counts: list[Array] = field(default_factory=list)  # of each cloud with labels
    counts_before: list[Array] = field(default_factory=list)  # of the same, without calibration
    categories: list[int] = field(default_factory=list)  # of the same
    cosines: Int[Array, " bins"] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    n_clouds: int = 0

    def add(self, key: str, done: Labelled, words: Vocabulary) -> None:
        """Count one cloud."""
        self.n_clouds += 1
        category = self.clouds.category(key) if words.of_parts else None
        before = "" if category is None else f"{self.clouds.categories[category]}: "
        of_each = np.bincount(done.answers + 1, minlength=len(done.names) + 1).tolist()
        self.points.update({UNKNOWN_NAME: of_each[0]} if of_each[0] else {})
        self.points.update({f"{before}{name}": n for name, n in zip(done.names, of_each[1:], strict=True)})
        best = np.clip(best_cosines(done.scores, done.subtracted), -1, 1)
        self.cosines += np.bincount(((best + 1) / 2 * (BINS - 1)).round().astype(np.int64), minlength=BINS)
        if not words.has_truth or done.cloud.labels is None:
            return
        ids, count = np.append(words.of(key).ids, -1), confusion if category is None else part_counts
        self.counts.append(count(done.cloud.labels, ids[done.answers], len(self.clouds.classes)))
        if done.uncalibrated is not None:
            self.counts_before.append(count(done.cloud.labels, ids[done.uncalibrated], len(self.clouds.classes)))
        if category is not None:
            self.categories.append(category)

    def figures(self, config: SegmentConfig) -> SceneFigures | PartFigures | None:
        """Measure what has been counted; None where no cloud had labels."""
        if not self.counts:
            return None
        counts = np.stack(self.counts)

        def spread(measure: Callable[[Int[Array, " b"]], float]) -> Interval:
            return bootstrap(measure, len(counts), draws=config.draws, level=config.level, seed=config.seed)

        if not self.categories:
            total = counts.sum(axis=0)
            return SceneFigures(
                self.clouds.classes,
                total,
                label_scores(total),
                label_scores(total, "openscene"),
                spread(lambda times: label_scores(summed(counts, times)).miou),
                spread(lambda times: label_scores(summed(counts, times)).macc),
            )
        names, categories = self.clouds.categories, np.array(self.categories)
        parts = [self.clouds.parts[name] for name in names]

        def drawn(times: Int[Array, " b"] | None = None) -> PartScores:
            return part_scores(counts, categories, parts, times)

        right, true, _ = counts.sum(axis=(0, 1)).tolist()
        return PartFigures(
            drawn(),
            dict(zip(names, np.bincount(categories, minlength=len(names)).tolist(), strict=True)),
            self._part_names(),
            right / true if true else float("nan"),
            spread(lambda times: drawn(times).miou_i),
            spread(lambda times: drawn(times).miou_c),
            spread(lambda times: drawn(times).miou_part),
        )

    def uncalibrated(self) -> dict[str, float]:
        """Measure the means that would be without calibration; nothing where there was none."""
        if not self.counts_before:
            return {}
        counts = np.stack(self.counts_before)
        if not self.categories:
            found = label_scores(counts.sum(axis=0))
            return {"miou": found.miou, "macc": found.macc}
        parts = [self.clouds.parts[name] for name in self.clouds.categories]
        of_parts = part_scores(counts, np.array(self.categories), parts)
        return {"miou_i": of_parts.miou_i, "miou_c": of_parts.miou_c, "miou_part": of_parts.miou_part}

    def _part_names(self) -> list[str]:
        """Name each class by the category it is a part of, since several categories have a "body"."""
        owner = {part: name for name, members in self.clouds.parts.items() for part in members}
        return [f"{owner[part]}: {name}" for part, name in enumerate(self.clouds.classes)]


def spread_of(cosines: Int[Array, " bins"]) -> dict[str, float]:
    """Give the cosines of points with their own name, before calibration, for choosing what to call unknown."""
    reached = cosines.cumsum() / cosines.sum()
    return {f"{share:.0%}": float(2 * (reached >= share).argmax() / (BINS - 1) - 1) for share in (0.05, 0.5, 0.95)}
