"""Colours and normals of clouds to train on: some must be there, and what standardises them is measured."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain

from s4tok.config import PointKind
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.shapes import Array, Float
from s4tok.tokenizers import PointFeatures
from s4tok.tokenizers.point_features import in_words
from s4tok_pipelines.inputs.labelled_data import LabelledData
from s4tok_pipelines.inputs.training_data import Source
from s4tok_pipelines.report import Report, silent


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


def measured(wanted: PointFeatures, sources: Sequence[Source | LabelledData], report: Report = silent) -> PointFeatures:
    """Take mean and deviation from the samples of clouds to train on, and say how many clouds lack something."""
    clouds = dict.fromkeys(wanted.kinds, 0)

    def features() -> Iterator[Float[Array, "q n c"]]:
        for source in sources:
            for name in report.steps(source.clouds, f"Reading {in_words(wanted.kinds)}"):
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
            report.note(f"{count} of {total} clouds have no {in_words([kind])}, which count as unknown")
    return standardizing


def _refusal(who: str, kinds: Sequence[PointKind]) -> InputError:
    return InputError(
        f"{who} has {in_words(kinds, 'or')}, which the tokenizer reads.",
        "leave out of --point-features what is missing, or begin with a checkpoint that reads positions alone: "
        "s4tok estimates no others for a tokenizer.",
    )
