"""What --auto makes of the stages before one: what is asked for, else the usual unless others lie there already."""

from pathlib import Path

from s4tok.config import SuperpointConfig, SuperpointPreset, ViewConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.models.checkpoint import Student
from s4tok_cache import Shard, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_pipelines.inputs.entries import root_of
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stages.render_views import render_views
from s4tok_pipelines.stages.superpoints import superpoints
from s4tok_pipelines.stamps import (
    SUPERPOINTS_STAGE,
    in_words,
    is_as,
    is_computed,
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
    """Cut what is missing of the cut that is asked for, or of the usual one unless others lie there."""
    cut = config or usual_superpoints(clouds, cache)
    if cut is not None:
        superpoints(clouds, cache, cut, shard=shard, workers=workers, report=report)


def usual_superpoints(
    clouds: CloudDataset, cache: Path, preset: SuperpointPreset = "default"
) -> SuperpointConfig | None:
    """Give the preset's cut; None where there are others and not it, which are used then."""
    cut = SuperpointConfig.of(clouds.scene, preset)
    return cut if _is_free(clouds, cache, superpoints_stamp(cut)) else None


def make_superpoints_for(
    student: Student, clouds: CloudDataset, cache: Path, *, workers: int = 1, report: Report = silent
) -> None:
    """Make what is missing of the cut of a checkpoint's training, or of the usual one where its card tells none.

    Superpoints that s4tok has not cut itself (ScanNet's segments, a user's labels) are somebody's choice: nothing is
    made beside them.
    """
    known = student.trained.superpoints.get(clouds.scene)
    stamps = stamps_of(root_of(cache, clouds), SUPERPOINTS_STAGE)
    if known is None or not is_computed(known.method):
        make_superpoints(clouds, cache, workers=workers, report=report)
        return
    is_there = any(is_as(stamp, known) for stamp in stamps)
    if stamps and not is_there:
        if not all(is_computed(stamp.parameters.get("method")) for stamp in stamps):
            return
        report.note(
            f"cutting {clouds.name} as for the training of checkpoint {student.name}; there is another cut: "
            f"{'; '.join(in_words(stamps, known))}"
        )
    make_superpoints(clouds, cache, known, workers=workers, report=report)


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
    if config is not None or _is_free(clouds, cache, views_stamp(ViewConfig(), clouds.up)):
        views = config or ViewConfig()
        render_views(clouds, cache, views, shard=shard, workers=workers, device=device, report=report)


def _is_free(clouds: CloudDataset, cache: Path, usual: Stamp) -> bool:
    """Say whether a stage has this result already, or none with this axis up."""
    stamps = stamps_of(root_of(cache, clouds).absolute(), usual.stage)
    alike = [stamp for stamp in stamps if stamp.parameters.get("up") == usual.parameters.get("up")]
    return not alike or any(stamp.json == usual.json for stamp in alike)
