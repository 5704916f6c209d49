"""The caches a run trains on: found by the CLIP whose features they hold, or made, or asked for by command."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from s4tok.config import RunConfig, SuperpointConfig
from s4tok.datasets.dataset import CloudDataset
from s4tok.randomness import seed_of
from s4tok.vision.frozen_clip import FrozenClip
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Stamp, examine
from s4tok_cache.inspect import stamps_of
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.entries import root_of, way_out
from s4tok_pipelines.layouts import CLIP_FEATURES, SUPERPOINTS
from s4tok_pipelines.report import Report, silent
from s4tok_pipelines.stamps import FEATURES_STAGE, SUPERPOINTS_STAGE, VIEWS_STAGE, superpoints_stamp


def find_features(
    clouds: CloudDataset, cache: Path, clip: FrozenClip, config: RunConfig, report: Report = silent
) -> CacheReader:
    """Open the features of a dataset by this CLIP: over the superpoints of the preset, else the only ones there are."""
    root = root_of(cache, clouds)
    known = stamps_of(root.absolute(), FEATURES_STAGE)
    mine = [stamp for stamp in known if stamp.parameters.get("weights") == clip.sha256]
    if not mine:
        seen = f" by {clip.name}; features by other models exist" if known else f" by {clip.name}"
        raise CacheMissing(f"{root} has no clip-features{seen}.", way_out(clouds, *_stages(clouds, root, config)))
    wanted = superpoints_stamp(SuperpointConfig.of(clouds.scene, config.superpoints))
    fitting = [stamp for stamp in mine if _cut(stamp).json == wanted.json]
    if len(fitting or mine) > 1:
        kinds = ", ".join(stamp.folder for stamp in fitting or mine)
        raise CacheMismatch(f"{root} has several clip-features by {clip.name}: {kinds}.", "remove the others.")
    if not fitting:
        odd = "; ".join(differences(_cut(mine[0]), wanted))
        report.note(f"using superpoints cut otherwise than the preset {config.superpoints}: {odd}")
    return CacheReader(root, CLIP_FEATURES, (fitting or mine)[0])


def find_superpoints(features: CacheReader) -> CacheReader:
    """Open the superpoints that features were averaged over."""
    return CacheReader(features.root, SUPERPOINTS, _cut(features.stamp))


def usable(clouds: CloudDataset, features: CacheReader, report: Report) -> list[str]:
    """Name the clouds that have features; those that could not be made are left out, and told."""
    absent = [key for key in clouds.keys if key not in features]
    failed = set(examine(features.folder).failures) if absent else set()
    features.require(key for key in absent if key not in failed)
    if absent:
        report.warn(f"{len(absent)} clouds have no features, because extract-clip failed on them, and are left out")
    return [key for key in clouds.keys if key in features]


def some(keys: Sequence[str], most: int) -> list[str]:
    """Take so many at most, chosen by their names alone."""
    return sorted(sorted(keys, key=lambda key: seed_of(0, "validation", key))[:most])


def held_out(keys: Sequence[str], share: float) -> list[str]:
    """Choose so many clouds to validate on, by their names alone; at least one where there are several."""
    return some(keys, max(round(share * len(keys)), 1)) if len(keys) > 1 else []


def _stages(clouds: CloudDataset, root: Path, config: RunConfig) -> list[str]:
    """Say which stages are still to be run, and how."""
    preset = "" if config.superpoints == "default" else f" --preset {config.superpoints}"
    stages = [] if stamps_of(root.absolute(), SUPERPOINTS_STAGE) else [f"{SUPERPOINTS_STAGE}{preset}"]
    if clouds.scene == "object" and not stamps_of(root.absolute(), VIEWS_STAGE):
        stages.append(VIEWS_STAGE)
    clip = config.clip
    kind = "" if clip.pretrained is None else f" --pretrained '{clip.pretrained}'"
    return [*stages, f"{FEATURES_STAGE} --clip {clip.model}{kind}"]


def superpoints_of(features: CacheReader) -> Mapping[str, object]:
    """Give the settings of the superpoints that features were averaged over, as a checkpoint's card carries them."""
    return find_superpoints(features).stamp.parameters


def _cut(features: Stamp) -> Stamp:
    return next(stamp for stamp in features.upstream if stamp.stage == SUPERPOINTS_STAGE)
