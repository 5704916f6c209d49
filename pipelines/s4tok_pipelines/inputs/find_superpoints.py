"""Superpoints for a checkpoint that reads them: cut as for its training, where that is known and can be had."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import get_args

from s4tok.config import SuperpointConfig, SuperpointPreset
from s4tok.counted import in_short
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import InputError
from s4tok.models.checkpoint import TrainedModel
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.entries import holds_some, root_of, way_out
from s4tok_pipelines.inputs.masks import require_current_masks
from s4tok_pipelines.layouts import SUPERPOINTS
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stamps import SUPERPOINTS_STAGE, in_words, is_as, is_computed, superpoints_stamp


def ready_superpoints(
    clouds: CloudDataset,
    cache: Path,
    checkpoint: TrainedModel,
    report: Report = silent,
) -> CacheReader:
    """Open a dataset's superpoints: those cut as for the checkpoint's training, else the only ones there are.

    Where the card tells no cut at all, the defaults for the kind of scene stand for it. The report says so where the
    settings differ from the card's.

    Raises:
        InputError: Where clouds are not cut, and it is not known that they cannot be; where several cuts differ from
            the one that is wanted.
        CacheMismatch: Where they are regions of masks that have changed.
    """
    root, known = root_of(cache, clouds), checkpoint.trained.cut_of(clouds.scene)
    wanted = known or SuperpointConfig.of(clouds.scene)
    stamps = cuts_of(clouds, cache)
    fitting = [stamp for stamp in stamps if is_as(stamp, wanted)]
    if not stamps:
        raise InputError(f"{root} has no superpoints.", _way_out(clouds, cache, checkpoint))
    if len(fitting or stamps) > 1:
        raise InputError(
            f"{root} has {len(stamps)} results of superpoints, and {'more than one' if fitting else 'none'} is "
            f"cut {as_wanted(clouds, checkpoint)}: {'; '.join(in_words(stamps, wanted))}.",
            f"{_way_out(clouds, cache, checkpoint)} Or remove all but one.",
        )
    if not fitting and known is not None:
        report.note(
            f"using {next(in_words(stamps, wanted))}; checkpoint {checkpoint.name} was trained with superpoints cut "
            "otherwise"
        )
    reader = CacheReader(root, SUPERPOINTS, (fitting or stamps)[0])
    require_current_masks(clouds, cache, reader)
    missing = {key for key in clouds.keys if key not in reader}
    unknown = sorted(missing - reader.failures().keys()) if missing else []
    if unknown:
        raise InputError(
            f"{len(unknown)} of {len(clouds)} clouds have no superpoints: {in_short(unknown)}.",
            _way_out(clouds, cache, checkpoint)
            if is_computed(reader.stamp.parameters.get("method"))
            else _ready_too(clouds, cache, reader.stamp),
        )
    return reader


def open_superpoints(
    clouds: CloudDataset, cache: Path, config: SuperpointConfig | None = None, ready: Path | None = None
) -> CacheReader:
    """Open the superpoints that were cut with a configuration, or the only ones there are."""
    reader = _open_superpoints(clouds, cache, config, ready)
    require_current_masks(clouds, cache, reader)
    return reader


def _open_superpoints(
    clouds: CloudDataset, cache: Path, config: SuperpointConfig | None, ready: Path | None
) -> CacheReader:
    root = root_of(cache, clouds)
    try:
        if config is None:
            stamps = cuts_of(clouds, cache)
            if not stamps:
                of = f" of {clouds.scene}s" if isinstance(clouds, OwnFiles) else ""
                raise CacheMissing(f"{root} has no superpoints{of}.")
            if len(stamps) == 1:
                return CacheReader(root, SUPERPOINTS, stamps[0])
            raise _several(root, clouds, stamps)
        masked = [stamp for stamp in stamps_of(root, SUPERPOINTS_STAGE) if is_as(stamp, config)]
        if config.method == "masks" and len(masked) == 1:  # its stamp has that of the masks too
            return CacheReader(root, SUPERPOINTS, masked[0])
        return CacheReader(root, SUPERPOINTS, superpoints_stamp(config, ready))
    except CacheMissing as error:
        command = _command(clouds, config)
        raise CacheMissing(str(error), error.hint if command is None else way_out(clouds, cache, command)) from error


def cuts_of(clouds: CloudDataset, cache: Path) -> list[Stamp]:
    """List the cuts of these clouds that lie there."""
    root = root_of(cache, clouds)
    return [
        stamp
        for stamp in stamps_of(root, SUPERPOINTS_STAGE)
        if holds_some(CacheReader(root, SUPERPOINTS, stamp), clouds)
    ]


def as_wanted(clouds: CloudDataset, checkpoint: TrainedModel) -> str:
    """Say in words how a checkpoint wants clouds to be cut."""
    if clouds.scene in checkpoint.trained.superpoints:
        return f"as for the training of checkpoint {checkpoint.name}"
    known = checkpoint.trained.cut_of(clouds.scene)
    method = "" if known is None else f", by {known.method} as for the training of checkpoint {checkpoint.name}"
    return f"with the defaults for {clouds.scene}s{method}"


def _several(root: Path, clouds: CloudDataset, stamps: Sequence[Stamp]) -> CacheMismatch:
    """Say how cuts differ of which none was asked for, and which of them have a name."""
    cuts = {preset: SuperpointConfig.of(clouds.scene, preset) for preset in get_args(SuperpointPreset)}
    named = [preset for preset, cut in cuts.items() if any(is_as(stamp, cut) for stamp in stamps)]
    remove = f"remove those that are not meant: {', '.join(stamp.folder for stamp in stamps)}"
    odd = "; ".join(differences(stamps[0], stamps[1]))
    return CacheMismatch(
        f"{root} has {len(stamps)} results of superpoints, which differ: {odd}.",
        f"say --superpoints {' or '.join(named)}, or {remove}." if named else f"{remove}.",
    )


def _way_out(clouds: CloudDataset, cache: Path, checkpoint: TrainedModel) -> str:
    command = _command(clouds, checkpoint.trained.cut_of(clouds.scene))
    if command is None:
        return f"pass --auto, which cuts clouds as for the training of {checkpoint.name}."
    return way_out(clouds, cache, command)


def _ready_too(clouds: CloudDataset, cache: Path, stamp: Stamp) -> str:
    """Name the command that takes the labels of more clouds, which are ready or are nowhere."""
    options = (
        f" --{name} {quote(str(stamp.parameters[name]))}" for name in ("method", "labels") if name in stamp.parameters
    )
    return way_out(clouds, cache, f"{SUPERPOINTS_STAGE}{''.join(options)}", auto=False)


def _command(clouds: CloudDataset, wanted: SuperpointConfig | None) -> str | None:
    """Give the command that cuts as is wanted, where it is that of a preset."""
    for preset in get_args(SuperpointPreset):
        if wanted in (None, SuperpointConfig.of(clouds.scene, preset)):
            return SUPERPOINTS_STAGE if preset == "default" else f"{SUPERPOINTS_STAGE} --preset {preset}"
    return None
