"""The stage `segment`: label every point, zero-shot or by a fine-tuned head, and count how often that is right."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.geometry.box_frames import as_it_came
from s4tok.shapes import Array, Int
from s4tok.zero_shot.box_figures import BoxFigures, BoxTally
from s4tok.zero_shot.labelled import Labelled, labelled
from s4tok.zero_shot.point_figures import PartFigures, SceneFigures, Tally, spread_of
from s4tok.zero_shot.unknown_words import tell_unknown
from s4tok.zero_shot.vocabulary import Vocabulary
from s4tok_pipelines.inputs.entries import read_entry
from s4tok_pipelines.inputs.point_scores import PointScorer
from s4tok_pipelines.outputs.box_files import write_boxes
from s4tok_pipelines.outputs.formats import BOX_USUAL, USUAL
from s4tok_pipelines.outputs.labelled_clouds import stems_for, write_labelled
from s4tok_pipelines.outputs.provenance import provenance
from s4tok_pipelines.report import Failure, Report, all_failed, silent


class Files(NamedTuple):
    """What is written of each cloud, and where."""

    folder: Path
    formats: Sequence[str] = USUAL
    html: bool = False
    boxes: Sequence[str] = (BOX_USUAL,)  # formats of boxes, where they are asked for


@dataclass(frozen=True)
class Segmented:
    """How many points have which name, and how right the names are where that is known."""

    clouds: int
    points: dict[str, int]  # of each name, over all clouds
    cosines: Int[Array, " bins"]  # of points with their own name, counted
    figures: PartFigures | SceneFigures | None
    uncalibrated: dict[str, float]  # the mean figures without calibration; empty where there was none
    failures: list[Failure]
    about: dict[str, Any]  # all that is needed to do it again
    parts: tuple["Segmented", ...] = ()  # of own files among which are objects and rooms
    boxes: BoxFigures | None = None  # where boxes were asked for, and are known

    @property
    def best(self) -> dict[str, float]:
        """Say how near points are to their own name, or how probable it is by a head, by share of points."""
        return spread_of(self.cosines)

    @property
    def by_head(self) -> bool:
        """Tell whether a head named the points, and no text."""
        return self.about.get("prompts", ()) is None

    def facts(self) -> dict[str, Any]:
        """Give the result as plain names and values; fractions in 0 .. 1."""
        figures = {} if self.figures is None else self.figures.facts()
        if self.uncalibrated:
            figures["uncalibrated"] = self.uncalibrated
        return {
            "clouds": self.clouds,
            "failed": len(self.failures),
            **figures,
            **({} if self.boxes is None else self.boxes.facts()),
            "points": self.points,
            "best_probability" if self.by_head else "best_cosine": self.best,
            **self.about,
            **({"parts": [part.facts() for part in self.parts]} if self.parts else {}),
        }


def joined(parts: Sequence[Segmented]) -> Segmented:
    """Join what was found in objects and in rooms, which have checkpoints of their own: what both say, and each."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0].about
    return Segmented(
        sum(part.clouds for part in parts),
        dict(sum((Counter(part.points) for part in parts), Counter())),
        np.sum([part.cosines for part in parts], axis=0),
        None,
        {},
        [failure for part in parts for failure in part.failures],
        {name: value for name, value in first.items() if all(part.about[name] == value for part in parts)},
        tuple(parts),
    )


def segment(
    clouds: CloudDataset,
    scorer: PointScorer,
    words: Vocabulary,
    *,
    files: Files | None = None,
    boxes: BoxTally | None = None,
    watch: Callable[[Labelled], None] | None = None,
    report: Report = silent,
) -> Segmented:
    """Name every point of every cloud by the word whose sentences are nearest, and hold that against its label.

    One cloud at a time. Files of a cloud are whole or not there, so a run that was stopped can be started again; what
    is named of a cloud depends on the seed and its key alone.

    Args:
        clouds: Anything with parts or classes, or anything at all where the words are a user's own.
        scorer: A checkpoint with the superpoints of the clouds, or the 2D baseline with a vision model's features.
        words: What points may be, in the space of the scorer's features.
        files: What to write of each cloud; nothing where None.
        boxes: Finds and counts boxes around things of one name; None leaves them out.
        watch: Who else counts something of each cloud once it is named.
        report: Who listens.
    """
    start = time.monotonic()
    if words.model is not None:
        for sentence in tell_unknown(words.unknown, words.model):
            report.warn(sentence)
    stems, tally, failures = stems_for(clouds), Tally(clouds), list[Failure]()
    by = "its head" if words.prompts is None or words.model is None else f"texts of {words.model.name}"
    about = f"labels by {scorer.name}, {by}"
    for key in report.steps(clouds.keys, "Labelling points"):
        try:
            done = _named(clouds, key, scorer, words)
        except InputError as error:
            failures.append(Failure(key, error.with_hint))
            report.gauge(failed=float(len(failures)))
            continue
        if boxes is not None:
            done = done._replace(boxes=boxes.add(key, done, words.has_truth))
        if files is not None:
            stem = files.folder / stems[key]
            endings = write_labelled(stem, done, files.formats, clouds=clouds, html=files.html, about=about)
            if "mesh" in files.formats and not any(ending.startswith(".mesh") for ending in endings):
                report.note(f"{key} holds no mesh, so none is written")
            if done.boxes is not None:
                up = done.cloud.in_its_file(clouds.up)[1]
                write_boxes(stem, as_it_came(done.boxes, done.cloud), done.names, up, files.boxes)
            _tell_holes(clouds, key, report)
        tally.add(key, done, words)
        if watch is not None:
            watch(done)
    if not tally.n_clouds:
        raise all_failed(failures, "segmented")
    return Segmented(
        tally.n_clouds,
        dict(tally.points),
        tally.cosines,
        tally.figures(scorer.config),
        tally.uncalibrated(),
        failures,
        {
            **provenance(clouds, words.model, scorer.checkpoint, words.prompts),
            **asdict(scorer.config),
            "labels": list(words.labels),
            "category": words.category,
            "unknown_words": list(words.unknown),
            "calibrated_by": scorer.calibrated_by,
            "superpoints": {scorer.superpoints.folder.name: scorer.superpoints.stamp.parameters},
            "seconds": round(time.monotonic() - start, 3),
        },
        boxes=None if boxes is None else boxes.figures(),
    )


def _tell_holes(clouds: CloudDataset, key: str, report: Report) -> None:
    present = clouds.present(key)
    if present is not None:
        holes = f"{np.count_nonzero(~present):,} of its {len(present):,} rows are no points"
        report.note(f"{key}: {holes}; their label is -1, their scores are NaN, and the .ply leaves them out")


def _named(clouds: CloudDataset, key: str, scorer: PointScorer, vocabulary: Vocabulary) -> Labelled:
    """Name the points of one cloud."""
    words, cloud = vocabulary.of(key), clouds[key]
    truth = words.places(cloud.labels) if vocabulary.has_truth and cloud.labels is not None else None
    superpoints = read_entry(scorer.superpoints, clouds, key, "labels")["labels"].astype(np.int64)
    if len(superpoints) != len(cloud):
        raise InputError(f"it has {len(cloud)} points, and its superpoints are of {len(superpoints)}.")
    scores = scorer.scores(key, cloud, superpoints, words)
    return labelled(cloud, superpoints, words, scores, scorer.config, truth=truth, mean=scorer.mean)
