"""The stage `classify`: label each cloud, zero-shot or by a fine-tuned head, and count how often that is right."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from torch import Tensor

from s4tok.config import ZeroShotConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import UsageError
from s4tok.inference.head_words import cloud_vectors
from s4tok.metrics.labels import Interval, Scores, bootstrap, confusion, label_scores
from s4tok.models.checkpoint import TrainedModel
from s4tok.shapes import Array, Float, Int
from s4tok.vision.vision_model import VisionModel
from s4tok.zero_shot.classifier import classifier, cosines
from s4tok.zero_shot.prompts import Prompts
from s4tok.zero_shot.unknown_words import tell_unknown, unknown_words
from s4tok_pipelines.inputs.whole_features import WholeFeatures
from s4tok_pipelines.outputs.provenance import provenance
from s4tok_pipelines.report import Failure, Report, all_failed, silent

BEST = 3  # names told of each cloud

Near: TypeAlias = Callable[[Float[Tensor, " d"]], Float[Tensor, " t"]]
Unknown: TypeAlias = Sequence[str]


class Figures(NamedTuple):
    """How right the names are, over clouds with a known category."""

    scores: Scores
    accuracy: Interval
    macc: Interval
    counts: Int[Array, "c answers"]


@dataclass
class Classified:
    """The names of every cloud, nearest first, and how right they are where that is known."""

    classes: list[str]
    answers: dict[str, list[tuple[str, float]]] = field(
        default_factory=dict
    )  # the best few, with their cosines or probabilities
    figures: Figures | None = None
    failures: list[Failure] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)  # all that is needed to do it again

    @property
    def by_head(self) -> bool:
        """Tell whether a head named the clouds, and no text."""
        return self.about.get("prompts", ()) is None

    def facts(self) -> dict[str, Any]:
        """Give the result as plain names and values; fractions in 0 .. 1."""
        facts: dict[str, Any] = {"clouds": len(self.answers), "failed": len(self.failures), "classes": self.classes}
        if self.figures is not None:
            found, counts = self.figures.scores, self.figures.counts
            facts |= {
                "accuracy": found.accuracy,
                "accuracy_interval": self.figures.accuracy[:2],
                "macc": found.macc,
                "macc_interval": self.figures.macc[:2],
                "chance": 1 / len(self.classes),
                "per_class": dict(zip(self.classes, found.recall, strict=True)),
                "counts": dict(zip(self.classes, counts.sum(axis=1), strict=True)),
                "confusion": counts[:, :-1],  # rows the true category, columns the answer
            }
        return {**facts, **self.about, "answers": self.answers}


def classify(
    clouds: CloudDataset,
    features: WholeFeatures,
    vision: VisionModel | None,
    prompts: Prompts,
    *,
    labels: Sequence[str] = (),
    report: Report = silent,
) -> Classified:
    """Name every cloud by the class whose sentences are nearest, and hold that against its category.

    Nothing depends on batch or workers.

    Args:
        clouds: Objects of known category, or anything where `labels` say what it may be.
        features: Of each cloud, by a checkpoint or by a vision model of drawn views.
        vision: The model whose texts name classes; a head needs none.
        prompts: The sentences of each class.
        labels: What a cloud may be, in place of the dataset's categories; then nothing can be right or wrong.
        report: Who listens.
    """
    start = time.monotonic()
    config, classes = features.config, list(labels or clouds.categories)
    if not classes:
        raise UsageError(
            f"{clouds.name} has no categories.", 'say what its clouds may be, for example --labels "chair,table,lamp".'
        )
    near, unknown = _near(features.checkpoint, classes, vision, prompts)
    if vision is not None:
        for sentence in tell_unknown(unknown, vision):
            report.warn(sentence)
    result = Classified(classes)
    rows: dict[str, Float[Tensor, " t"]] = {}
    for done in report.steps(features.of_clouds, "Classifying", total=len(clouds)):
        if done.result is None:
            result.failures.append(Failure(done.item, done.reason))
        else:
            rows[done.item] = near(done.result)
        report.gauge(failed=float(len(result.failures)))
    if not rows:
        raise all_failed(result.failures, "classified")
    for key in sorted(rows):
        best = rows[key].argsort(descending=True, stable=True)[:BEST].tolist()
        result.answers[key] = [(classes[each], float(rows[key][each])) for each in best]
    if not labels:
        result.figures = _figures(clouds, {key: best[0][0] for key, best in result.answers.items()}, config)
    result.failures.sort(key=lambda failure: failure.key)
    cut = features.superpoints
    result.about = {
        **provenance(clouds, vision, features.checkpoint, None if _has_head(features.checkpoint) else prompts),
        "seed": config.seed,
        "votes": config.votes,
        "scale": config.scale,
        "unknown_words": list(unknown),
        "bootstrap": {"draws": config.draws, "level": config.level},
        "superpoints": None if cut is None else {cut.folder: cut.parameters},
        "views": None if features.views is None else features.views.parameters,
        "seconds": round(time.monotonic() - start, 3),
    }
    return result


def _has_head(checkpoint: TrainedModel | None) -> bool:
    return checkpoint is not None and checkpoint.labeller is not None


def _near(
    checkpoint: TrainedModel | None, classes: Sequence[str], vision: VisionModel | None, prompts: Prompts
) -> tuple[Near, Unknown]:
    """Say how near features are to classes, by a head or by prompts, and which words the texts were not trained on."""
    if checkpoint is not None and checkpoint.labeller is not None:
        picked = cloud_vectors(checkpoint, classes)
        return lambda probabilities: probabilities @ picked.T, ()
    assert vision is not None
    texts = classifier(vision, [prompts.of_object(name) for name in classes]).cpu()
    return lambda feature: cosines(feature, texts), unknown_words(classes, vision, prompts)


def _figures(clouds: CloudDataset, answers: Mapping[str, str], config: ZeroShotConfig) -> Figures:
    """Count right and wrong names, and draw the clouds again and again to see how sure the counts are."""
    place = {name: number for number, name in enumerate(clouds.categories)}
    categories = [clouds.category(key) for key in answers]
    truth = np.array([-1 if category is None else category for category in categories])
    answer = np.array([place[name] for name in answers.values()])

    def drawn(times: Int[Array, " b"]) -> Scores:
        return label_scores(confusion(truth, answer, len(place), times))

    def spread(measure: Callable[[Scores], float]) -> Interval:
        return bootstrap(
            lambda times: measure(drawn(times)),
            len(answer),
            draws=config.draws,
            level=config.level,
            seed=config.seed,
        )

    counts = confusion(truth, answer, len(place))
    return Figures(label_scores(counts), spread(lambda each: each.accuracy), spread(lambda each: each.macc), counts)
