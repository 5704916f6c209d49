"""What --auto makes of the stages before one: their results with the defaults, unless others lie there already."""

from pathlib import Path

from s4tok.config import SuperpointConfig, SuperpointPreset, ViewConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok_cache import Shard, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages import render_views, superpoints


def make_superpoints(
    clouds: CloudDataset,
    cache: Path,
    config: SuperpointConfig | None = None,
    *,
    preset: SuperpointPreset = "default",
    shard: Shard = Shard(),  # noqa: B008 - it cannot change
    workers: int = 1,
    report: Report = silent,
) -> None:
    """Cut what is missing of the usual cut, unless there is another; or of the cut that is asked for."""
    cut = config or SuperpointConfig.of(clouds.scene, preset)
    if config is not None or _is_free(clouds, cache, superpoints.stamp_of(cut)):
        superpoints.superpoints(clouds, cache, cut, shard=shard, workers=workers, report=report)


def make_views(
    clouds: CloudDataset,
    cache: Path,
    config: ViewConfig | None = None,
    *,
    shard: Shard = Shard(),  # noqa: B008 - as above
    workers: int = 1,
    device: str = "cpu",
    report: Report = silent,
) -> None:
    """Draw what is missing of the usual views, or of those with the settings that are asked for."""
    views = config or ViewConfig()
    if config is not None or _is_free(clouds, cache, render_views.stamp_of(views, clouds.up)):
        render_views.render_views(clouds, cache, views, shard=shard, workers=workers, device=device, report=report)


def _is_free(clouds: CloudDataset, cache: Path, usual: Stamp) -> bool:
    """Say whether there is nothing of a stage, with this axis up, but what it makes with its defaults."""
    stamps = stamps_of(root_of(cache, clouds).absolute(), usual.stage)
    return all(stamp.json == usual.json for stamp in stamps if stamp.parameters.get("up") == usual.parameters.get("up"))
