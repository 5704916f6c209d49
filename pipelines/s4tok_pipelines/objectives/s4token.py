"""S4Token: a tokenizer in front of a frozen CLIP, trained on superpoints and on 2D features of them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from s4tok.backbones.clip_tower import FrozenEncoder
from s4tok.config import RunConfig
from s4tok.errors import choose
from s4tok.losses.labels import LabelLoss
from s4tok.models.trained import learned_since
from s4tok.objectives.s4token import S4Token
from s4tok.tokenizers import TOKENIZERS, PointFeatures, Tokenizer
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_pipelines.inputs import point_features
from s4tok_pipelines.objectives.begun_with import take_over
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.distilled_data import DistilledData, open_data
from s4tok_pipelines.objectives.learned_labels import learned_labels


def prepare(request: Request[RunConfig]) -> Prepared:
    """Build the model, and open the caches of superpoints and features."""
    config, wanted = request.config, PointFeatures(request.config.point_features)
    choose("tokenizer", config.tokenizer.tokenizer, TOKENIZERS)
    clip = FrozenClip.load(config.clip.model, config.clip.pretrained, request.device)
    labels = learned_labels(request.datasets, config, clip, request.device, request.report)
    opened = open_data(request, clip, labels.texts if labels else {})
    if labels:
        labels.require(opened.vision_model)
    card: dict[str, Any] = {
        "clip": {"name": clip.name, "weights": clip.sha256},
        "vision_model": opened.vision_model,
        "encoder": asdict(config.encoder),
        "window": config.training.window,
        **opened.card(),
    }
    facts = _facts(request, opened, clip)
    model = _model(clip, config, opened.data.sources[0].target_width, labels.loss if labels else None)
    begun_card: Mapping[str, Any] = {}
    if config.checkpoint is None:
        model.tokenizer.point_features = point_features.measured(wanted, opened.data.sources, request.report)
    else:
        begun = take_over(model, config, clip, request.device)
        facts["checkpoint"] = card["begun_with"] = begun.named
        begun_card = begun.card
    words = {} if labels is None else labels.words
    card |= learned_since(begun_card, words, [word for some in words.values() for word in some])
    return Prepared(model, opened.data, opened.held, config.tokenizer.tokenizer, facts, card, opened.hold)


def _model(clip: FrozenClip, config: RunConfig, target_width: int, label_loss: LabelLoss | None) -> S4Token:
    encoder = FrozenEncoder(clip.model.visual)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        wanted = PointFeatures(config.point_features)
        tokenizer = Tokenizer(config.tokenizer, width=encoder.width, point_features=wanted)
        return S4Token(
            tokenizer, encoder, config.training, config.clusters, config.propagation, config.encoder.attend,
            target_width, label_loss,
        )  # fmt: skip


def _facts(request: Request[RunConfig], opened: DistilledData, clip: FrozenClip) -> dict[str, Mapping[str, Any]]:
    """Say what the result depends on: the clouds, their features, CLIP, and the recipe of the model."""
    facts = opened.facts(request.datasets)
    if request.config.features is not None:
        facts["vision_model"] = opened.vision_model
    facts["clip"] = {"name": clip.name, "weights": clip.sha256}
    for name in ("tokenizer", "encoder", "clusters", "propagation"):
        facts[name] = asdict(getattr(request.config, name))
    if request.config.point_features:  # folders of runs without do not name it
        facts["point_features"] = {"kinds": list(request.config.point_features)}
    return facts
