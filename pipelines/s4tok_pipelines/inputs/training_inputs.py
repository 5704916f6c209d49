"""The caches a run trains on: found by the vision model whose features they hold, or asked for by command."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from s4tok.config import RunConfig, SuperpointConfig, SuperpointPreset
from s4tok.counted import in_short
from s4tok.datasets.dataset import CloudDataset
from s4tok.datasets.own_files import OwnFiles
from s4tok.errors import UsageError
from s4tok.randomness import seed_of
from s4tok.vision.frozen_clip import FrozenClip
from s4tok.vision.table import find_kind
from s4tok.vision.weights import bare_name
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Layout, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.entries import cache_of, fingerprint, fingerprints, root_of, way_out
from s4tok_pipelines.inputs.features import cut_of, find_features
from s4tok_pipelines.layouts import SUPERPOINTS, VIEWS
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stamps import (
    CLIP_STAGE,
    FEATURES_STAGE,
    MASKS_STAGE,
    SUPERPOINTS_STAGE,
    VIEWS_STAGE,
    is_as,
    is_computed,
    of_itself,
    superpoints_stamp,
)


def training_features(
    clouds: CloudDataset, cache: Path, clip: FrozenClip | None, config: RunConfig, report: Report = silent
) -> CacheReader:
    """Open the features to distil: those of the recipe's vision model, or of the CLIP that reads the tokens, if any.

    Those over the superpoints of the preset are preferred to the only ones there are, and no others are taken where
    they were asked for.
    """
    root = root_of(cache, clouds)
    if config.features is None and clip is not None:
        name, wanted = clip.name, clip.identity
    else:
        kind, name = find_kind(config.features or config.clip.model)
        name = bare_name(name)
        wanted = {kind.key: name}
    cut = superpoints_stamp(SuperpointConfig.of(clouds.scene, config.superpoints))
    way_out = partial(_way_out, clouds, cache, config)
    features = find_features(root, name, wanted, way_out, clouds=clouds, cut=cut, is_asked=config.superpoints_asked)
    if odd := "; ".join(differences(of_itself(cut_of(features.stamp)), cut)):
        report.note(f"using superpoints cut otherwise than the preset {config.superpoints}: {odd}")
    return features


def usable(
    clouds: CloudDataset, superpoints: CacheReader, features: CacheReader, config: RunConfig, report: Report
) -> list[str]:
    """Name the clouds that have features of these superpoints; those that could not be made are left out, and told.

    Raises:
        CacheMissing: Where clouds have no features, and it is not known that these cannot be made.
        CacheMismatch: Where features were made of something else than there is now.
    """
    cache, expected = cache_of(features.root), fingerprints(clouds, superpoints)
    found = [key for key in clouds.keys if key in features and features.fingerprint(key).same(expected[key])]
    absent = set(clouds.keys).difference(found)
    failed = features.failures() if absent else {}
    lost = sorted(key for key in absent if key not in features and key not in failed)
    try:
        features.require(lost)
    except CacheMissing as error:
        stages = _stages_before(lost, clouds, superpoints, features)
        raise CacheMissing(str(error), way_out(clouds, cache, *stages, _extraction(config))) from error
    old = sorted(
        key for key in absent if key in features and not (key in failed and failed[key].fingerprint.same(expected[key]))
    )
    if old:
        raise CacheMismatch(
            f"{len(old)} of {len(clouds)} clouds have features in {features.folder} that were made before the clouds "
            f"or their superpoints changed, or by an older s4tok: {in_short(old)}.",
            way_out(clouds, cache, *_stages_before(old, clouds, superpoints, features), _extraction(config)),
        )
    if absent:
        first = min(absent)
        report.warn(
            f"{len(absent)} clouds have no features, because their extraction failed, and are left out: "
            f"{in_short(sorted(absent))}. Of {first}: {failed[first].reason}"
        )
    return found


def require_rooms(datasets: Sequence[CloudDataset], window: float | None) -> None:
    """Refuse to cut columns from rooms where there are none."""
    if not window or any(each.scene == "room" for each in datasets):
        return
    names = ", ".join(dict.fromkeys(each.name for each in datasets))
    room = ", or say --room" if any(isinstance(each, OwnFiles) for each in datasets) else ""
    raise UsageError(
        f"--window {window:g} cuts rooms into columns, and {names} has objects, which stay whole.",
        f"leave --window out{room}.",
    )


def some(keys: Sequence[str], most: int) -> list[str]:
    """Take so many at most, chosen by their names alone."""
    return sorted(sorted(keys, key=lambda key: seed_of(0, "validation", key))[:most])


def held_out(keys: Sequence[str], share: float) -> list[str]:
    """Choose so many clouds to validate on, by their names alone; at least one where there are several."""
    return some(keys, max(round(share * len(keys)), 1)) if len(keys) > 1 else []


def _way_out(clouds: CloudDataset, cache: Path, config: RunConfig) -> str:
    """Say which stages are still to be run, and how."""
    root = root_of(cache, clouds)
    extraction = _extraction(config)
    preset = "" if config.superpoints == "default" else f" --preset {config.superpoints}"
    cuts = stamps_of(root.absolute(), SUPERPOINTS_STAGE)
    if config.superpoints_asked:
        wanted = SuperpointConfig.of(clouds.scene, config.superpoints)
        cuts = [stamp for stamp in cuts if is_as(stamp, wanted)]
        extraction += f" --superpoints {config.superpoints}"
    stages = [] if cuts else [f"{SUPERPOINTS_STAGE}{preset}"]
    if stages and config.superpoints == "masks":
        stages.insert(0, MASKS_STAGE)
    if clouds.scene == "object" and not stamps_of(root.absolute(), VIEWS_STAGE):
        stages.append(VIEWS_STAGE)
    return way_out(clouds, cache, *stages, extraction)


def _stages_before(
    keys: Sequence[str], clouds: CloudDataset, superpoints: CacheReader, features: CacheReader
) -> list[str]:
    """Name the stages that have to be run for these clouds before their features can be made."""
    stages = []
    cut = superpoints.stamp
    if is_computed(cut.parameters.get("method")) and not _are_current(superpoints.root, SUPERPOINTS, cut, clouds, keys):
        presets = [name for name in get_args(SuperpointPreset) if is_as(cut, SuperpointConfig.of(clouds.scene, name))]
        preset = "" if not presets or presets[0] == "default" else f" --preset {presets[0]}"
        stages.append(f"{SUPERPOINTS_STAGE}{preset}")
    drawn = [each for each in features.stamp.upstream if each.stage == VIEWS_STAGE]
    if not all(_are_current(features.root, VIEWS, each, clouds, keys) for each in drawn):
        stages.append(VIEWS_STAGE)
    return stages


def _are_current(root: Path, layout: Layout, stamp: Stamp, clouds: CloudDataset, keys: Sequence[str]) -> bool:
    try:
        result = CacheReader(root, layout, stamp)
    except (CacheMissing, CacheMismatch):
        return False
    return all(
        key in result and result.fingerprint(key).without_entries().same(fingerprint(clouds, key)) for key in keys
    )


def _extraction(config: RunConfig) -> str:
    if config.features is not None:
        return f"{FEATURES_STAGE} --model {config.features}"
    weights = "" if config.clip.pretrained is None else f" --pretrained '{config.clip.pretrained}'"
    return f"{CLIP_STAGE} --clip {config.clip.model}{weights}"


def superpoints_of(features: CacheReader) -> Mapping[str, object]:
    """Give the settings of the superpoints that features were averaged over, as a checkpoint's card carries them."""
    return cut_of(features.stamp).parameters
