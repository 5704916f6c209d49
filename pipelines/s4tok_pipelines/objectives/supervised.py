"""Supervised training: a checkpoint's tokenizer, or a new one, with a head that learns a dataset's labels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import torch

from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.backbones.plain_transformer import PlainEncoder
from s4tok.config import NO_CHECKPOINT, ROOM_WINDOW, FinetuneRecipe, Task, ZeroShotConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.errors import InputError, UsageError, choose
from s4tok.inference.loading import load
from s4tok.models.checkpoint import TrainedModel, has_own_encoder, own_encoder
from s4tok.models.labeller import Labels
from s4tok.models.model import Model
from s4tok.models.point_encoder import PointEncoder
from s4tok.models.trained import learned_since
from s4tok.objectives.supervised import NO_LABEL, Supervised, class_weights
from s4tok.tokenizers import TOKENIZERS, PointFeatures, Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheReader
from s4tok_pipelines.inputs import point_features, training_inputs
from s4tok_pipelines.inputs.find_superpoints import ready_superpoints
from s4tok_pipelines.inputs.labelled_data import LabelledData, balanced, few
from s4tok_pipelines.inputs.training_samples import Draws, training_samples, windows_of
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.head_start import begun_head
from s4tok_pipelines.report import Report

_NO_KEYS: Mapping[str, int] = {}


class _Split(NamedTuple):
    """Some clouds with labels, and their superpoints."""

    clouds: CloudDataset
    superpoints: CacheReader
    keys: list[str]


def prepare(request: Request[FinetuneRecipe]) -> Prepared:
    """Load or build the tokenizer, and take samples of the clouds, whose superpoints are in the cache."""
    (clouds,), recipe = request.datasets, request.config
    assert recipe.task != "detection"
    labels = Labels.of_clouds(clouds, recipe.task or task_of(clouds))
    checkpoint = begin_with(recipe, request.device)
    checkpoint = checkpoint._replace(model=checkpoint.model.of_scene(clouds.scene))
    recipe = replace(recipe, training=replace(recipe.training, window=_window(checkpoint, clouds, recipe)))
    request = replace(request, config=recipe)
    train, held = _splits(request, checkpoint, labels)
    checkpoint, data, held_data = _data(request, checkpoint, labels, train, held)
    labeller = begun_head(recipe, checkpoint, labels, clouds, request.device, request.report)
    request = replace(request, config=replace(recipe, head=labeller.config))
    weights = class_weights(data.counts(len(labels.classes))) if recipe.training.class_weights != "none" else None
    model = Supervised(checkpoint, labeller, recipe.training, weights)

    def hold(report: Report) -> None:
        for each in (data, held_data):
            if each is not None and not each.hold(report):
                report.note("the clouds do not fit into memory, and are read for every batch")

    name = f"{labels.task}-{checkpoint.model.tokenizer.config.tokenizer}"
    return Prepared(model, data, held_data, name, *_told(request, checkpoint, labels, train, data, held_data), hold)


def task_of(clouds: CloudDataset) -> Task:
    """Take the task that a dataset has labels for."""
    if clouds.parts:
        return "parts"
    return "objects" if clouds.categories else "scenes"


def begin_with(recipe: FinetuneRecipe, device: str) -> TrainedModel:
    """Load the checkpoint to begin with, without the head it may have; or draw a tokenizer by the seed."""
    if recipe.checkpoint == NO_CHECKPOINT:
        choose("tokenizer", recipe.tokenizer.tokenizer, TOKENIZERS)
        found = _untrained(recipe, device)
    else:
        found = load(recipe.checkpoint, clip=recipe.clip, pretrained=recipe.pretrained, device=device).trained_model
    model = found.model
    known = model.tokenizer.config
    model.tokenizer.regroup(
        replace(
            known,
            tokenizer=recipe.group_as or known.tokenizer,
            n_points=recipe.n_points or known.n_points,
            n_tokens=recipe.n_tokens or known.n_tokens,
        )
    )
    if recipe.training.train == "all" and model.clip is not None and not has_own_encoder(model):
        model = Model(model.tokenizer, model.clip, model.attend, model.head, own_encoder(model.clip))
    return found._replace(model=model, labeller=None)


def _untrained(recipe: FinetuneRecipe, device: str) -> TrainedModel:
    """Draw a tokenizer by the seed, and a plain transformer or one that reads tokens for a CLIP."""
    wanted = PointFeatures(recipe.point_features)
    if recipe.transformer == "plain":
        if recipe.clip is not None:
            raise UsageError("--transformer plain is trained without a CLIP, and --clip names one.", "leave out one.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.training.seed)
            model = PointEncoder(recipe.tokenizer, recipe.backbone, wanted).model
        card: dict[str, Any] = {"backbone": asdict(recipe.backbone)}
        return TrainedModel(model.to(torch.device(device)), card, NO_CHECKPOINT)
    clip = FrozenClip.load(recipe.clip or ZeroShotConfig.clip, recipe.pretrained, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        width = FrozenEncoder(clip.model.visual).width  # type: ignore[arg-type]
        tokenizer = Tokenizer(recipe.tokenizer, width=width, point_features=wanted)
    card = {"clip": {"name": clip.name, "weights": clip.sha256}, "encoder": asdict(recipe.encoder)}
    return TrainedModel(Model(tokenizer, clip, recipe.encoder.attend), card, NO_CHECKPOINT)


def _window(checkpoint: TrainedModel, clouds: CloudDataset, recipe: FinetuneRecipe) -> float:
    """Give the side of a room's columns: as asked for, as the checkpoint was trained, or the usual one."""
    if clouds.scene == "object":
        return 0.0
    if recipe.training.window is not None:
        return recipe.training.window
    return checkpoint.trained.window if checkpoint.trained.has_rooms else ROOM_WINDOW


