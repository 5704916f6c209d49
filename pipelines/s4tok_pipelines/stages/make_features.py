"""What --auto makes of 2D features: those that lie there are completed as they were begun, else the usual ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from s4tok.config import SuperpointConfig, ViewConfig, VirtualConfig, VisionConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.vision.table import find_kind, load_vision_model
from s4tok.vision.weights import bare_name
from s4tok_cache import Stamp
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.inputs.features import cut_of, features_of
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.extract_features import extract_features
from s4tok_pipelines.stamps import VIEWS_STAGE, is_as


def make_features(
    clouds: CloudDataset,
    cache: Path,
    model: VisionConfig,
    cut: SuperpointConfig | None,
    *,
    workers: int = 1,
    device: str = "cpu",
    report: Report = silent,
) -> None:
    """Make what is missing of a model's features over a cut, and nothing beside several results of them."""
    kept = _kept(clouds, cache, model, cut)
    if len(kept) > 1:
        return  # whoever reads them says how they differ
    begun: dict[str, Any] = _as_begun(kept[0], model) if kept else {"config": model}
    extract_features(
        clouds, cache, superpoints=cut, auto=True, workers=workers, devices=(device,), report=report, **begun
    )


def _kept(clouds: CloudDataset, cache: Path, model: VisionConfig, cut: SuperpointConfig | None) -> list[Stamp]:
    kind, name = find_kind(model.model, model.pretrained)
    root = root_of(cache, clouds)
    if not features_of(root, {kind.key: bare_name(name)}):
        return []  # without its weights, whose hash takes loading them
    kept = features_of(root, load_vision_model(model).identity, clouds)
    return [stamp for stamp in kept if cut is None or is_as(cut_of(stamp), cut)]


def _as_begun(stamp: Stamp, model: VisionConfig) -> dict[str, Any]:
    """Give the arguments of the stage that has made features."""
    made, virtual = stamp.parameters, stamp.parameters.get("virtual")
    drawn = next((each.parameters for each in stamp.upstream if each.stage == VIEWS_STAGE), {})
    views = {name: value for name, value in {**made.get("frames", {}), **drawn}.items() if name != "up"}
    return {
        "config": replace(model, dense=made.get("dense", model.dense)),
        "views": ViewConfig(**views),
        "frames": "frames" in made,
        "virtual": None if virtual is None else VirtualConfig(**{**virtual, "pitches": tuple(virtual["pitches"])}),
        "pool": made.get("pool", "mean"),
    }
