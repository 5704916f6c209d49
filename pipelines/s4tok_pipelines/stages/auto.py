"""What --auto makes of the stages before one: what is asked for, else the usual unless others lie there already."""

from collections.abc import Sequence
from pathlib import Path

from s4tok.config import SuperpointConfig, SuperpointPreset, ViewConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint import TrainedModel
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Shard, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.inputs.find_superpoints import as_wanted, cuts_of, open_superpoints, ready_superpoints
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
    if cut is not None:
        _make(clouds, cache, cut, shard, workers, report)


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
    nothing is made where they are the only ones.
    """
    if auto:
        cut = _cut_for(checkpoint, clouds, cuts_of(clouds, cache), report)
        if cut is not None:
            _make(clouds, cache, cut, Shard(), workers, report)
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


def _make(clouds: CloudDataset, cache: Path, cut: SuperpointConfig, shard: Shard, workers: int, report: Report) -> None:
    """Cut the clouds that are not, regions of masks with the masks that are missing."""
    if cut.method == "masks":
        if _has_all(clouds, cache, cut):  # whose masks may be gone
            return
        extract_masks(clouds, cache, cut.masks, step=cut.frame_step, workers=workers, shard=shard, report=report)
    superpoints(clouds, cache, cut, shard=shard, workers=workers, report=report)


def _has_all(clouds: CloudDataset, cache: Path, cut: SuperpointConfig) -> bool:
    try:
        found = open_superpoints(clouds, cache, cut)
    except (CacheMissing, CacheMismatch):
        return False
    return all(key in found for key in clouds.keys)


def _cut_for(
    checkpoint: TrainedModel, clouds: CloudDataset, stamps: Sequence[Stamp], report: Report
) -> SuperpointConfig | None:
    """Choose the cut to make for a checkpoint, beside those that lie there; None to make none."""
    known = checkpoint.trained.cut_of(clouds.scene)
    is_there = known is not None and any(is_as(stamp, known) for stamp in stamps)
    if known is None or not is_computed(known.method) or (known.method == "masks" and not is_there):
        return _usual(clouds, stamps)  # regions are those of single frames, as a rule, which whole scenes do without
    trained = checkpoint.trained.superpoints.get(clouds.scene, known)
    if trained.method != known.method:
        report.warn(
            f"checkpoint {checkpoint.name} was trained with superpoints by {trained.method}, which cannot be imported: "
            f"{clouds.name} is cut by {known.method}"
        )
    if stamps and not is_there:
        if len(stamps) == 1 and not is_computed(stamps[0].parameters.get("method")):
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
