"""A detector learns eight rooms by heart in a quarter of an hour of one core, GroupFree3D's some of their boxes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from s4tok.config import detection_recipe
from s4tok.objectives.detection import SetPrediction
from s4tok.optim.optimizers import build_optimizer
from s4tok.optim.schedule import learning_rate
from s4tok.synthetic.datasets import ToyScans
from s4tok_pipelines.inputs.boxed_scenes import BoxedData
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.detection import prepare
from s4tok_pipelines.report import silent
from s4tok_pipelines.training.ranks import from_environment

ROOMS, STEPS, EVERY = 8, 1800, 50


def measured(model: SetPrediction, data: BoxedData) -> float:
    model.eval()
    with torch.no_grad():
        figures = model.validate([(ROOMS, model.collate(data.entries(range(ROOMS), "validation")))])
    model.train()
    return float(figures["ap25"])


@pytest.mark.slow
@pytest.mark.parametrize(("decoder", "wanted"), [("3detr", 0.95), ("groupfree", 0.45)])
def test_eight_rooms_are_overfitted(decoder: Any, wanted: float, tmp_path: Path) -> None:
    recipe = detection_recipe("toy")
    recipe = replace(recipe, detector=replace(recipe.detector, decoder=decoder))
    recipe = replace(recipe, training=replace(recipe.training, flip=0.0, rotate=0.0, scale_range=(1.0, 1.0), repeats=1))
    clouds = ToyScans("train", sizes=(ROOMS, 0, 0))
    request = Request((clouds,), (clouds,), tmp_path, recipe, None, 1, "cpu", from_environment(), silent)
    ready: Prepared = prepare(request)
    model, data = ready.objective, ready.data
    assert isinstance(model, SetPrediction)
    assert isinstance(data, BoxedData)
    optimizer, best = build_optimizer(model, recipe.training, model.rate_of), 0.0
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe.training, step, STEPS, 1) * group["share"]
        optimizer.zero_grad()
        model.step(model.collate(data.entries(range(ROOMS), step)))["total"].backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), recipe.training.clip_gradient)
        optimizer.step()
        if step % EVERY == EVERY - 1:
            best = max(best, measured(model, data))
            print(f"step {step + 1}: AP25 {best:.3f}", flush=True)
        if best >= wanted:
            break
    assert best >= wanted
