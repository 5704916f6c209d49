"""How right the boxes are that labelled points make, beside chance and beside what true labels would give."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from s4tok.config import BoxConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.geometry.box_frames import turned
from s4tok.metrics.detection import THRESHOLDS, Boxes, DetectionScores, average_precision
from s4tok.oriented_boxes import OrientedBoxes
from s4tok.randomness import seed_of
from s4tok.shapes import Array, Int
from s4tok.zero_shot.found_boxes import found_boxes
from s4tok.zero_shot.labelled import Labelled, best_cosines

STRUCTURE = frozenset(("wall", "floor", "ceiling", "beam", "column"))  # which are no things, whoever names them


class BoxFigures(NamedTuple):
    """Average precisions of the boxes of some clouds, by the name of the overlap."""

    classes: Sequence[str]
    n_true: Int[Array, " c"]
    found: dict[str, DetectionScores]
    chance: dict[str, float]  # a random label a superpoint
    of_true_labels: dict[str, float]  # of the points, where known; what is then wrong is how things are told apart

    def facts(self) -> dict[str, Any]:
        """Give plain names and values; fractions in 0 .. 1."""
        return {
            **{name: scores.mean for name, scores in self.found.items()},
            **{f"{name}_chance": mean for name, mean in self.chance.items()},
            **{f"{name}_of_true_labels": mean for name, mean in self.of_true_labels.items()},
            "boxes_per_class": {
                label: {"boxes": self.n_true[c], **{name: each.of_classes[c] for name, each in self.found.items()}}
                for c, label in enumerate(self.classes)
            },
        }


class BoxTally:
    """Finds the boxes of labelled clouds and holds them against the true ones, cloud by cloud."""

    def __init__(self, clouds: CloudDataset, config: BoxConfig = BoxConfig()) -> None:  # noqa: B008 - it cannot change
        self.clouds, self.config = clouds, config
        self.true, self.found = list[Boxes](), list[Boxes]()
        self.by_chance, self.of_true_labels = list[Boxes](), list[Boxes]()

    def add(self, key: str, done: Labelled, has_truth: bool) -> OrientedBoxes:
        """Give the boxes of a cloud, labelled as its points are; count them where true ones of such names are known."""
        names = list(done.names)
        things = self.clouds.box_classes if has_truth and self.clouds.box_classes else set(names) - STRUCTURE
        wanted = [number for number, name in enumerate(names) if name in things]
        boxes = self._boxes(done, done.answers, best_cosines(done.scores, done.subtracted), wanted)
        if done.cloud.boxes is not None and not set(names).isdisjoint(self.clouds.box_classes):
            draw = np.random.default_rng(seed_of(self.config.seed, "boxes", key))
            random = draw.integers(len(names), size=int(done.superpoints.max()) + 1)[done.superpoints]
            self.true.append(self._counted(done.cloud.boxes))
            self.found.append(self._counted(boxes, names))
            for labels, kept in ((random, self.by_chance), (done.truth, self.of_true_labels)):
                if labels is not None:
                    other = self._boxes(done, labels, draw.random(len(labels)), wanted)
                    kept.append(self._counted(other, names))
        return boxes

    def figures(self) -> BoxFigures | None:
        """Measure what has been counted; None where no cloud had known boxes."""
        if not self.true:
            return None
        n_classes = len(self.clouds.box_classes)

        def measured(found: Sequence[Boxes]) -> dict[str, DetectionScores]:
            return {name: average_precision(found, self.true, n_classes, each) for name, each in THRESHOLDS.items()}

        labels = np.concatenate([each.labels.numpy() for each in self.true])
        chance = measured(self.by_chance)
        bound = measured(self.of_true_labels) if len(self.of_true_labels) == len(self.true) else {}
        return BoxFigures(
            self.clouds.box_classes,
            np.bincount(labels, minlength=n_classes),
            measured(self.found),
            {name: scores.mean for name, scores in chance.items()},
            {name: scores.mean for name, scores in bound.items()},
        )

    def _boxes(self, done: Labelled, labels: Int[Array, " n"], scores: Array, wanted: Sequence[int]) -> OrientedBoxes:
        return found_boxes(done.cloud.xyz, labels, scores, wanted, self.clouds.up, self.clouds.scene, self.config)

    def _counted(self, boxes: OrientedBoxes, names: Sequence[str] | None = None) -> Boxes:
        """Take boxes to where z is up, with the labels that the dataset's boxes have."""
        if names is not None:
            places = {name: place for place, name in enumerate(self.clouds.box_classes)}
            boxes = replace(boxes, labels=np.array([places.get(name, -1) for name in names])[boxes.labels])
        return Boxes.of(turned(boxes, self.clouds.up, "z"))
