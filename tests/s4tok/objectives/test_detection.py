from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from s4tok.backbones.set_abstraction import SetAbstractionEncoder
from s4tok.config import (
    BackboneConfig,
    DetectorConfig,
    FinetuneConfig,
    GroupFreeLossConfig,
    TokenizerConfig,
    detection_recipe,
)
from s4tok.models.checkpoint import TrainedModel
from s4tok.models.detector import ClipSceneEncoder, Detector, PlainSceneEncoder, SceneEncoder
from s4tok.models.model import Model
from s4tok.models.point_encoder import PointEncoder
from s4tok.objectives.detection import SceneWithBoxes, SetPrediction, StagedPrediction
from s4tok.tokenizers import build_tokenizer

SMALL = DetectorConfig(
    n_tokens=12, radius=0.5, neighbors=8, adapter_widths=(4, 8, 16), encoder_layers=1, encoder_hidden=8, heads=2,
    width=16, decoder_layers=2, decoder_hidden=8, queries=6, angles=12,
)  # fmt: skip
RECIPE = detection_recipe("toy")


def entries(count: int = 2) -> list[SceneWithBoxes]:
    draw = np.random.default_rng(0)
    return [
        SceneWithBoxes(
            points=draw.uniform(0, 2, (60 - 10 * number, 3)).astype(np.float32),
            superpoints=draw.integers(0, 3, 60 - 10 * number),
            boxes=draw.uniform(0.3, 1.5, (3 - number, 7)).astype(np.float32),
            labels=draw.integers(0, 2, 3 - number),
            seed=number,
        )
        for number in range(count)
    ]


def objective(kind: str, checkpoint: TrainedModel, decoder: Any = "3detr", **training: Any) -> SetPrediction:
    torch.manual_seed(1)
    encoder: SceneEncoder
    if kind == "3detr":
        encoder = SetAbstractionEncoder(SMALL)
    elif kind == "plain":
        tokenizer = TokenizerConfig("knn", n_tokens=12, patch_size=8, adapter_widths=(4, 8, 8))
        encoder = PlainSceneEncoder(PointEncoder(tokenizer, BackboneConfig(16, 1, 2)))
    else:
        made = build_tokenizer(width=32, n_points=60, n_tokens=12, patch_size=4, adapter_widths=(4, 8, 8))
        encoder = ClipSceneEncoder(Model(made, checkpoint.model.clip))
    detector = Detector(encoder, replace(SMALL, decoder=decoder), ("bed", "chair"))
    config = replace(RECIPE.training, **{"train": "tokenizer,head", **training})
    if decoder == "groupfree":
        return StagedPrediction(detector, config, RECIPE.boxes, GroupFreeLossConfig())
    return SetPrediction(detector, config, RECIPE.boxes)


@pytest.mark.parametrize("kind", ["3detr", "plain", "clip"])
@pytest.mark.parametrize(
    ("train", "decoder"), [("tokenizer,head", "3detr"), ("head", "3detr"), ("tokenizer,head", "groupfree")]
)
def test_what_is_trained_moves_and_a_frozen_clip_stays_what_it_is(
    kind: str, train: Any, decoder: Any, checkpoint: TrainedModel
) -> None:
    model = objective(kind, checkpoint, decoder, train=train)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], 0.1)
    for _ in range(2):  # in the first step queries have nothing to share yet
        optimizer.zero_grad()
        model.step(model.collate(entries()))["total"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    moved = {name for name, each in model.state_dict().items() if not torch.equal(each, before[name])}
    encoders = {name for name in before if name.startswith("detector.encoder.")}
    clips = {name for name in encoders if "encoder.visual." in name}
    assert not moved & (encoders if train == "head" else clips)
    of_zeros = "detector.head.layers.0.query_norm.weight"  # queries begin as zeros, whatever they are multiplied by
    expected = {name for name, weight in model.named_parameters() if weight.requires_grad} - {of_zeros}
    assert not {name for name in expected - moved if not name.endswith("bias")}
    assert clips.isdisjoint(model.trainable_state())


@pytest.mark.parametrize("decoder", ["3detr", "groupfree"])
def test_dropout_is_drawn_by_the_seeds_of_a_batch(decoder: Any, checkpoint: TrainedModel) -> None:
    model = objective("3detr", checkpoint, decoder)
    batch = model.collate(entries())
    first = model.step(batch)
    assert set(first) == set(model.columns)
    torch.rand(5)
    torch.testing.assert_close(model.step(batch), first)
    other = batch._replace(scenes=batch.scenes._replace(seeds=batch.scenes.seeds + 7))
    assert float(model.step(other)["total"].detach()) != float(first["total"].detach())


@pytest.mark.parametrize("decoder", ["3detr", "groupfree"])
def test_figures_of_held_out_scenes_are_those_of_all_batches_together(decoder: Any, checkpoint: TrainedModel) -> None:
    model = objective("3detr", checkpoint, decoder).eval()
    with torch.no_grad():
        together = model.validate([(2, model.collate(entries()))])
        apart = model.validate((1, model.collate([each])) for each in entries())
    for name in ("ap25", "ap50"):
        assert together[name] == pytest.approx(apart[name], abs=1e-6)
    assert model.selection(together) == pytest.approx(1 - together["ap25"])
    nothing = [each._replace(boxes=each.boxes[:0], labels=each.labels[:0]) for each in entries()]
    with torch.no_grad():
        figures = model.validate([(2, model.collate(nothing))])
    assert np.isnan(figures["ap25"])
    assert model.selection(figures) == -np.inf


def test_rates_are_those_of_tokenizer_transformer_and_decoder(checkpoint: TrainedModel) -> None:
    model = objective("plain", checkpoint, tokenizer_rate=0.5, encoder_rate=0.25)
    rates = {model.rate_of(name) for name, _ in model.named_parameters() if ".tokenizer." in name}
    others = {model.rate_of(name) for name, _ in model.named_parameters() if ".backbone." in name}
    heads = {model.rate_of(name) for name, _ in model.named_parameters() if ".head." in name}
    assert (rates, others, heads) == ({0.5}, {0.25}, {1.0})
    staged = objective("plain", checkpoint, "groupfree")
    slow = {name for name, _ in staged.named_parameters() if staged.rate_of(name) == 0.1}
    assert slow == {name for name, _ in staged.named_parameters() if ".head.decoder." in name}
    assert FinetuneConfig().tokenizer_rate == 1.0
