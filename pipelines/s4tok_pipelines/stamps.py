"""How the result of each stage is named: the stage, and what its result was made with."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from s4tok.config import SuperpointConfig, ViewConfig
from s4tok.datasets.folders import from_root
from s4tok.errors import UsageError, choose
from s4tok_cache import Stamp
from s4tok_cache.stamp import differences

SUPERPOINTS_STAGE, VIEWS_STAGE, MASKS_STAGE = "superpoints", "render-views", "extract-masks"
FEATURES_STAGE, CLIP_STAGE = "extract-features", "extract-clip"  # the same stage; CLIP's results keep their name
# Each goes up when the same configuration gives another result.
SUPERPOINTS_ALGORITHM = REGIONS_ALGORITHM = 1
OTHER_ALGORITHMS = {"greedy": 3}  # 2: borders are straightened; 3: clouds of over a million points by tiles
VIEWS_ALGORITHM = {"depth": 1, "shaded": 2}  # 2: colours as pictures have them, faces lit from both sides


# What the method masks reads, and no other does: it says nothing of their results, and they nothing of its.
OF_MASKS = ("masks", "mask_smallest", "mask_group", "frame_step")


def superpoints_stamp(config: SuperpointConfig, ready: Path | None = None, masks: Stamp | None = None) -> Stamp:
    """Say what a cache of superpoints was made with; ready labels by where they came from, regions by their masks."""
    from s4tok.superpoints import METHODS

    is_ready = choose("superpoint method", config.method, METHODS) is None
    if (config.method == "labels") != (ready is not None):
        raise UsageError(
            "--method labels takes ready labels, and --labels names them: both or neither.",
            "s4tok superpoints scan.ply --method labels --labels scan.npy",
        )
    settings = asdict(config)
    if config.method == "masks":
        read = {name: settings[name] for name in ("method", *OF_MASKS)}
        read["masks"] = name_of_masks(config.masks)
        return Stamp(SUPERPOINTS_STAGE, read, REGIONS_ALGORITHM, () if masks is None else (masks,))
    if not is_ready:
        read = {name: value for name, value in settings.items() if name not in OF_MASKS}
        return Stamp(SUPERPOINTS_STAGE, read, OTHER_ALGORITHMS.get(config.method, SUPERPOINTS_ALGORITHM))
    source = {} if ready is None else {"labels": str(from_root(ready))}
    return Stamp(SUPERPOINTS_STAGE, {"method": config.method, **source}, SUPERPOINTS_ALGORITHM)


def name_of_masks(masks: str) -> str:
    """Give the name that masks have in a cache: the model's, or where the folder of files lies."""
    return str(from_root(Path(masks))) if Path(masks).is_dir() else masks


def of_itself(stamp: Stamp) -> Stamp:
    """Leave out what superpoints were made from: regions are asked for by the name of their masks."""
    return replace(stamp, upstream=())


def is_as(stamp: Stamp, wanted: SuperpointConfig) -> bool:
    """Say whether superpoints are cut as is wanted."""
    if wanted.method == "labels":  # wherever they came from
        return stamp.parameters.get("method") == "labels"
    return of_itself(stamp).json == superpoints_stamp(wanted).json


def is_computed(method: object) -> bool:
    """Say whether s4tok cuts by this method, of points or of masks, or only takes labels that are ready."""
    from s4tok.superpoints import METHODS

    return method == "masks" or METHODS.get(str(method)) is not None


def in_words(stamps: Sequence[Stamp], wanted: SuperpointConfig) -> Iterator[str]:
    """Name cuts, and the settings in which they differ from the one that is wanted."""
    for stamp in stamps:
        method = stamp.parameters.get("method")
        odd = [f"method {method}, not {wanted.method}"]
        if method == wanted.method == "labels":
            odd = [f"of {stamp.parameters.get('labels')}"]
        elif method == wanted.method:
            odd = differences(of_itself(stamp), superpoints_stamp(wanted))
        yield f"{stamp.folder} ({', '.join(odd)})"


def views_stamp(config: ViewConfig, up: str) -> Stamp:
    """Stamp what drawing depends on: what the frames of scenes are chosen by is not part of it."""
    used = {"size", "image"}
    used |= {"projection", "projection_compat"} if config.image == "depth" else {"object_ratio"}
    parameters = {name: value for name, value in asdict(config).items() if name in used}
    return Stamp(VIEWS_STAGE, {**parameters, "up": up}, VIEWS_ALGORITHM[config.image])
