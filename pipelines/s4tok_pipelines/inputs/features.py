"""Features of 2D models in a cache: found by what their stamp says of the model, whoever asks."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from s4tok.datasets.dataset import CloudDataset
from s4tok_cache import CacheMismatch, CacheMissing, CacheReader, Layout, Stamp
from s4tok_cache.inspect import stamps_of
from s4tok_cache.stamp import differences
from s4tok_pipelines.inputs.entries import fingerprints, holds_some
from s4tok_pipelines.layouts import CLIP_FEATURES, FEATURES, SUPERPOINTS
from s4tok_pipelines.stamps import CLIP_STAGE, FEATURES_STAGE, SUPERPOINTS_STAGE, of_itself

LAYOUTS: Mapping[str, Layout] = {CLIP_STAGE: CLIP_FEATURES, FEATURES_STAGE: FEATURES}


def find_features(
    root: Path,
    name: str,
    wanted: Mapping[str, Any],
    way_out: Callable[[], str],
    *,
    clouds: CloudDataset | None = None,
    cut: Stamp | None = None,
    is_asked: bool = False,
) -> CacheReader:
    """Open the features of a model: over this cut where there are such, else the only ones there are.

    Args:
        root: CACHE/<dataset>/<split>.
        name: Of the model, as users call it.
        wanted: Its identity, or as much of it as is known.
        way_out: Says what makes such features, where there are none.
        clouds: Whose features they are, where they may be own files: objects and rooms of these lie in one place.
        cut: The superpoints that are preferred.
        is_asked: Take no features over others.

    Raises:
        CacheMissing: Where the model has left no features.
        CacheMismatch: Where it has left several, and nothing says which; where it has left none that were asked for.
    """
    stamps = features_of(root, wanted, clouds)
    if not stamps:
        others = sorted({name_in(stamp) for stamp in features_of(root, {}, clouds)})
        beside = f"; there are some by {', '.join(others)}" if others else ""
        raise CacheMissing(f"{root} has no features by {name}{beside}.", way_out())
    fitting = [stamp for stamp in stamps if cut is not None and of_itself(cut_of(stamp)).json == cut.json]
    if is_asked and cut is not None and not fitting:
        odd = "; ".join(differences(of_itself(cut_of(stamps[0])), cut))
        raise CacheMismatch(
            f"{root} has features by {name}, and none of the superpoints that were asked for; those there are were cut "
            f"with {odd}.",
            way_out(),
        )
    found = fitting or stamps
    if len(found) > 1:
        raise CacheMismatch(
            f"{root} has {len(found)} results of features by {name}, which differ: "
            f"{'; '.join(differences(found[0], found[1]))}.",
            f"remove those that are not meant: {', '.join(stamp.folder for stamp in found)}.",
        )
    return open_features(root, found[0])


def features_of(root: Path, wanted: Mapping[str, Any], clouds: CloudDataset | None = None) -> list[Stamp]:
    """Find the features under a root whose stamp has what is known of a model, and those of some clouds alone."""
    every = [stamp for stage in LAYOUTS for stamp in stamps_of(root.absolute(), stage)]
    found = [stamp for stamp in every if all(stamp.parameters.get(key) == value for key, value in wanted.items())]
    return [stamp for stamp in found if clouds is None or holds_some(open_features(root, stamp), clouds)]


def open_features(root: Path, stamp: Stamp) -> CacheReader:
    """Open features by their stamp."""
    return CacheReader(root, LAYOUTS[stamp.stage], stamp)


def features_in(folder: Path) -> CacheReader:
    """Open the features of a folder that a stage has just filled."""
    stamp = next(each for each in features_of(folder.parent, {}) if each.folder == folder.name)
    return open_features(folder.parent, stamp)


def superpoints_under(features: CacheReader) -> CacheReader:
    """Open the superpoints that features were averaged over."""
    return CacheReader(features.root, SUPERPOINTS, cut_of(features.stamp))


def are_current(features: CacheReader, clouds: CloudDataset) -> bool:
    """Say whether every cloud has features, and of what it and its superpoints are now."""
    expected = fingerprints(clouds, superpoints_under(features))
    return all(key in features and features.fingerprint(key).same(of) for key, of in expected.items())


def cut_of(features: Stamp) -> Stamp:
    """Give the stamp of the superpoints that features were averaged over."""
    return next(stamp for stamp in features.upstream if stamp.stage == SUPERPOINTS_STAGE)


def name_in(features: Stamp) -> str:
    """Give the name of the model that features are by."""
    return str(features.parameters.get("model") or features.parameters.get("clip"))