def _splits(request: Request[FinetuneRecipe], checkpoint: TrainedModel, labels: Labels) -> tuple[_Split, list[_Split]]:
    """Open superpoints of what to train and to validate on: a split, or some of the clouds."""
    (clouds,), training = request.datasets, request.config.training
    if request.make_inputs is not None and request.ranks.is_first:
        for each in (clouds, *request.validation):
            request.make_inputs(each)
    request.ranks.wait()
    whole = _opened(request, checkpoint, labels, clouds)
    keys, superpoints, categories = whole.keys, whole.superpoints, _categories(clouds)
    held, most = list[_Split](), training.validation_clouds
    for each in request.validation:
        try:
            split = _opened(request, checkpoint, labels, each)
        except InputError as error:
            request.report.note(f"no validation on {each.name}/{each.split}, since {error}")
            continue
        held.append(split._replace(keys=training_inputs.some(split.keys, most)))
    if not held:
        out = training_inputs.some(training_inputs.held_out(keys, training.held_out), most)
        keys = [key for key in keys if key not in set(out)]
        held = [_Split(clouds, superpoints, sorted(out))] if out else []
    keys = few(keys, categories, training.shots_seed, training.shots, training.labels_fraction)
    return _Split(clouds, superpoints, keys), held


def _opened(request: Request[FinetuneRecipe], checkpoint: TrainedModel, labels: Labels, clouds: CloudDataset) -> _Split:
    superpoints, categories = ready_superpoints(clouds, request.cache, checkpoint, request.report), _categories(clouds)
    known = [key for key in clouds.keys if labels.task == "scenes" or categories[key] != NO_LABEL]
    return _Split(clouds, superpoints, [key for key in known if key in superpoints])


def _data(
    request: Request[FinetuneRecipe], checkpoint: TrainedModel, labels: Labels, train: _Split, held: Sequence[_Split]
) -> tuple[TrainedModel, LabelledData, LabelledData | None]:
    """Take samples, those of other processes' part too, and measure colours and normals of a new tokenizer's."""
    tokenizer, training = checkpoint.model.tokenizer, request.config.training
    wanted = tokenizer.point_features
    if not wanted.mean:
        point_features.require_some([train.clouds], wanted)
    data, *held_data = (_sampled(request, tokenizer, labels, split) for split in (train, *held))
    if not data.keys:
        raise InputError(f"{train.clouds.name} has no labelled clouds to train on.")
    if not wanted.mean:
        tokenizer.point_features = point_features.measured(wanted, [data], request.report)
    categories = data.categories
    listed = balanced(data.listed, categories) if training.balance else list(data.listed)
    return checkpoint, replace(data, listed=listed * training.repeats), next(iter(held_data), None)


