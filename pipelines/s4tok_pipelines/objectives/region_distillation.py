"""Stage 1 of the SAM-guided system: a tokenizer and a plain transformer, trained on 2D features of regions."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from s4tok.config import RunConfig
from s4tok.errors import choose
from s4tok.models.point_encoder import PointEncoder
from s4tok.objectives.region_distillation import Groups, RegionDistillation
from s4tok.tokenizers import TOKENIZERS, PointFeatures
from s4tok_pipelines.inputs import point_features
from s4tok_pipelines.inputs.region_groups import region_groups
from s4tok_pipelines.objectives.contract import Prepared, Request
from s4tok_pipelines.objectives.distilled_data import DistilledData, open_data


def prepare(request: Request[RunConfig]) -> Prepared:
    """Open the caches of regions and features, group the regions, and build the model."""
    config = request.config
    choose("tokenizer", config.tokenizer.tokenizer, TOKENIZERS)
    opened = open_data(request)
    groups = groups_for(request, opened)
    model = distillation(request, opened, groups)
    name = f"{config.tokenizer.tokenizer}-{config.objective}"
    return Prepared(model, opened.data, opened.held, name, facts(request, opened), card(opened), opened.hold)


def groups_for(request: Request[RunConfig], opened: DistilledData) -> Groups:
    """Find the groups of regions in the first process, and read them in the others."""
    return request.ranks.first_makes(lambda: region_groups(opened.data.sources, request.config.regions, request.report))


def distillation(request: Request[RunConfig], opened: DistilledData, groups: Groups) -> RegionDistillation:
    """Build the model, all weights drawn by the run's seed."""
    config, width = request.config, opened.data.sources[0].target_width
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        model = RegionDistillation(new_encoder(config), groups, width, config.training, config.regions)
    wanted = PointFeatures(config.point_features)
    measured = point_features.measured(wanted, opened.data.sources, request.report)
    model.encoder.tokenizer.point_features = measured
    return model


def new_encoder(config: RunConfig) -> PointEncoder:
    """Draw an encoder's weights."""
    return PointEncoder(config.tokenizer, config.backbone, PointFeatures(config.point_features))


def facts(request: Request[RunConfig], opened: DistilledData) -> dict[str, Mapping[str, Any]]:
    """Say what the result depends on: the clouds, their features, and the recipe of the model."""
    config = request.config
    found = {**opened.facts(request.datasets), "vision_model": opened.vision_model}
    for name in ("tokenizer", "backbone", "regions"):
        found[name] = asdict(getattr(config, name))
    if config.point_features:
        found["point_features"] = {"kinds": list(config.point_features)}
    return found


def card(opened: DistilledData) -> dict[str, Any]:
    """Say what a checkpoint's card says beside."""
    return {"vision_model": opened.vision_model, **opened.card()}
