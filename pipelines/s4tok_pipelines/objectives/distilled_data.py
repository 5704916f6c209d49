"""What objectives that distil 2D features train on: samples of clouds, and features of their superpoints."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from s4tok.config import RunConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError
from s4tok.shapes import Array, Int
from s4tok.tokenizers import PointFeatures
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheError
from s4tok_pipelines.inputs import point_features, training_inputs
from s4tok_pipelines.inputs.features import name_in, superpoints_under
from s4tok_pipelines.inputs.masks import require_current_masks
from s4tok_pipelines.inputs.training_data import Source, TrainingData
from s4tok_pipelines.inputs.training_samples import training_samples, windows_of
from s4tok_pipelines.objectives.contract import Request
from s4tok_pipelines.report import Report


class DistilledData(NamedTuple):
    """Clouds to train on, and to validate on."""

    data: TrainingData
    held: TrainingData | None

    @property
    def vision_model(self) -> Mapping[str, str]:
        """Name the vision model that all features are by, and its weights."""
        sources = [*self.data.sources, *(self.held.sources if self.held else ())]
        stamps = (each.features.stamp for each in sources)
        found = {(name_in(stamp), str(stamp.parameters["weights"])) for stamp in stamps}
        if len(found) > 1:
            told = ", ".join(f"{name} {weights[:12]}" for name, weights in sorted(found))
            raise InputError(f"the datasets' features are by models of different weights: {told}.")
        name, weights = found.pop()
        return {"model": name, "weights": weights}

    def hold(self, report: Report) -> None:
        """Read everything into memory, where it fits."""
        for each in (self.data, self.held):
            if each is not None and not each.hold(report):
                report.note("the clouds do not fit into memory, and are read for every batch")

    def facts(self, datasets: Sequence[CloudDataset]) -> dict[str, Mapping[str, Any]]:
        """Say which clouds and which features a result depends on."""
        facts: dict[str, Mapping[str, Any]] = {}
        for place, (clouds, source) in enumerate(zip(datasets, self.data.sources, strict=True)):
            where = {"dataset": clouds.name, "split": clouds.split, "samples": source.samples.stamp.folder}
            facts[_table("source", "also", place, source, facts)] = {**where, **source.facts()}
        for place, source in enumerate(self.held.sources if self.held else ()):
            facts[_table("validation", "validation", place, source, facts)] = source.facts()
        facts.setdefault("validation", {})
        return facts

    def card(self) -> dict[str, Any]:
        """Say on a checkpoint's card which superpoints and which caches it was trained on."""
        sources = self.data.sources
        return {
            "superpoints": {each.scene: training_inputs.superpoints_of(each.features) for each in sources},
            "caches": [stamp.folder for each in sources for stamp in (each.features.stamp, each.samples.stamp)],
        }


def _table(first: str, other: str, place: int, source: Source, taken: Collection[str]) -> str:
    """Name the table of a source in a run's configuration; own objects and rooms have one name."""
    name = f"{other}-{source.name}" if place else first
    return f"{name}-{source.scene}" if name in taken else name


def open_data(
    request: Request[RunConfig], clip: FrozenClip | None = None, texts: Mapping[str, Sequence[Int[Array, " _"]]] = {}
) -> DistilledData:
    """Open what to train on, and what to validate on: a split, or some of the clouds.

    Args:
        request: What a run was asked for; what is missing is made before, with --auto.
        clip: Whose features are distilled, where the recipe names no other model's.
        texts: Of each dataset whose labels are learned, which text each class is, and each name where it has names.
    """
    point_features.require_some(request.datasets, PointFeatures(request.config.point_features))
    if request.make_inputs is not None and request.ranks.is_first:
        for each in request.datasets:
            request.make_inputs(each)
    request.ranks.wait()
    training = request.config.training
    most = training.validation_clouds
    train, held = [], []
    splits = {each.name: each for each in request.validation}
    for clouds in request.datasets:
        source = _open(request, clip, clouds, texts=texts.get(clouds.name, ()))
        train.append(source)
        split = splits.get(clouds.name)
        if split is not None:
            try:
                held.append(_open(request, clip, split, most, texts.get(clouds.name, ())))
            except CacheError as error:
                request.report.note(f"no validation on {split.name}/{split.split}, since {error}")
            else:
                continue
        chosen = set(training_inputs.some(training_inputs.held_out(source.clouds, training.held_out), most))
        if chosen:
            held.append(replace(source, clouds=sorted(chosen)))
        source.clouds = [key for key in source.clouds if key not in chosen]
    return DistilledData(TrainingData(train, training), TrainingData(held, training) if held else None)


def _open(
    request: Request[RunConfig],
    clip: FrozenClip | None,
    clouds: CloudDataset,
    most: int | None = None,
    texts: Sequence[Int[Array, " _"]] = (),
) -> Source:
    """Open a dataset's features and samples; the first process takes samples that are missing."""
    config, ranks, report = request.config, request.ranks, request.report
    wanted = PointFeatures(config.point_features)
    features = training_inputs.training_features(clouds, request.cache, clip, config, report)
    superpoints = superpoints_under(features)
    require_current_masks(clouds, request.cache, superpoints)
    keys = training_inputs.usable(clouds, superpoints, features, config, report)
    keys = keys if most is None else training_inputs.some(keys, most)
    samples = ranks.first_makes(
        lambda: training_samples(
            clouds, keys, superpoints, config.training, config.tokenizer.n_points, wanted,
            labelled=bool(texts), named=len(texts) > 1, workers=request.workers, report=report,
        )
    )  # fmt: skip
    keys = [key for key in keys if key in samples]
    if not keys:
        raise InputError(f"{clouds.name} has no clouds to train on.")
    windows = windows_of(clouds, config.training)
    return Source(clouds.name, clouds.scene, keys, samples, features, config.training, windows, wanted, texts)
