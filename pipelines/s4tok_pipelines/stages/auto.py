"""What --auto makes of the stages before one: what is asked for, else the usual unless others lie there already."""

from collections.abc import Sequence
from pathlib import Path

from s4tok.config import SuperpointConfig, SuperpointPreset, ViewConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint import TrainedModel
from s4tok_cache import CacheReader, Shard, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.inputs.find_superpoints import as_wanted, cuts_of, ready_superpoints
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.extract_masks import extract_masks
from s4tok_pipelines.stages.render_views import render_views
from s4tok_pipelines.stages.superpoints import superpoints
from s4tok_pipelines.stamps import (
    VIEWS_STAGE,
    in_words,
    is_as,
    is_computed,
    of_itself,
    superpoints_stamp,
    views_stamp,
)


def make_superpoints(
    clouds: CloudDataset,
    cache: Path,
    config: SuperpointConfig | None = None,
    *,
    shard: Shard = Shard(),  # noqa: B008 - it cannot change
    workers: int = 1,
    report: Report = silent,
) -> None:
    """Cut what is missing of the cut that is asked for, of the usual one, or of the only other one that lies there."""
    cut = config or usual_superpoints(clouds, cache)
    if cut is not None and cut.method == "masks":
        extract_masks(clouds, cache, cut.masks, step=cut.frame_step, workers=workers, shard=shard, report=report)
    if cut is not None:
        superpoints(clouds, cache, cut, shard=shard, workers=workers, report=report)


def usual_superpoints(
    clouds: CloudDataset, cache: Path, preset: SuperpointPreset = "default"
) -> SuperpointConfig | None:
    """Give the preset's cut, or the only other one where that lies there and not the preset's.

    None where there are several others, or ready labels, which are used then.

    In a cache from when cut pursuit was the default, that cut is the default's.
    """
    return _usual(clouds, cuts_of(clouds, cache), preset)


def superpoints_for(
    checkpoint: TrainedModel,
    clouds: CloudDataset,
    cache: Path,
    *,
    auto: bool = True,
    workers: int = 1,
    report: Report = silent,
) -> CacheReader:
    """Open a dataset's superpoints for a checkpoint, as `ready_superpoints` does.

    With `auto` what is missing is made before: the cut of the checkpoint's training, or the usual one where its card
    tells none. Superpoints that s4tok has not cut itself (ScanNet's segments, a user's labels) are somebody's choice:
    nothing is made beside them.
    """
    if auto:
        cut = _cut_for(checkpoint, clouds, cuts_of(clouds, cache), report)
        if cut is not None:
            superpoints(clouds, cache, cut, workers=workers, report=report)
    return ready_superpoints(clouds, cache, checkpoint, report)


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
    """Draw what is missing of the views that are asked for, or of the usual ones unless others lie there."""
    views = config or ViewConfig()
    if config is not None or _is_free(views_stamp(views, clouds.up), stamps_of(root_of(cache, clouds), VIEWS_STAGE)):
        render_views(clouds, cache, views, shard=shard, workers=workers, device=device, report=report)


def _cut_for(
    checkpoint: TrainedModel, clouds: CloudDataset, stamps: Sequence[Stamp], report: Report
) -> SuperpointConfig | None:
    """Choose the cut to make for a checkpoint, beside those that lie there; None to make none."""
    known = checkpoint.trained.cut_of(clouds.scene)
    if known is None or not is_computed(known.method):
        return _usual(clouds, stamps)
    trained = checkpoint.trained.superpoints.get(clouds.scene, known)
    if trained.method != known.method:
        report.warn(
            f"checkpoint {checkpoint.name} was trained with superpoints by {trained.method}, which cannot be imported: "
            f"{clouds.name} is cut by {known.method}"
        )
    if stamps and not any(is_as(stamp, known) for stamp in stamps):
        if not all(is_computed(stamp.parameters.get("method")) for stamp in stamps):
            return None
        report.note(
            f"cutting {clouds.name} {as_wanted(clouds, checkpoint)}; there is another cut: "
            f"{'; '.join(in_words(stamps, known))}"
        )
    return known


def _usual(
    clouds: CloudDataset, stamps: Sequence[Stamp], preset: SuperpointPreset = "default"
) -> SuperpointConfig | None:
    cut, before = SuperpointConfig.of(clouds.scene, preset), SuperpointConfig.of(clouds.scene, "cut-pursuit")
    made, made_before = (any(is_as(stamp, each) for stamp in stamps) for each in (cut, before))
    if preset == "default" and made_before and not made:
        return before
    return cut if _is_free(superpoints_stamp(cut), stamps) else _other(stamps)


def _other(stamps: Sequence[Stamp]) -> SuperpointConfig | None:
    """Give the one cut that lies there, so that clouds it lacks are cut alike; None for several, or ready labels."""
    if len(stamps) != 1 or not is_computed(stamps[0].parameters.get("method")):
        return None
    known = {name: value for name, value in stamps[0].parameters.items() if name in SuperpointConfig.__annotations__}
    found = SuperpointConfig(**known)
    return found if is_as(stamps[0], found) else None  # not of a former version


def _is_free(usual: Stamp, stamps: Sequence[Stamp]) -> bool:
    """Say whether this result is among a stage's, or none with this axis up."""
    alike = [stamp for stamp in stamps if stamp.parameters.get("up") == usual.parameters.get("up")]
    return not alike or any(of_itself(stamp).json == usual.json for stamp in alike)
