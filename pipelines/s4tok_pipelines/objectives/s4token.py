"""S4Token: a tokenizer in front of a frozen CLIP, trained on superpoints and on 2D features of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.config import RunConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, choose
from s4tok.objectives.s4token import S4Token
from s4tok.tokenizers import TOKENIZERS, PointFeatures, Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheError, CacheReader
from s4tok_pipelines.inputs import point_features, training_inputs
from s4tok_pipelines.inputs.features import name_in, superpoints_under
from s4tok_pipelines.inputs.training_data import Source, TrainingData
from s4tok_pipelines.inputs.training_samples import training_samples, windows_of
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.report import Report


def prepare(request: Request[RunConfig]) -> Prepared:
    """Build the model, and open the caches of superpoints and features."""
    config, wanted = request.config, PointFeatures(request.config.point_features)
    point_features.require_some(request.datasets, wanted)
    choose("tokenizer", config.tokenizer.tokenizer, TOKENIZERS)
    clip = FrozenClip.load(config.clip.model, config.clip.pretrained, request.device)
    if request.make_inputs is not None and request.ranks.is_first:
        for each in request.datasets:
            request.make_inputs(each)
    request.ranks.wait()
    data, held = _data(request, clip)
    distilled = _distilled([*data.sources, *(held.sources if held else ())])

    def hold(report: Report) -> None:
        for each in (data, held):
            if each is not None and not each.hold(report):
                report.note("the clouds do not fit into memory, and are read for every batch")

    card = {
        "clip": {"name": clip.name, "weights": clip.sha256},
        "vision_model": distilled,
        "encoder": asdict(config.encoder),
        "window": config.training.window,
        "superpoints": {each.scene: training_inputs.superpoints_of(each.features) for each in data.sources},
        "caches": [stamp.folder for each in data.sources for stamp in (each.features.stamp, each.samples.stamp)],
    }
    facts = _facts(request, data, held, clip, distilled)
    model = _model(clip, config, data.sources[0].target_width)
    model.tokenizer.point_features = point_features.measured(wanted, data.sources, request.report)
    return Prepared(model, data, held, config.tokenizer.tokenizer, facts, card, hold)


def _distilled(sources: Sequence[Source]) -> Mapping[str, str]:
    """Name the vision model that all features are by, and its weights."""
    found = {(name_in(stamp), str(stamp.parameters["weights"])) for stamp in (each.features.stamp for each in sources)}
    if len(found) > 1:
        told = ", ".join(f"{name} {weights[:12]}" for name, weights in sorted(found))
        raise InputError(f"the datasets' features are by models of different weights: {told}.")
    name, weights = found.pop()
    return {"model": name, "weights": weights}


def _model(clip: FrozenClip, config: RunConfig, target_width: int) -> S4Token:
    encoder = FrozenEncoder(clip.model.visual)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        wanted = PointFeatures(config.point_features)
        tokenizer = Tokenizer(config.tokenizer, width=encoder.width, point_features=wanted)
        return S4Token(
            tokenizer, encoder, config.training, config.clusters, config.propagation, config.encoder.attend,
            target_width,
        )  # fmt: skip


def _data(request: Request[RunConfig], clip: FrozenClip) -> tuple[TrainingData, TrainingData | None]:
    """Open what to train on, and what to validate on: a split, or some of the clouds."""
    training = request.config.training
    most = training.validation_clouds
    train, held = [], []
    splits = {each.name: each for each in request.validation}
    for clouds in request.datasets:
        source = _open(request, clip, clouds)
        train.append(source)
        split = splits.get(clouds.name)
        if split is not None:
            try:
                held.append(_open(request, clip, split, most))
            except CacheError as error:
                request.report.note(f"no validation on {split.name}/{split.split}, since {error}")
            else:
                continue
        chosen = set(training_inputs.some(training_inputs.held_out(source.clouds, training.held_out), most))
        if chosen:
            held.append(replace(source, clouds=sorted(chosen)))
        source.clouds = [key for key in source.clouds if key not in chosen]
    return TrainingData(train, training), TrainingData(held, training) if held else None


def _open(request: Request[RunConfig], clip: FrozenClip, clouds: CloudDataset, most: int | None = None) -> Source:
    """Open a dataset's features and samples; the first process takes samples that are missing."""
    config, ranks, report = request.config, request.ranks, request.report
    wanted = PointFeatures(config.point_features)
    features = training_inputs.training_features(clouds, request.cache, clip, config, report)
    keys = training_inputs.usable(clouds, features, report)
    keys = keys if most is None else training_inputs.some(keys, most)
    superpoints = superpoints_under(features)
    samples: CacheReader | None = None
    for turn in (0, 1):  # the first process makes what is missing, then all find it made
        if ranks.is_first == (turn == 0):
            samples = training_samples(
                clouds, keys, superpoints, config.training, config.tokenizer.n_points, wanted,
                workers=request.workers, report=report,
            )  # fmt: skip
        ranks.wait()
    assert samples is not None
    keys = [key for key in keys if key in samples]
    if not keys:
        raise InputError(f"{clouds.name} has no clouds to train on.")
    windows = windows_of(clouds, config.training)
    return Source(clouds.name, clouds.scene, keys, samples, features, config.training, windows, wanted)


def _facts(
    request: Request[RunConfig],
    data: TrainingData,
    held: TrainingData | None,
    clip: FrozenClip,
    distilled: Mapping[str, str],
) -> Mapping[str, Mapping[str, Any]]:
    """Say what the result depends on: the clouds, their features, CLIP, and the recipe of the model."""
    facts: dict[str, Mapping[str, Any]] = {}
    for place, (clouds, source) in enumerate(zip(request.datasets, data.sources, strict=True)):
        where = {"dataset": clouds.name, "split": clouds.split, "samples": source.samples.stamp.folder}
        facts["source" if not place else f"also-{clouds.name}"] = {**where, **source.facts()}
    for place, source in enumerate(held.sources if held else ()):
        facts["validation" if not place else f"validation-{source.name}"] = source.facts()
    facts.setdefault("validation", {})
    if request.config.features is not None:
        facts["vision_model"] = distilled
    facts["clip"] = {"name": clip.name, "weights": clip.sha256}
    for name in ("tokenizer", "encoder", "clusters", "propagation"):
        facts[name] = asdict(getattr(request.config, name))
    if request.config.point_features:  # folders of runs without do not name it
        facts["point_features"] = {"kinds": list(request.config.point_features)}
    return facts
