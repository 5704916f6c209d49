"""Colours and normals of clouds, for training and for checkpoints that read them; what clouds lack is said once."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain

from s4tok.clouds import PointCloud
from s4tok.config import PointKind
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.models.checkpoint import Student
from s4tok.shapes import Array, Float, Float32
from s4tok.tokenizers import PointFeatures
from s4tok.tokenizers.point_features import IN_WORDS
from s4tok_pipelines.inputs.training_data import Source
from s4tok_pipelines.report import Report, silent


class PointReader:
    """Reads what a checkpoint was trained with; what a cloud lacks of it counts as unknown, and is told once."""

    def __init__(self, student: Student, up: str, report: Report = silent) -> None:
        self.wanted, self.name = student.model.tokenizer.point_features, student.name
        self.up, self.report = up, report
        self.told: set[PointKind] = set()

    def read(self, cloud: PointCloud) -> Float32[Array, "n c"] | None:
        """Give a cloud's features; None for a checkpoint that reads none."""
        if not self.wanted.kinds:
            return None
        features = self.wanted.read(cloud, self.up)
        lacking: list[PointKind] = [kind for kind in self.wanted.lacking(features) if kind not in self.told]
        if lacking:
            self.told.update(lacking)
            self.report.note(
                f"{cloud.name} has no {_words(lacking)}, which checkpoint {self.name} was trained with: they count as "
                "unknown, here and in every other cloud without"
            )
        return features


def require_some(datasets: Sequence[CloudDataset], wanted: PointFeatures) -> None:
    """Refuse a dataset that has nothing of what is to be read of points, and a kind that none of them has.

    Clouds are read until one is found that has some, so all of them only before a refusal.
    """
    missing = set(wanted.kinds)
    if not missing:
        return
    kinds_of_clouds = [_known(clouds, wanted) for clouds in datasets]
    for clouds, kinds in zip(datasets, kinds_of_clouds, strict=True):
        known = next(filter(None, kinds), None)
        if known is None:
            raise _refusal(f"no cloud of {clouds.name}", wanted.kinds)
        missing -= known
    for known in chain.from_iterable(kinds_of_clouds):  # from where they stopped
        if not missing:
            return
        missing -= known
    if missing:
        raise _refusal("no cloud to train on", sorted(missing))


def _known(clouds: CloudDataset, wanted: PointFeatures) -> Iterator[set[PointKind]]:
    for key in clouds.keys:
        with suppress(InputError):  # the stages before have told of it
            yield set(wanted.kinds) - set(wanted.lacking(wanted.read(clouds[key], clouds.up)))


def measured(wanted: PointFeatures, sources: Sequence[Source], report: Report = silent) -> PointFeatures:
    """Take mean and deviation from the samples of clouds to train on, and say how many clouds lack something."""
    clouds = dict.fromkeys(wanted.kinds, 0)

    def features() -> Iterator[Float[Array, "q n c"]]:
        for source in sources:
            for name in report.steps(source.clouds, f"Reading {_words(wanted.kinds)}"):
                found = source.point_features_of(name)
                for kind in wanted.lacking(found):
                    clouds[kind] += 1
                yield found

    if not wanted.kinds:
        return wanted
    standardizing = wanted.measured(features())
    total = sum(len(source.clouds) for source in sources)
    for kind, count in clouds.items():
        if count == total:
            raise _refusal("no cloud to train on", [kind])
        if count:
            report.note(f"{count} of {total} clouds have no {IN_WORDS[kind]}, which count as unknown")
    return standardizing


def _refusal(who: str, kinds: Sequence[PointKind]) -> InputError:
    return InputError(
        f"{who} has {_words(kinds, 'or')}, which --point-features asks for.",
        "leave out what is missing; s4tok estimates none for a tokenizer.",
    )


def _words(kinds: Sequence[PointKind], join: str = "and") -> str:
    return f" {join} ".join(IN_WORDS[kind] for kind in kinds)