def _sampled(request: Request[FinetuneRecipe], tokenizer: Tokenizer, labels: Labels, split: _Split) -> LabelledData:
    training = request.config.training
    assert training.window is not None
    how = Draws(training.draws, training.draw_seed, training.window, training.windows)
    samples = request.ranks.first_makes(
        lambda: training_samples(
            split.clouds, split.keys, split.superpoints, how, tokenizer.config.n_points, tokenizer.point_features,
            labelled=labels.task != "objects", workers=request.workers, report=request.report,
        )
    )  # fmt: skip
    keys = [key for key in split.keys if key in samples]
    categories = _categories(split.clouds) if labels.task != "scenes" else _NO_KEYS
    return LabelledData(samples, keys, categories, training.draws, windows_of(split.clouds, how), training.seed)


def _categories(clouds: CloudDataset) -> dict[str, int]:
    numbers = {key: clouds.category(key) for key in clouds.keys}
    return {key: NO_LABEL if number is None else number for key, number in numbers.items()}


def _told(
    request: Request[FinetuneRecipe],
    checkpoint: TrainedModel,
    labels: Labels,
    train: _Split,
    data: LabelledData,
    held: LabelledData | None,
) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Any]]:
    """Say what the result depends on, and what a checkpoint's card says beside."""
    (clouds,), recipe, model = request.datasets, request.config, checkpoint.model
    begun = {"name": checkpoint.name}
    if checkpoint.name != NO_CHECKPOINT:
        begun["weights"] = checkpoint.sha256
    facts: dict[str, Mapping[str, Any]] = {
        "source": {"dataset": clouds.name, "split": clouds.split, **data.facts()},
        "validation": {} if held is None else held.facts(),
        "labels": {"task": labels.task, "classes": list(labels.classes), "categories": list(labels.categories)},
        "checkpoint": begun,
        **_transformer(model),
        "tokenizer": asdict(model.tokenizer.config),
        "encoder": {"attend": model.attend},
        "head": asdict(recipe.head),
        "point_features": {"kinds": list(model.tokenizer.point_features.kinds)},
    }
    if recipe.protocol is not None:
        facts["protocol"] = {"name": recipe.protocol}
    kept = {
        name: checkpoint.card[name]
        for name in ("clip", "backbone", "vision_model", "encoder")
        if name in checkpoint.card
    }
    cuts = checkpoint.card.get("superpoints", {})
    card = {
        **kept,
        "begun_with": begun,
        "window": recipe.training.window if clouds.scene == "room" else checkpoint.trained.window,
        "superpoints": {**cuts, clouds.scene: train.superpoints.stamp.parameters},
        "caches": [train.superpoints.stamp.folder, data.samples.stamp.folder],
        "dataset": {"name": clouds.name, "split": clouds.split, "clouds": len(data.clouds)},
        **({} if recipe.protocol is None else {"protocol": recipe.protocol}),
    }
    # Where words are the head, the checkpoint has none that would say so.
    now = {clouds.name: labels.classes} if recipe.head.head == "words" else {}
    return facts, card | learned_since(checkpoint.card, now, labels.classes if now and labels.task == "scenes" else ())


def _transformer(model: Model) -> Mapping[str, Mapping[str, Any]]:
    """Name the CLIP whose transformer reads the tokens, or say how large the plain one is."""
    if isinstance(model.encoder, PlainEncoder):
        return {"backbone": asdict(model.encoder.transformer.config)}
    assert model.clip is not None
    return {"clip": {"name": model.clip.name, "weights": model.clip.sha256}}
